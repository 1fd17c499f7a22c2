#!/bin/bash
# One run at a time works on a file, and a killed run leaves nothing that disturbs the next.
# time-limit: 180
# sandbox: no, it looks at the program from outside

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need setpriv flock strace

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
DOT=$DIR/.x.prom.new
mkdir "$DIR"

# Four rounds that take `interval` each, for a file of several buffers.
write_ini() {
	printf '%s\n' '[collector]' 'deadline = 1h' '[probe]' 'count = 4' 'warmup = 0' \
		"interval = $1" 'timeout = 200ms' '[peers]'
	for ((i = 1; i <= 120; i++)); do echo "p$i = 127.1.0.$i"; done
}

write_ini 60s >"$TEST_TMP/long.ini"
write_ini 10ms >"$TEST_TMP/x.ini"
printf '[peers]\n' >"$TEST_TMP/empty.ini"

# begin COMMAND...: a run that lasts until it is ended, in the background as $pid.
begin() {
	"$@" -c "$TEST_TMP/long.ini" -o "$FILE" 2>"$TEST_TMP/long.err" &
	pid=$!
	wait_until 10 holds_lock
}

# Seen from outside: who tries it takes it, if only for a moment.
holds_lock() { is_flocked "$DOT"; }

is_flocked() {
	grep -Eq "FLOCK +ADVISORY +WRITE [0-9]+ [0-9a-f]+:[0-9a-f]+:$(stat -c %i "$1") " /proc/locks
}

# end SIGNAL STATUS
end() {
	local status=0
	kill -"$1" $pid
	{ wait $pid || status=$?; } 2>/dev/null # bash would tell of it
	assert_eq "$2" "$status" "exit status after SIG$1"
}

runs() { value "$FILE" nodecanary_runs_total; }

run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"

behaviour "a second run for the same file ends with 75 at once and touches nothing"
cp "$FILE" "$TEST_TMP/old"
begin "$NC"
before=$(_uptime_cs)
run_nc 75 -c "$TEST_TMP/x.ini" -o "$FILE"
assert_le $(($(_uptime_cs) - before)) 200 "hundredths of a second"
says 1 "x\.prom: another run is writing it \\(process $pid\\)"
cmp "$TEST_TMP/old" "$FILE"
holds_lock

behaviour "a broken configuration beside a running run ends with 78 and touches nothing"
echo nonsense >"$TEST_TMP/broken.ini"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
cmp "$TEST_TMP/old" "$FILE"
holds_lock

behaviour "runs for another file, and such as publish nothing, do not wait for the lock"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$DIR/y.prom"
run_nc 0 -c "$TEST_TMP/x.ini" -n
run_nc 0 -c "$TEST_TMP/x.ini" -C
rm "$DIR/y.prom"

behaviour "SIGTERM publishes what was measured and frees the lock"
end TERM 0
nothing_beside "$FILE"
assert_eq 2 "$(runs)"
assert_eq 5 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="p1"}')"
assert_eq 3 "$(value "$FILE" 'nodecanary_discarded_rounds_total{reason="interrupted"}')"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent

behaviour "after SIGKILL the old file is there, and the next run goes on and cleans up"
cp "$FILE" "$TEST_TMP/old"
begin "$NC"
end KILL 137
cmp "$TEST_TMP/old" "$FILE"
nothing_beside "$FILE" .x.prom.new
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
nothing_beside "$FILE"
assert_eq 4 "$(runs)"

behaviour "the dot-file is no .prom, and nobody else may open it"
begin "$NC"
assert_eq 600 "$(stat -c %a "$DOT")"
assert_not_contains <(ls -A "$DIR") '^\..*\.prom$'
end KILL 137

# A kill on entry to the system call, so that what precedes it is all that happened.
behaviour "a run that is killed at any step of publishing leaves the old or the new file whole"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
# A leak checker traces by itself, and does not like to be traced.
export ASAN_OPTIONS=detect_leaks=0
strace -o "$TEST_TMP/trace" -e trace=openat,flock,write,fchmod,fsync,renameat2,newfstatat,close \
	"$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err" || skip "strace may not trace"
