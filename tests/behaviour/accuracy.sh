#!/bin/bash
# In a quiet network times, loss, counts and the packets on the wire are exactly as configured and
# simulated.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

# A sanitized program is slow in places; it is not measured by it.
tolerance_ms=0.5
if [ -n "${SANITIZED:-}" ]; then tolerance_ms=5; fi

cat >"$TEST_TMP/plan" <<'PLAN'
10.1.0.1  delay=1ms
10.1.0.2  delay=5ms
10.1.0.3  delay=20ms
10.1.0.4  delay=100ms
fd00:1::1 delay=1ms ttl=61
fd00:1::2 delay=5ms
fd00:1::3 delay=20ms
fd00:1::4 delay=100ms
10.1.0.9  delay=5ms drop=1/5 ttl=50
10.2.0.1  delay=20ms jitter=10ms
fd00:2::1 delay=20ms jitter=10ms
PLAN

cat >"$TEST_TMP/nine.ini" <<'INI'
[collector]
trace = 0
[probe]
count = 10
warmup = 0
interval = 10ms
timeout = 200ms
[peers]
a1 = 10.1.0.1
a5 = 10.1.0.2
a20 = 10.1.0.3
a100 = 10.1.0.4
b1 = fd00:1::1
b5 = fd00:1::2
b20 = fd00:1::3
b100 = fd00:1::4
lossy5 = 10.1.0.9
INI
cat >"$TEST_TMP/nine.map" <<'MAP'
a1 10.1.0.1
a5 10.1.0.2
a20 10.1.0.3
a100 10.1.0.4
b1 fd00:1::1
b5 fd00:1::2
b20 fd00:1::3
b100 fd00:1::4
lossy5 10.1.0.9
MAP

# The series that are off: means, where the delay in ms is at the end of the peer's name, and deviation
# and jitter of constant delays.
series_off() {
	awk -v tolerance="$1" '
		/^nodecanary_rtt_mean_seconds[{]/ {
			match($1, /[0-9]+"[}]$/)
			delay = substr($1, RSTART, RLENGTH - 2)
			error = $NF * 1000 - delay
			n++
			if (error > tolerance || error < -tolerance) print $1
		}
		/^nodecanary_(rtt_stddev|jitter)_seconds[{].*peer="[ab][15]"/ {
			spreads++
			if ($NF < 0 || $NF * 1000 > 2 * tolerance) print $1
		}
		END { if (n != 9 || spreads != 8) print n + 0, "means and", spreads + 0, "spreads" }' \
		"$TEST_TMP/nine.prom" | sort
}

# A busy machine delays single replies at random. What the program does wrong it does wrong each time: so
# a series is off that is off in each of five tries.
behaviour "mean, deviation and jitter of nine peers with constant delays are right within half a millisecond"
for try in 1 2 3 4 5; do
	simnet_start "$TEST_TMP/plan"
	rm -f "$TEST_TMP/nine.prom"
	run_nc 0 -c "$TEST_TMP/nine.ini" -o "$TEST_TMP/nine.prom"
	simnet_stop
	series_off "$tolerance_ms" >off.now
	if [ $try = 1 ]; then cp off.now off; fi
	comm -12 off off.now >off.still
	mv off.still off
	if [ ! -s off ]; then break; fi
	echo "try $try: off are $(tr "\n" " " <off.now), the network was up to $(simnet_count total late_max_ns) ns late"
done
assert_eq "" "$(cat off)" "series that are off each time"

behaviour "one drop of five is a loss ratio of exactly 0.2"
assert_eq 0.2 "$(value nine.prom 'nodecanary_loss_ratio{group="default",peer="lossy5"}')"
assert_eq 8 "$(value nine.prom 'nodecanary_replies_total{group="default",peer="lossy5"}')"
assert_eq 0 "$(value nine.prom 'nodecanary_loss_ratio{group="default",peer="b100"}')"

behaviour "counters equal the network's own counts"
compare_counts nine.prom default nine.map
assert_eq 90 "$(sum nine.prom nodecanary_requests_total)"
assert_eq 0 "$(sum nine.prom nodecanary_unsent_total)"
assert_eq 0 "$(sum nine.prom nodecanary_discarded_rounds_total)"
assert_eq 8 "$(value nine.prom 'nodecanary_rtt_seconds_count{group="default",peer="lossy5"}')"

behaviour "the hop limit is that of the reply"
assert_eq 50 "$(value nine.prom 'nodecanary_reply_hop_limit{group="default",peer="lossy5"}')"
assert_eq 61 "$(value nine.prom 'nodecanary_reply_hop_limit{group="default",peer="b1"}')"
assert_eq 64 "$(value nine.prom 'nodecanary_reply_hop_limit{group="default",peer="a1"}')"

behaviour "nothing is logged when all is well"
assert_eq 0 "$(wc -c <"$TEST_TMP/err")" "bytes on standard error"

behaviour "the network sees the defaults: 56 bytes, TTL 64, no mark"
for address in 10.1.0.1 fd00:1::1; do
	assert_eq 56/64/0 "$(simnet_count $address bytes)/$(simnet_count $address ttl)/$(
		simnet_count $address tos)" "bytes/ttl/tos of $address"
done

# Uniform in 10 to 30 ms: a deviation of 5.8 ms, and 6.7 ms between two of them on average. The
# network draws the same numbers each time.
behaviour "deviation and jitter are those of the network"
simnet_start "$TEST_TMP/plan"
cat >jitter.ini <<'INI'
[collector]
trace = 0
[probe]
count = 40
warmup = 0
interval = 1ms
timeout = 200ms
[peers]
v4 = 10.2.0.1
v6 = fd00:2::1
INI
run_nc 0 -c jitter.ini -o "$TEST_TMP/jitter.prom"
for peer in v4 v6; do
	labels="{group=\"default\",peer=\"$peer\"}"
	assert_between 0.0045 "$(value jitter.prom "nodecanary_rtt_stddev_seconds$labels")" 0.0075
	assert_between 0.0045 "$(value jitter.prom "nodecanary_jitter_seconds$labels")" 0.0095
	assert_between 0.010 "$(value jitter.prom "nodecanary_rtt_min_seconds$labels")" 0.014
	assert_between 0.026 "$(value jitter.prom "nodecanary_rtt_max_seconds$labels")" 0.040
done

behaviour "size, TTL and DSCP are as configured, for each group its own"
cat >marked.ini <<'INI'
[collector]
trace = 0
[probe]
count = 1
warmup = 0
size = 200
ttl = 33
dscp = ef
timeout = 200ms
[probe other]
size = 1000
ttl = 5
dscp = 8
[peers]
v4 = 10.1.0.1
v6 = fd00:1::1
[peers other]
v4 = 10.1.0.2
v6 = fd00:1::2
INI
run_nc 0 -c marked.ini -o "$TEST_TMP/marked.prom"
simnet_stop
assert_eq 4 "$(sum marked.prom nodecanary_replies_total)"
for address in 10.1.0.1 fd00:1::1; do
	assert_eq 200/33/184 "$(simnet_count $address bytes)/$(simnet_count $address ttl)/$(
		simnet_count $address tos)" "bytes/ttl/tos of $address"
done
for address in 10.1.0.2 fd00:1::2; do
	assert_eq 1000/5/32 "$(simnet_count $address bytes)/$(simnet_count $address ttl)/$(
		simnet_count $address tos)" "bytes/ttl/tos of $address"
done

done_testing
