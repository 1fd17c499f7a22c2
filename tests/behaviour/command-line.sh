#!/bin/bash
# Options, exit statuses, and what is printed where.
# shellcheck disable=SC2016 # backquotes of messages

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need promtool

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
mkdir "$DIR"
cat >"$TEST_TMP/x.ini" <<INI
[collector]
textfile = $FILE
[probe]
count = 3
warmup = 1
interval = 1ms
timeout = 200ms
[peers]
a = 127.1.0.1
b = 127.1.0.2
INI
ip route add prohibit 192.0.2.0/24
{
	cat "$TEST_TMP/x.ini"
	echo 'down = 192.0.2.1'
} >"$TEST_TMP/down.ini"

behaviour "usage errors end with 64 and one line that names --help"
while read -r line; do
	# shellcheck disable=SC2086 # options and arguments
	run_nc 64 $line
	says 1 'nodecanary --help'
	assert_eq 0 "$(stat -c %s "$TEST_TMP/out")" "bytes on standard output"
done <<'LINES'
-x
--bogus
--config
-c
-o
-d
peer1
-t peer1
-o x.txt
-q -v
-C -l
-l -C
--check=yes
LINES

behaviour "--help fits a screen of 24 lines and 80 columns, and names every option"
for option in -h --help; do
	run_nc 0 $option
	assert_le "$(wc -l <"$TEST_TMP/out")" 24 lines
	assert_le "$(awk '{ if (length > n) n = length } END { print n }' "$TEST_TMP/out")" 80 columns
done
for option in -c,\ --config -d,\ --drop-ins -o,\ --output -n,\ --dry-run -t,\ --table -C,\ --check \
	-l,\ --list-peers -q,\ --quiet -v,\ --verbose -V,\ --version -h,\ --help; do
	assert_file_contains "$TEST_TMP/out" "^  $option "
done
for status in 0 64 71 73 75 77 78; do assert_file_contains "$TEST_TMP/out" "\b$status\b"; done

behaviour "--version prints one line"
for option in -V --version; do
	run_nc 0 $option
	assert_eq "nodecanary $(cat "$TOP/VERSION")" "$(cat "$TEST_TMP/out")"
done

behaviour "what cannot be printed is an error"
for option in -h -V "-C -c $TEST_TMP/x.ini" "-l -c $TEST_TMP/x.ini" "-c $TEST_TMP/x.ini -o -" \
	"-n -t -c $TEST_TMP/x.ini"; do
	status=0
	# shellcheck disable=SC2086 # options and arguments
	"$NC" $option >/dev/full 2>"$TEST_TMP/err" || status=$?
	assert_eq 73 "$status" "exit status of $option"
	says 1 'standard output'
done

behaviour "what nobody gets, because standard output is closed, is an error; a run that prints nothing goes on"
for option in -h -V "-C -c $TEST_TMP/x.ini" "-l -c $TEST_TMP/x.ini" "-c $TEST_TMP/x.ini -o -" \
	"-n -t -c $TEST_TMP/x.ini"; do
	status=0
	# shellcheck disable=SC2086 # options and arguments
	"$NC" $option >&- 2>"$TEST_TMP/err" || status=$?
	assert_eq 73 "$status" "exit status of $option"
	says 1 'standard output: Bad file descriptor'
done
"$NC" -c "$TEST_TMP/x.ini" <&- >&- 2>"$TEST_TMP/err"
[ ! -s "$TEST_TMP/err" ] || fail "$(_show "$TEST_TMP/err")"
clean_metrics "$FILE"
rm "$FILE"

behaviour "a run says 20 mistakes and how many more there are; --check says all"
{
	printf '%s\n' '[probe]' 'family = ipv6' '[peers]'
	for ((i = 0; i < 1200; i++)); do echo "p$i = 10.0.$((i / 256)).$((i % 256))"; done
} >"$TEST_TMP/many.ini"
run_nc 78 -c "$TEST_TMP/many.ini" -o "$FILE"
says 21 'no ipv6 address'
assert_eq 'nodecanary: and 1,180 more; `nodecanary --check` prints all' "$(tail -n 1 "$TEST_TMP/err")"
run_nc 78 -C -c "$TEST_TMP/many.ini"
says 1200 'no ipv6 address'
rm "$FILE"

behaviour "a run that went well is silent and publishes to textfile"
run_nc 0 -c "$TEST_TMP/x.ini"
silent
nothing_beside "$FILE"
assert_eq 3 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="a"}')"

