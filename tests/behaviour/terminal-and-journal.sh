#!/bin/bash
# Progress, colours and levels of messages depend on who reads them: a terminal, the journal, or
# nobody.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need script

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"

# write_ini INTERVAL LINE...: four rounds, the default group.
write_ini() {
	printf '%s\n' '[collector]' "deadline = ${DEADLINE:-10s}" '[probe]' 'count = 4' 'warmup = 0' \
		"interval = $1" 'timeout = 200ms' '[peers]' 'a = 127.1.0.1' "${@:2}" >"$TEST_TMP/x.ini"
}

# on_terminal ARGUMENT...: the output as a terminal gets it is in $TEST_TMP/screen.
on_terminal() {
	local command
	printf -v command '%q ' "$NC" -c "$TEST_TMP/x.ini" "$@"
	script --quiet --return --flush --command "$command" "$TEST_TMP/typescript" </dev/null \
		>"$TEST_TMP/screen" 2>&1 || fail "exit status $?; $(_show "$TEST_TMP/screen")"
}

# In colour a peer without a reply is red, one with losses or unsent requests yellow.
ESC=$'\033'
ip route add prohibit 192.0.2.0/24

behaviour "on a terminal a run longer than a second shows its progress, and takes it away again"
write_ini 600ms
on_terminal -o "$FILE"
assert_file_contains "$TEST_TMP/screen" 'round 3 of 4'
assert_not_contains "$TEST_TMP/screen" 'round 1 of 4'
assert_eq "$(printf '\r\033[K' | od -c)" "$(tail -c 4 "$TEST_TMP/screen" | od -c)" "the last bytes"

behaviour "nowhere else does it show progress"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
on_terminal -q -o "$FILE"
assert_eq 0 "$(stat -c %s "$TEST_TMP/screen")" "bytes with -q"

behaviour "a short run shows nothing on a terminal"
write_ini 1ms
on_terminal -o "$FILE"
assert_eq 0 "$(stat -c %s "$TEST_TMP/screen")" "bytes"

behaviour "the table has colour on a terminal, and nowhere else"
write_ini 1ms 'down = 192.0.2.1'
on_terminal -q -n -t
assert_file_contains "$TEST_TMP/screen" "^$ESC\[31mdown .*$ESC\[0m"
assert_not_contains "$TEST_TMP/screen" "$ESC.*127\.1\.0\.1"
run_nc 0 -q -n -t -c "$TEST_TMP/x.ini"
assert_not_contains "$TEST_TMP/out" "$ESC"

behaviour "NO_COLOR is honoured, unless it is empty"
NO_COLOR=1 on_terminal -q -n -t
assert_not_contains "$TEST_TMP/screen" "$ESC"
assert_file_contains "$TEST_TMP/screen" '^down '
NO_COLOR='' on_terminal -q -n -t
assert_file_contains "$TEST_TMP/screen" "$ESC\[31m"

# in_journal STREAM CODE ARGUMENT...: with standard error in $TEST_TMP/journal.
in_journal() {
	local status=0
	JOURNAL_STREAM=$1 "$NC" "${@:3}" >"$TEST_TMP/out" 2>"$TEST_TMP/journal" || status=$?
	assert_eq "$2" "$status" "exit status"
}

: >"$TEST_TMP/journal"
stream=$(stat -c %d:%i "$TEST_TMP/journal")

behaviour "in the journal a message begins with its level, and elsewhere with our name"
in_journal "$stream" 0 -c "$TEST_TMP/x.ini" -n
assert_eq '<4>4 requests could not be sent: Permission denied; peers: down' "$(cat "$TEST_TMP/journal")"
in_journal "$stream" 73 -c "$TEST_TMP/x.ini" -o "$TEST_TMP/missing/x.prom"
assert_file_contains "$TEST_TMP/journal" '^<3>/.*No such file or directory$'
printf '[collector]\na = 1\nb = 2\n' >"$TEST_TMP/broken.ini"
in_journal "$stream" 78 -c "$TEST_TMP/broken.ini" -C
assert_eq 2 "$(grep -c '^<3>/.*broken\.ini:[23]: unknown key' "$TEST_TMP/journal")"
for other in '' 1:1 "$stream:0" "${stream}0" "${stream#*:}:${stream%:*}"; do
	in_journal "$other" 0 -c "$TEST_TMP/x.ini" -n
	assert_eq 'nodecanary: 4 requests could not be sent: Permission denied; peers: down' \
		"$(cat "$TEST_TMP/journal")" "with JOURNAL_STREAM=$other"
done

behaviour "the journal of a run that went well is empty"
write_ini 300ms
in_journal "$stream" 0 -c "$TEST_TMP/x.ini" -o "$FILE"
assert_eq 0 "$(stat -c %s "$TEST_TMP/journal")" "bytes"

behaviour "usage errors have their level in the journal, too"
in_journal "$stream" 64 --bogus
assert_file_contains "$TEST_TMP/journal" '^<3>.*nodecanary --help'

behaviour "progress goes away where the deadline ends the run"
DEADLINE=1500ms write_ini 600ms
on_terminal -o "$FILE"
assert_file_contains "$TEST_TMP/screen" 'round 3 of 4'
assert_eq "$(printf '\r\033[K' | od -c)" "$(tail -c 4 "$TEST_TMP/screen" | od -c)" "the last bytes"

done_testing
