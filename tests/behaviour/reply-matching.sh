#!/bin/bash
# Of 3,000 peers, every second one unresponsive, no peer gets the reply of another.
# time-limit: 240
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip fping

runs=10 peers=1500 # of each family

# Every second address of either family, and others for fping, answer.
awk -v n=$peers 'BEGIN {
	for (i = 1; i <= n; i += 2) {
		printf "10.1.%d.%d delay=50ms\n", int(i / 256), i % 256
		printf "fd00:1::%x delay=50ms\n", i
		printf "10.2.%d.%d delay=50ms\n", int(i / 256), i % 256
		printf "fd00:2::%x delay=50ms\n", i
	}
}' >plan
cat >x.ini <<'INI'
[collector]
trace = 0
[probe]
count = 1
warmup = 0
timeout = 400ms
[peers]
INI
add_peers x.ini x.map a 10.1 $peers
add_peers x.ini x.map b fd00:1:: $peers
add_peers /dev/null fping.map c 10.2 $peers
add_peers /dev/null fping.map d fd00:2:: $peers
awk '{ print $2 }' fping.map | sort >fping.addresses

# Names that are even are unresponsive. Prints whatever gauge is wrong.
wrong_gauges() {
	awk -v peers=$((2 * peers)) '
		/^nodecanary_peer_up[{]/ {
			n++
			match($1, /[0-9]+"[}]$/)
			if ($NF != substr($1, RSTART, RLENGTH - 2) % 2) print
		}
		END { if (n != peers) print n + 0, "gauges instead of", peers }' "$1" | head -n 5
}

# ten_runs FILE: each run's gauges are checked, the counters add up.
ten_runs() {
	local i
	for ((i = 1; i <= runs; i++)); do
		run_nc 0 -c x.ini -o "$TEST_TMP/$1"
		assert_eq "" "$(wrong_gauges "$1")" "wrong gauges in run $i"
	done
	simnet_stop
	compare_counts "$1" default x.map
	assert_eq $((2 * peers * runs)) "$(sum "$1" nodecanary_requests_total)" "requests"
	assert_eq $((peers * runs)) "$(sum "$1" nodecanary_replies_total)" "replies"
	assert_eq 0 "$(sum "$1" nodecanary_discarded_rounds_total)" "discarded rounds"
	assert_eq $runs "$(value "$1" nodecanary_runs_total)" "runs"
}

behaviour "in ten runs out of ten no unresponsive peer of 3,000 is up and no responsive one down"
simnet_start plan
ten_runs alone.prom

behaviour "the same beside an fping to 3,000 other addresses"
simnet_start plan
fping -q -l -i 0.1 -p 500 -t 400 <fping.addresses >fping.out 2>&1 &
fping=$!
wait_until 10 packets_reach rx 100
ten_runs beside.prom
kill -0 $fping || fail "fping ended too soon: $(tail -n 3 fping.out)"
assert_le 100 "$(awk '/^10\.2\./ { sub(/.*requests=/, ""); n += $1 } END { print n + 0 }' \
	"$SIMNET_STATS")" "fping's requests"

done_testing