behaviour "-o FILE publishes there, and the configured file stays as it is"
cp "$FILE" "$TEST_TMP/old"
run_nc 0 --config="$TEST_TMP/x.ini" --output="$TEST_TMP/y.prom"
silent
cmp "$TEST_TMP/old" "$FILE"
assert_eq 1 "$(value "$TEST_TMP/y.prom" nodecanary_runs_total)"

behaviour "-o - prints the file to standard output, and publishes nothing"
run_nc 0 -c "$TEST_TMP/x.ini" -o -
clean_metrics "$TEST_TMP/out"
assert_eq 1 "$(value "$TEST_TMP/out" 'nodecanary_peer_up{group="default",peer="b"}')"
assert_file_contains "$TEST_TMP/out" '^# nodecanary-state 1 end '
assert_eq 0 "$(stat -c %s "$TEST_TMP/err")" "bytes on standard error"
cmp "$TEST_TMP/old" "$FILE"
nothing_beside "$FILE"

behaviour "-n pings and publishes nothing, and wants no place to publish"
sed "s|$FILE|$TEST_TMP/missing/x.prom|" "$TEST_TMP/x.ini" >"$TEST_TMP/n.ini"
for option in -n --dry-run "-n -o -" "-n -o $TEST_TMP/missing/y.prom"; do
	packets=$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)
	# shellcheck disable=SC2086 # options and arguments
	run_nc 0 -c "$TEST_TMP/n.ini" $option
	silent
	assert_eq 16 $(($(awk '$1 == "lo:" { print $3 }' /proc/net/dev) - packets)) "packets"
done
run_nc 0 -n -c "$TEST_TMP/x.ini"
cmp "$TEST_TMP/old" "$FILE"
nothing_beside "$FILE"

behaviour "-t prints a table of what was measured"
for option in -t --table "-n -t"; do
	# shellcheck disable=SC2086 # options and arguments
	run_nc 0 $option -c "$TEST_TMP/down.ini"
	says 1 'could not be sent: Permission denied'
	assert_eq 4 "$(wc -l <"$TEST_TMP/out")" lines
	assert_file_contains "$TEST_TMP/out" \
		'^peer +address +sent +replies +loss% +min ms +mean ms +max ms +stddev'
	assert_file_contains "$TEST_TMP/out" \
		'^a +127\.1\.0\.1 +3 +3 +0\.0( +[0-9]+\.[0-9]{3}){4}$'
	assert_file_contains "$TEST_TMP/out" '^down +192\.0\.2\.1 +0 +0 +-( +-){4}.*3 unsent  not_permitted$'
	assert_not_contains "$TEST_TMP/out" $'\033'
done

behaviour "-q is silent about what is no error, and still says errors"
run_nc 0 -q -c "$TEST_TMP/down.ini"
silent
run_nc 73 --quiet -c "$TEST_TMP/x.ini" -o "$TEST_TMP/missing/y.prom"
says 1 'No such file'

behaviour "-v says more"
sed 's/^timeout/buckets = 1s\ntimeout/' "$TEST_TMP/x.ini" >"$TEST_TMP/buckets.ini"
run_nc 0 -v -c "$TEST_TMP/buckets.ini"
says 2 'other buckets'
assert_file_contains "$TEST_TMP/err" 'confined by Landlock'
run_nc 0 --verbose -c "$TEST_TMP/x.ini"
says 2 'other buckets'
run_nc 0 -c "$TEST_TMP/buckets.ini"
silent

behaviour "-l prints whom this node would ping, and of the others why not"
echo 'hosts: files' >"$TEST_TMP/nsswitch.conf"
echo '127.1.0.9 here.test' >"$TEST_TMP/hosts"
for file in nsswitch.conf hosts; do mount --bind "$TEST_TMP/$file" "/etc/$file"; done
cat >"$TEST_TMP/list.ini" <<'INI'
[collector]
self = me
[probe theirs]
members_only = yes
[peers]
me = 127.1.0.1
other = 127.1.0.2
here.test =
nowhere.invalid =
[peers theirs]
x = 127.1.0.3
INI
packets=$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)
for option in -l --list-peers; do
	run_nc 0 $option -c "$TEST_TMP/list.ini"
	assert_eq 'default here.test probed
default me self
default nowhere.invalid unresolved
default other probed
theirs x unselected
group default: this node is me: `self` names it
group theirs: this node is not among the peers: no peer has the name or an address of this host' \
		"$(awk '/^group .*:/ { print; next } NR > 1 { print $1, $2, $NF }' "$TEST_TMP/out")"
	says 1 'cannot resolve .nowhere\.invalid.: no such name'
