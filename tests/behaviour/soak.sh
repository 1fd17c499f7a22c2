#!/bin/bash
# Over many runs with peers that come, go and fail at random every request is accounted for.
# SOAK_RUNS is the number of runs (60), SEED repeats one.
# time-limit: 3600
# alone: replies must come in their time
# sandbox: no, it looks at the program from outside

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need python3

runs=${SOAK_RUNS:-60}
if is_sanitized; then runs=$((runs / 4)); fi
SEED=${SEED:-$RANDOM}
echo "SEED=$SEED, $runs runs"
python3 "$TOP/tests/behaviour/soak.py" plan "$SEED" "$runs" >soak.plan
simnet_start soak.plan

behaviour "over runs with peers that come, go, die and heal, the counters are the network's own"
python3 "$TOP/tests/behaviour/soak.py" run "$SEED" "$runs" "$NC" "$SIMNET_PID" "$SIMNET_STATS" >log || {
	tail -n 20 log
	fail "soak.py: status $?"
}
cat log

behaviour "no run had anything to say"
[ ! -s messages ] || fail "$(_show messages)"

behaviour "nothing is left beside the file"
nothing_beside "$PWD/out/x.prom"

is_sanitized && done_testing

behaviour "memory and file are as large at the end as at the beginning"
# shellcheck disable=SC2046 # four numbers
read -r first last early late <<<"$(sed -n 's/^kB: //p; s/^bytes: //p' log | tr '\n' ' ')"
assert_le "$last" $((first + 64)) "kB"
assert_le "$late" $((early + early / 20)) "bytes of a file of all peers"
done_testing
