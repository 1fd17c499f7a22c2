#!/bin/bash
# No error of memory and no leak, whichever way a run ends.
# check: no, the unit tests have sanitizers there
# time-limit: 240
# sandbox: no, valgrind is another program

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need valgrind setpriv
is_sanitized && skip "a program with a sanitizer does not run under valgrind"

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"
export NC_WRAP="valgrind --quiet --tool=memcheck --error-exitcode=99 --leak-check=full
	--show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible
	--track-origins=yes --child-silent-after-fork=yes"

# write_ini LINE...: slow enough for a program under valgrind.
write_ini() {
	printf '%s\n' '[collector]' 'resolve_timeout = 10s' 'resolve_every = 0s' '[probe]' 'count = 2' \
		'interval = 1ms' 'timeout = 2s' "$@" >"$TEST_TMP/x.ini"
}

# clean CODE ARGUMENT...: exactly this exit status, and not a word of valgrind's.
clean() {
	run_nc "$1" -c "$TEST_TMP/x.ini" "${@:2}"
	assert_not_contains "$TEST_TMP/err" '^==[0-9]+=='
}

dns_start <<'ZONE'
dual.test A 127.5.0.1
dual.test AAAA ::1
ZONE

behaviour "a run with groups, families and labels is clean, the first time and the second"
write_ini '[probe g]' 'family = both' 'histogram = group' 'ttl = 32' '[labels default]' 'zone = z' \
	'[peers]' 'a = 127.1.0.1 rack="r 1"' 'b = 127.1.0.2' '[peers g]' 'c = 127.1.0.3, ::1'
clean 0 -o "$FILE"
clean 0 -o "$FILE" -t
assert_eq 2 "$(value "$FILE" nodecanary_runs_total)"

behaviour "a run with names is clean, whether they are found or not"
write_ini '[peers]' 'dual.test =' 'nobody.test =' 'a = 127.1.0.1'
clean 0 -o "$FILE"
clean 0 -o "$FILE"
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_resolved{group="default",peer="dual.test"}')"
clean 0 -l

behaviour "other buckets and other peers are taken over cleanly"
write_ini 'buckets = 1ms 1s' '[peers]' 'a = 127.1.0.1' 'z = 127.1.0.9'
clean 0 -o "$FILE"
clean 0 -o -
clean 0 -n -t

behaviour "a damaged file is refused cleanly"
head -c 4000 "$FILE" >"$TEST_TMP/cut"
cp "$TEST_TMP/cut" "$FILE"
clean 0 -o "$FILE"
says 1 'counters start from zero'

behaviour "checks and lists are clean"
clean 0 -C
clean 0 -l
clean 64 --bogus
clean 0 --help
clean 0 --version

behaviour "targets and locks that fail are clean"
clean 73 -o "$TEST_TMP/missing/x.prom"
clean 73 -o "$TEST_TMP/textfiles"

behaviour "a broken configuration is clean, with a file and without"
write_ini '[probe g]' 'count = x' '[peers]' 'a = 127.1.0.1 rack="r1 zone=2' 'a = 127.1.0.1' \
	'b = 1.2.3' '[labels h]' 'le = 1' '[nonsense]' 'x = 1' ' indented = 1' '[peers' 'no equals sign'
clean 78 -o "$FILE"
clean 78 -C
head -c 4000 "$FILE" >"$TEST_TMP/cut"
cp "$TEST_TMP/cut" "$FILE"
clean 78 -o "$FILE"
rm "$FILE"
clean 78 -o "$FILE"

behaviour "two candidates for oneself are a clean error"
ip addr add 10.9.0.1/32 dev lo
ip addr add 10.9.0.2/32 dev lo
write_ini '[peers]' 'x = 10.9.0.1' 'y = 10.9.0.2'
clean 78 -o "$FILE"

behaviour "peers that cannot be reached are clean"
ip route add prohibit 192.0.2.0/24
write_ini '[peers]' 'a = 192.0.2.1' 'b = 198.51.100.1' 'c = 2001:db8::1'
clean 0 -o "$FILE"

behaviour "SIGTERM in the middle of a run is clean"
write_ini '[collector]' 'deadline = 1h' '[probe g]' 'interval = 60s' '[peers]' 'a = 127.1.0.1' \
	'[peers g]' 'a = 127.1.0.1'
packets=$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)
# shellcheck disable=SC2086 # a command and its arguments
$NC_WRAP "$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err" &
pid=$!
# All three rounds of one group and the warm-up of the other: requests and replies.
# shellcheck disable=SC2317 # wait_until calls it
has_sent() { [ "$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)" -ge $((packets + 8)) ]; }
wait_until 20 has_sent
kill -TERM $pid
wait $pid
silent
assert_eq 2 "$(value "$FILE" 'nodecanary_discarded_rounds_total{reason="interrupted"}')"

without_raw_sockets true 2>"$TEST_TMP/err" || skip "capabilities cannot be dropped here"

behaviour "a run without privilege is clean"
# shellcheck disable=SC2086 # a command and its arguments
assert_exit 77 without_raw_sockets $NC_WRAP "$NC" -c "$TEST_TMP/x.ini" -o "$FILE"
assert_not_contains "$TEST_TMP/err" '^==[0-9]+=='

done_testing