steps=0
while read -r n call; do
	# By name and count: other threads and libraries would shift a plain number.
	for ((i = 1; i <= n; i++)); do
		before=$(runs)
		{
			strace -o "$TEST_TMP/trace" -e trace="$call" -e inject="$call:signal=KILL:when=$i" \
				"$NC" -c "$TEST_TMP/x.ini" -o "$FILE" || true
		} 2>/dev/null
		assert_file_contains "$TEST_TMP/trace" '\+\+\+ killed by SIGKILL'
		assert_between "$before" "$(runs)" $((before + 1)) "runs after a kill at $call $i"
		before=$(runs)
		run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
		silent
		assert_eq $((before + 1)) "$(runs)" "runs after a kill at $call $i and a run"
		nothing_beside "$FILE"
		steps=$((steps + 1))
	done
done < <(awk -F'(' '/x\.prom|write\([0-9]|fchmod|fsync|flock/ { print $1 }' "$TEST_TMP/trace" |
	sort | uniq -c | awk '$2 != "close" && $2 != "newfstatat"')
assert_le 8 "$steps" "steps"
unset ASAN_OPTIONS

behaviour "a left-over of another kind is replaced, and a link is not followed"
echo precious >"$TEST_TMP/elsewhere"
ln -s "$TEST_TMP/elsewhere" "$DOT"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq precious "$(cat "$TEST_TMP/elsewhere")"
assert_eq 'regular file' "$(stat -c %F "$FILE")"
mkfifo "$DOT"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
nothing_beside "$FILE"
ln "$TEST_TMP/elsewhere" "$DOT"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq precious "$(cat "$TEST_TMP/elsewhere")"

behaviour "many runs at once: one publishes, the others end with 75, and nothing is left"
rm "$FILE"
pids=() published=0
for ((i = 0; i < 12; i++)); do
	"$NC" -q -c "$TEST_TMP/x.ini" -o "$FILE" 2>>"$TEST_TMP/many.err" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	status=0
	wait "$pid" || status=$?
	case $status in
	0) published=$((published + 1)) ;;
	75) ;;
	*) fail "exit status $status; $(cat "$TEST_TMP/many.err")" ;;
	esac
done
assert_le 1 "$published" "runs that published"
assert_eq "$published" "$(runs)"
nothing_beside "$FILE"

as_user 4242 true 2>"$TEST_TMP/err" || skip "no other users here: what root leaves to them"

# A place that other users reach, with all that they need.
mount -t tmpfs -o mode=755 shared /mnt
cp "$NC" /mnt/nodecanary
cp "$TEST_TMP/empty.ini" /mnt/
DIR=/mnt/textfiles FILE=/mnt/textfiles/x.prom DOT=/mnt/textfiles/.x.prom.new
mkdir "$DIR"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"

behaviour "nobody else can keep a run from its file by holding what they can open"
for held in "$FILE" "$DIR"; do
	as_user 4243 flock --no-fork "$held" sleep 60 &
	pid=$!
	wait_until 5 is_flocked "$held"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	silent
	end KILL 137
done
begin "$NC"
assert_exit 66 as_user 4243 flock --nonblock "$DOT" true
end KILL 137

behaviour "what a run by root leaves, published or killed, the directory's owner can replace"
chown 4242:4242 "$DIR"
rm -f "$FILE" "$DOT"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
assert_eq 4242:4242 "$(stat -c %u:%g "$FILE")"
begin "$NC"
assert_eq 4242:4242:600 "$(stat -c %u:%g:%a "$DOT")"
end KILL 137
assert_exit 0 as_user 4242 /mnt/nodecanary -c /mnt/empty.ini -o "$FILE"
silent
nothing_beside "$FILE"
assert_eq 2 "$(runs)"

behaviour "the same holds where the directory is root's and its group may write"
chown 0:4242 "$DIR"
chmod 775 "$DIR"
rm -f "$FILE" "$DOT"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
begin "$NC"
end KILL 137
assert_exit 0 as_user 4242 /mnt/nodecanary -c /mnt/empty.ini -o "$FILE"
silent
nothing_beside "$FILE"
assert_eq 2 "$(runs)"

done_testing
