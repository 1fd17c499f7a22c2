#!/bin/bash
# A round in which the wall clock steps is discarded, and no other.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

RANDOM=${SEED:=$(($(date +%s) % 32768))}
echo "seed $SEED"
hour_ms=3600000 rounds=8

# A silent peer makes each round last its timeout, so nearly all the time there is a round under
# way; the others answer all through the first 120 ms of it, so some of them after the jump.
cat >x.ini <<INI
[collector]
trace = 0
[probe]
count = $rounds
warmup = 0
interval = 1ms
timeout = 150ms
[peers]
silent = 10.9.0.1
INI
add_peers x.ini x.map a 10.1 20
add_peers x.ini x.map b fd00:1:: 20
simnet_start - -s "$SEED" <<'PLAN'
10.1.0.1-10.1.0.20     delay=60ms jitter=59ms
fd00:1::1-fd00:1::20   delay=60ms jitter=59ms
PLAN

# jump AT_MS BY_MS: a run of its own file x.prom; what the network saw meanwhile is in $requests.
jump() {
	local before
	simnet_stats
	before=$(simnet_count total requests)
	rm -f x.prom
	# What is preloaded comes before the sanitizer's library.
	NC_WRAP="env LD_PRELOAD=$TOOLS/clock_shim.so CLOCK_SHIM_AT_MS=$1 CLOCK_SHIM_BY_MS=$2
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
		run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	simnet_stats
	requests=$(($(simnet_count total requests) - before))
}

void_rounds() { value x.prom "nodecanary_discarded_rounds_total{reason=\"$1\"}"; }

# check DISCARDED: that many discarded rounds of both families, all others exact, and no time
# beyond the timeout.
check() {
	local measured=$((rounds - $1))
	assert_eq $((2 * $1)) "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
	assert_eq $((2 * $1)) "$(void_rounds clock_step)" "of these, for a step of the clock"
	assert_eq $((41 * rounds)) "$requests" "requests that the network saw"
	assert_eq $((41 * measured)) "$(sum x.prom nodecanary_requests_total)" "requests"
	assert_eq $((40 * measured)) "$(sum x.prom nodecanary_replies_total)" "replies"
	assert_eq 0 "$(sum x.prom nodecanary_unsent_total)" "unsent"
	assert_eq 40 "$(sum x.prom nodecanary_peer_up)" "peers that are up"
	awk '/^nodecanary_rtt_(min|mean|max)_seconds/ && ($NF <= 0.0009 || $NF > 0.15) { print }' \
		x.prom >wrong
	assert_eq "" "$(cat wrong)" "impossible times"
	assert_between 1.2 "$(value x.prom nodecanary_last_run_duration_seconds)" 2.2 "seconds"
}

behaviour "without a jump no round is discarded"
jump 600000 $hour_ms
check 0

for by in $hour_ms -$hour_ms; do
	behaviour "a jump of $by ms in mid-run discards one round only, and the run ends in time"
	for try in 1 2 3; do
		at=$((300 + RANDOM % 600))
		jump $at "$by"
		echo "try $try: jump after $at ms"
		# It may fall between two rounds, or where the run has not begun or has ended.
		if [ "$(void_rounds clock_step)" != 0 ]; then break; fi
		check 0
	done
	check 1

	behaviour "the file's time is the clock's after a jump of $by ms"
	assert_between $((by / 1000 - 60)) "$(($(value x.prom \
		nodecanary_last_run_timestamp_seconds | cut -d. -f1) - $(date +%s)))" $((by / 1000 + 60))
done

# 1 ms is what clocks may disagree by.
behaviour "a jump of a tenth of a second discards its round too"
for try in 1 2 3; do
	at=$((300 + RANDOM % 600))
	jump $at 100
	echo "try $try: jump after $at ms"
	if [ "$(void_rounds clock_step)" != 0 ]; then break; fi
done
check 1

behaviour "counters go on over runs with jumps"
before=$(sum x.prom nodecanary_requests_total)
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq $((before + 41 * rounds)) "$(sum x.prom nodecanary_requests_total)"
assert_eq 2 "$(void_rounds clock_step)"

done_testing
