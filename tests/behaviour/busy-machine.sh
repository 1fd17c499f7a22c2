#!/bin/bash
# On a busy machine no peer that answers is reported to lose packets.
# alone: it makes the machine busy itself
# sandbox: no, it measures CPU

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip timeout

peers=1000 runs=3
FILE=$TEST_TMP/x.prom

cat >x.ini <<'INI'
[probe]
count = 5
warmup = 0
interval = 1ms
[peers]
INI
add_peers x.ini x.map p 10.1 $peers

# Two on each core, for as long as the test lasts, and no longer than that.
load() {
	local i
	for ((i = 0; i < 2 * $(nproc); i++)); do
		timeout 60 bash -c 'while :; do :; done' &
	done
}

# spinning: all of them have been running.
# shellcheck disable=SC2317 # wait_until calls it
spinning() {
	local ticks
	ticks=$(for stat in /proc/[0-9]*/stat; do awk '{ print $14 }' "$stat" 2>/dev/null; done |
		awk '$1 > 10' | wc -l)
	[ "$ticks" -ge $((2 * $(nproc))) ]
}

simnet_start - <<<'10.1.0.0-10.1.3.255 delay=20ms'
load
wait_until 20 spinning

# Where the network itself starves, its late answers are lost indeed.
nothing_lost() {
	local lost=$((requests - $(sum "$FILE" nodecanary_replies_total)))
	if [ "$lost" = 0 ]; then return; fi
	simnet_stats
	[ "$(simnet_count total late_max_ns)" -lt 900000000 ] || skip "the network has too little CPU"
	fail "$lost of $requests requests lost"
}

# What the kernel dropped, or came when the process could not look in time, discards its round,
# which is counted, and whose results are not published.
behaviour "with all cores busy nothing is lost that was answered, or its round is discarded and counted"
for ((i = 1; i <= runs; i++)); do
	run_nc 0 -c x.ini -o "$FILE"
	requests=$(sum "$FILE" nodecanary_requests_total)
	discarded=$(sum "$FILE" nodecanary_discarded_rounds_total)
	drops=$(value "$FILE" nodecanary_receive_drops_total)
	echo "run $i: $requests requests counted, $discarded discarded rounds, $drops receive drops"
	nothing_lost
	assert_eq $((i * 5 * peers)) \
		$((requests + discarded * peers + $(sum "$FILE" nodecanary_unsent_total))) \
		"requests counted, unsent or in discarded rounds"
	if [ "$drops" -gt 0 ]; then
		assert_le 1 "$(value "$FILE" 'nodecanary_discarded_rounds_total{reason="receive_drops"}')"
	fi
done

behaviour "most rounds are measured all the same"
assert_le $((runs * 5 * peers / 2)) "$requests" "requests"

# A discarded round may have been cut short.
behaviour "the network saw every request that is counted, and answered it"
simnet_stop
assert_between "$requests" "$(simnet_count total requests)" $((requests + discarded * peers)) "requests"
assert_eq "$(simnet_count total requests)" "$(simnet_count total replies)" "replies"
echo "the network was at most $(simnet_count total late_max_ns) ns late"
done_testing