done
assert_eq "$packets" "$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)" "packets"

behaviour "-d DIR stands in for the directory of drop-ins, whose files are read in order"
mkdir "$TEST_TMP/x.ini.d" "$TEST_TMP/drop"
echo nonsense >"$TEST_TMP/x.ini.d/a.ini"
printf '[peers]\nc = 127.1.0.3\n' >"$TEST_TMP/drop/20.ini"
printf '[peers]\nd = 127.1.0.4\n' >"$TEST_TMP/drop/10.ini"
echo nonsense >"$TEST_TMP/drop/note.txt"
echo nonsense >"$TEST_TMP/drop/.hidden.ini"
run_nc 78 -C -c "$TEST_TMP/x.ini"
says 1 'x\.ini\.d/a\.ini:1: '
for option in -d --drop-ins; do
	run_nc 0 -C -c "$TEST_TMP/x.ini" $option "$TEST_TMP/drop"
	assert_eq "file $TEST_TMP/x.ini
file $TEST_TMP/drop/10.ini
file $TEST_TMP/drop/20.ini" "$(grep '^file' "$TEST_TMP/out")"
	assert_file_contains "$TEST_TMP/out" '^1 groups, 4 peers, 76 packets per run, '
done
run_nc 0 -l -c "$TEST_TMP/x.ini" -d "$TEST_TMP/drop"
assert_eq 5 "$(grep -vc '^group .*:' "$TEST_TMP/out")" lines
run_nc 0 -c "$TEST_TMP/x.ini" -d "$TEST_TMP/drop" -o -
assert_eq 1 "$(value "$TEST_TMP/out" 'nodecanary_peer_up{group="default",peer="d"}')"
run_nc 78 -C -c "$TEST_TMP/x.ini" -d "$TEST_TMP/nowhere"
says 1 'nowhere: .*No such file or directory'
printf '[peers]\nc = 127.1.0.9\n' >"$TEST_TMP/drop/30.ini"
run_nc 78 -C -c "$TEST_TMP/x.ini" -d "$TEST_TMP/drop"
says 1 '^nodecanary: .*/drop/30\.ini:2: peer .c.: already in group .default. at .*/drop/20\.ini:2$'

is_sanitized && skip "no preloading with a sanitizer: system errors"

# fault CALL: a run in which it fails.
fault() {
	run=$(value "$FILE" nodecanary_runs_total)
	assert_exit "$2" env FAULT_SHIM="$1" LD_PRELOAD="$TOOLS/fault_shim.so" \
		"$NC" -c "$TEST_TMP/buckets.ini" -o "$FILE"
	says 1 '^nodecanary: '
	assert_eq "$run" "$(value "$FILE" nodecanary_runs_total)" "runs"
	nothing_beside "$FILE"
}

behaviour "a system error ends with 71, and one after the target is known is published"
run_nc 0 -c "$TEST_TMP/buckets.ini"
fault signalfd:1:EMFILE 71
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
clean_metrics "$FILE"
fault getrandom:1+:EIO 71
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
clean_metrics "$FILE"

behaviour "an error of the disk ends with 73, and the old file stays"
for call in write:1:EIO fsync:1:EIO fchmod:1:EPERM renameat2:1:EIO openat:1:EACCES; do
	cp "$FILE" "$TEST_TMP/old"
	fault $call 73
	cmp "$TEST_TMP/old" "$FILE"
done

behaviour "a file system that cannot sync a directory is no error"
for error in EINVAL EBADF; do
	assert_exit 0 env FAULT_SHIM=fsync:2:$error LD_PRELOAD="$TOOLS/fault_shim.so" \
		"$NC" -c "$TEST_TMP/buckets.ini" -o "$FILE"
	silent
done
assert_exit 73 env FAULT_SHIM=fsync:2:EIO LD_PRELOAD="$TOOLS/fault_shim.so" \
	"$NC" -c "$TEST_TMP/buckets.ini" -o "$FILE"
says 1 'cannot fsync the directory: Input/output error'

behaviour "a write that writes half of it is gone on with"
assert_exit 0 env FAULT_SHIM=write:1:SHORT LD_PRELOAD="$TOOLS/fault_shim.so" \
	"$NC" -c "$TEST_TMP/buckets.ini" -o "$FILE"
silent
run_nc 0 -c "$TEST_TMP/buckets.ini"
silent

done_testing
