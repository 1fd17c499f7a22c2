#!/bin/bash
# A run killed at any of its system calls leaves a whole file, and the next run goes on from it.
# (That a stopped and continued run loses nothing is stopped-process.sh.) FULL=1: the next run after
# each of them, and a thousand kills at random moments.
# time-limit: 900
# sandbox: no, strace would run within it
# sanitizers: no, they make calls of their own

# shellcheck source-path=SCRIPTDIR source=short-run-lib.sh
. "$(dirname "$0")/short-run-lib.sh"

short_run_init
calls >"$TEST_TMP/calls"

# at_each_call SIGNAL CHECK: runs, with SIGNAL on entry of each call; CHECK judges. The next run is
# tried where this one has left a trace, and otherwise it is the next one with a signal.
at_each_call() {
	local name count n what
	struck=0
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			is_chosen "$n" "$count" || continue
			what="SIG$1 at $name $n"
			traced "$name:signal=$1:when=$n"
			whole_file "$what"
			"$2" "$what"
			if [ "${FULL:-0}" = 1 ] || [ "$more" -gt 0 ] || [ -e "$DOT" ]; then goes_on "$what"; fi
			struck=$((struck + 1))
		done
	done <"$TEST_TMP/calls"
	echo "SIG$1: $struck calls"
}

# A killed child is just a name that cannot be looked up, which is told.
# shellcheck disable=SC2317 # at_each_call calls it
was_killed() {
	[ "$status" = 137 ] || [ "$status" = 0 ] || fail "$1: exit status $status; $(_show "$TEST_TMP/err")"
	! grep -v 'cannot resolve .named.test.' "$TEST_TMP/err" || fail "$1: $(cat "$TEST_TMP/err")"
	killed=$((killed + (status == 137)))
}

behaviour "a run killed at any of its system calls leaves a whole file, and the next one goes on"
killed=0
at_each_call KILL was_killed
echo "$killed killed"
assert_le $((100 / STRIDE)) "$killed" "runs that were killed"

# Until the signal is blocked nothing has been made that would have to be removed.
# shellcheck disable=SC2317 # at_each_call calls it
ended_cleanly() {
	alone "$1"
	case $status in
	0) ended=$((ended + 1)) ;;
	143) [ "$more" = 0 ] || fail "$1: published, but status 143" ;;
	*) fail "$1: exit status $status; $(_show "$TEST_TMP/err")" ;;
	esac
	! grep -v 'cannot resolve .named.test.' "$TEST_TMP/err" || fail "$1: $(cat "$TEST_TMP/err")"
}

behaviour "SIGTERM at any of its system calls ends it, leaves nothing beside the file, and no noise"
ended=0
at_each_call TERM ended_cleanly
echo "$ended ended with status 0"
assert_le $((60 / STRIDE)) "$ended" "runs that ended with status 0"

# pause MS: without a process.
pause() { read -r -t "0.$(printf %03d "$1")" <&8 || true; }

# start: a run in the background; its messages come together, as each is a single write.
start() {
	"$NC" -c "$INI" -o "$FILE" 2>>"$TEST_TMP/err" &
	pids+=($!)
}

# finish PID: its status is one of a killed, a refused or a complete run.
finish() {
	local status=0
	{ wait "$1" || status=$?; } 2>/dev/null
	[[ $status = @(0|75|137) ]] || fail "exit status $status; $(_show "$TEST_TMP/err")"
	kills=$((kills + (status == 137)))
}

behaviour "runs that overlap and are killed at random moments leave a whole file, and the next one goes on"
wanted=$([ "${FULL:-0}" = 1 ] && echo 1000 || echo $((180 / STRIDE)))
seed=${SEED:-$RANDOM}
echo "SEED=$seed"
RANDOM=$seed
sed -i 's/^count = 1/count = 3/; s/^interval = 1ms/interval = 10ms/' "$INI"
mkfifo "$TEST_TMP/silence"
exec 8<>"$TEST_TMP/silence"
: >"$TEST_TMP/err"
kills=0 rounds=0 published=0
while ((kills < wanted && rounds++ < wanted * 3)); do
	pids=()
	exec 9<"$FILE"
	# Every fourth time late, where they publish.
	start
	pause $((RANDOM % (rounds % 4 ? 8 : 30)))
	start
	pause $((RANDOM % (rounds % 4 ? 16 : 40)))
	{ kill -KILL "${pids[@]}" || true; } 2>/dev/null
	for pid in "${pids[@]}"; do finish "$pid"; done
	if ! [ /dev/fd/9 -ef "$FILE" ]; then
		counters_go_on /dev/fd/9 "round $rounds"
		assert_between 1 "$more" 2 "round $rounds: runs more"
		published=$((published + more))
	fi
	! grep -v ': another run is writing it\( (process [0-9]*)\)\?$' "$TEST_TMP/err" >"$TEST_TMP/noise" ||
		fail "round $rounds: $(cat "$TEST_TMP/noise")"
	: >"$TEST_TMP/err"
	if ((rounds % 10 == 0)); then goes_on "round $rounds"; fi
done
goes_on "all rounds"
echo "$kills kills in $rounds rounds, $published runs published"
assert_le "$wanted" "$kills" "kills"
assert_le 1 "$published" "runs that published"

done_testing
