#!/bin/bash
# With 10,000 peers, every second one unresponsive, every count is the network's.
# time-limit: 60
# alone: replies must come in their time
# sandbox: no, it measures CPU

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

# Times are not compared: on a busy machine requests leave faster than the one process that is the network
# answers, and wait in its device.
peers=10000 rounds=3 tries=3
FILE=$TEST_TMP/x.prom

awk -v n=$peers 'BEGIN {
	for (i = 1; i <= n; i += 2) printf "10.1.%d.%d delay=20ms\n", int(i / 256), i % 256
}' >plan
cat >x.ini <<INI
[collector]
trace = 0
deadline = 10s
[probe]
count = $rounds
warmup = 0
interval = 1ms
timeout = 1s
[peers]
INI
add_peers x.ini x.map p 10.1 $peers

# wrong_verdicts: gauges of the peers; those whose names are even are unresponsive.
wrong_verdicts() {
	awk -v peers=$peers '
		/^nodecanary_(peer_up|loss_ratio)[{]/ {
			n++
			match($1, /[0-9]+"[}]$/)
			alive = substr($1, RSTART, RLENGTH - 2) % 2
			if ($NF != (/^nodecanary_peer_up/ ? alive : 1 - alive)) print
		}
		END { if (n != 2 * peers) print n + 0, "gauges instead of", 2 * peers }' "$FILE" | head -n 5
}

discarded() { sum "$FILE" nodecanary_discarded_rounds_total; }

# A machine that stands still for long makes the run discard rounds, as it should; then it is tried again, and
# what the other rounds say must be right all the same. The network's own answers may be late then.
behaviour "no responsive peer of 10,000 loses a request and no unresponsive one is up"
for ((try = 1; try <= tries; try++)); do
	simnet_start plan
	rm -f "$FILE"
	run_nc 0 -c x.ini -o "$FILE"
	simnet_stop
	late_ns=$(simnet_count total late_max_ns)
	echo "try $try: $(discarded) discarded rounds, the network at most $late_ns ns late"
	if [ "$late_ns" -gt 900000000 ]; then continue; fi
	assert_eq "" "$(wrong_verdicts)" "wrong gauges"
	assert_eq "$(sum "$FILE" nodecanary_requests_total)" \
		"$(awk -v r="$(sum "$FILE" nodecanary_replies_total)" 'BEGIN { print 2 * r }')" \
		"twice the replies"
	if [ "$(discarded)" = 0 ]; then break; fi
done

behaviour "requests and replies of each of 10,000 peers are exactly the network's"
[ $try -le $tries ] || fail "the machine stood still in each of $tries runs"
compare_counts "$FILE" default x.map
assert_eq $((peers * rounds)) "$(sum "$FILE" nodecanary_requests_total)" "requests"
assert_eq $((peers * rounds / 2)) "$(sum "$FILE" nodecanary_replies_total)" "replies"
assert_eq 0 "$(sum "$FILE" nodecanary_unsent_total)" "unsent requests"
assert_eq 0 "$(value "$FILE" nodecanary_receive_drops_total)" "receive drops"

behaviour "the run measures all its rounds before its deadline of 10 s"
assert_le "$(value "$FILE" nodecanary_last_run_duration_seconds)" 10 "seconds"
assert_eq 0 "$(value "$FILE" 'nodecanary_discarded_rounds_total{reason="deadline"}')"
done_testing
