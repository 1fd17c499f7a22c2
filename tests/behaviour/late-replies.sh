#!/bin/bash
# A reply later than the timeout is a loss of its own round and changes nothing else.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

# replies PEER, requests PEER: of the last run's file, which began empty.
replies() { value x.prom "nodecanary_replies_total{group=\"default\",peer=\"$1\"}"; }
requests() { value x.prom "nodecanary_requests_total{group=\"default\",peer=\"$1\"}"; }
up() { value x.prom "nodecanary_peer_up{group=\"default\",peer=\"$1\"}"; }

# run PLAN...: one run with x.ini in a network of its own.
run() {
	rm -f x.prom
	simnet_start - <<<"$1"
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	simnet_stop
	assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
}

peers='[peers]
late4 = 10.1.0.1
late6 = fd00::1
slow4 = 10.1.0.2
slow6 = fd00::2
'
for interval in 1ms 600ms; do
	behaviour "replies that are always later than the timeout are losses, interval $interval"
	cat >x.ini <<<"[collector]
trace = 0
[probe]
count = 5
timeout = 250ms
interval = $interval
warmup = 0
$peers"
	run "10.1.0.1 delay=375ms
fd00::1 delay=375ms
10.1.0.2 delay=150ms
fd00::2 delay=150ms"
	for family in 4 6; do
		assert_eq 5/0/0 "$(requests late$family)/$(replies late$family)/$(up late$family)" \
			"requests/replies/up of late$family"
		assert_eq 5/5/1 "$(requests slow$family)/$(replies slow$family)/$(up slow$family)" \
			"requests/replies/up of slow$family"
	done
	# The network counts what it answered, late or not; the last answers were still on their way.
	assert_between 4 "$(simnet_count 10.1.0.1 replies)" 5
done

behaviour "a peer that recovers has lost its late rounds alone, and no slower peer's end early"
cat >x.ini <<<"[collector]
trace = 0
[probe]
count = 6
timeout = 250ms
interval = 600ms
warmup = 0
$peers"
run "10.1.0.1 delay=375ms for=2 then delay=1ms
fd00::1 delay=375ms for=3 then delay=1ms
10.1.0.2 delay=150ms
fd00::2 delay=150ms"
assert_eq 6/4 "$(requests late4)/$(replies late4)" "requests/replies of late4"
assert_eq 6/3 "$(requests late6)/$(replies late6)" "requests/replies of late6"
assert_le "$(value x.prom 'nodecanary_rtt_max_seconds{group="default",peer="late4"}')" 0.120
assert_le "$(value x.prom 'nodecanary_rtt_max_seconds{group="default",peer="late6"}')" 0.120
for family in 4 6; do
	assert_eq 6/6 "$(requests slow$family)/$(replies slow$family)" "requests/replies of slow$family"
	assert_le 0.150 "$(value x.prom \
		"nodecanary_rtt_min_seconds{group=\"default\",peer=\"slow$family\"}")"
done

behaviour "a late reply to a warm-up request is no reply to a measured one"
cat >x.ini <<<"[collector]
trace = 0
[probe]
count = 3
timeout = 250ms
interval = 600ms
warmup = 1
$peers"
run "10.1.0.1 delay=375ms for=1 then silent
fd00::1 delay=375ms for=1 then silent
10.1.0.2 delay=150ms
fd00::2 delay=150ms"
for family in 4 6; do
	assert_eq 3/0 "$(requests late$family)/$(replies late$family)" "late$family"
	assert_eq 3/3 "$(requests slow$family)/$(replies slow$family)" "slow$family"
done

behaviour "a reply is late by its own request, though its round still sends to others"
cat >x.ini <<'INI'
[collector]
trace = 0
[probe]
count = 2
timeout = 200ms
interval = 1ms
spacing = 5ms
warmup = 0
[peers]
first4 = 10.1.0.1
first6 = fd00::1
INI
add_peers x.ini x.map p 10.2 60
run "10.2.0.1-10.2.0.60
10.1.0.1 delay=260ms
fd00::1 delay=260ms"
for family in 4 6; do
	assert_eq 2/0/0 "$(requests first$family)/$(replies first$family)/$(up first$family)" \
		"requests/replies/up of first$family"
	assert_eq 2 "$(simnet_count "$(awk -v p=first$family '$1 == p { print $3 }' x.ini)" replies)" \
		"answers of first$family, all of them late"
done
assert_eq 120 "$(sum x.prom nodecanary_replies_total)" "replies of the others"

# Sending takes 400 ms here, so the late reply arrives after the round has begun and before its
# peer, the last one, is asked again: it still fits the peer's old sequence number.
behaviour "a late reply that arrives while the next round is being sent ends no other peer's wait"
cat >x.ini <<'INI'
[collector]
trace = 0
[probe]
count = 3
timeout = 200ms
interval = 1ms
spacing = 10ms
warmup = 0
[peers]
INI
add_peers x.ini x.map p 10.2 36
cat >>x.ini <<'INI'
y4 = 10.1.0.2
y6 = fd00::2
z4 = 10.1.0.1
z6 = fd00::1
INI
run "10.2.0.1-10.2.0.36
10.1.0.2 delay=120ms
fd00::2 delay=120ms
10.1.0.1 delay=300ms for=1 then delay=1ms
fd00::1 delay=300ms for=1 then delay=1ms"
assert_eq 108 "$(awk '/^nodecanary_replies_total.*peer="p/ { n += $NF } END { print n }' x.prom)"
assert_eq 3/2 "$(requests z4)/$(replies z4)" "requests/replies of z4"
assert_eq 3/2 "$(requests z6)/$(replies z6)" "requests/replies of z6"
assert_eq 3/3 "$(requests y4)/$(replies y4)" "requests/replies of y4"
assert_eq 3/3 "$(requests y6)/$(replies y6)" "requests/replies of y6"

done_testing
