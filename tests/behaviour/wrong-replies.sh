#!/bin/bash
# Duplicate, corrupt, wrong, foreign and unreachable answers, and floods of them, change nothing in
# either family.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

rounds=5
{
	printf '%s\n' '[collector]' 'trace = 0' '[probe]'
	echo "count = $rounds"
	printf 'warmup = 0\ninterval = 20ms\ntimeout = 250ms\n[peers]\n'
} >x.ini
i=0
while read -r name words; do
	i=$((i + 1))
	for family in 4 6; do
		address=10.1.0.$i other=10.9.0.9
		if [ $family = 6 ]; then address=fd00:1::$i other=fd00:9::9; fi
		echo "$name$family = $address" >>x.ini
		echo "$name$family $address" >>x.map
		echo "$address ${words//OTHER/$other}" >>x.plan
	done
done <<'PEERS'
fine           delay=5ms
slow           delay=100ms
duplicates     delay=5ms dup=9
corrupt        corrupt
corrupt-dup    corrupt dup=3
wrong-ident    wrong-ident
wrong-seq      wrong-seq
wrong-payload  wrong-payload
truncated      truncated
oversized      oversized
options        delay=5ms options
shortened      delay=5ms shortened
foreign        from=OTHER
unreachable    unreachable
unreachable-by unreachable from=OTHER
copies         delay=5ms corrupt-copy wrong-ident-copy wrong-seq-copy wrong-payload-copy truncated-copy oversized-copy
foreign-copy   delay=5ms foreign-copy=OTHER
PEERS
# An unresponsive peer answers for another unresponsive one.
cat >>x.ini <<'INI'
down4 = 10.9.0.8
down6 = fd00:9::8
liar4 = 10.9.0.7
liar6 = fd00:9::7
INI
cat >>x.map <<'MAP'
down4 10.9.0.8
down6 fd00:9::8
liar4 10.9.0.7
liar6 fd00:9::7
MAP
cat >>x.plan <<'PLAN'
10.9.0.8 silent
fd00:9::8 silent
10.9.0.7 from=10.9.0.8
fd00:9::7 from=fd00:9::8
PLAN

# check FAMILY: every peer's loss ratio is 0 or 1 as it should be, and all requests left.
check() {
	local peer expected
	for peer in fine slow duplicates copies options shortened foreign-copy \
		corrupt corrupt-dup wrong-ident wrong-seq wrong-payload truncated oversized foreign \
		unreachable unreachable-by down liar; do
		case $peer in
		fine | slow | duplicates | copies | options | shortened | foreign-copy) expected=0 ;;
		*) expected=1 ;;
		esac
		assert_eq $expected "$(value x.prom \
			"nodecanary_loss_ratio{group=\"default\",peer=\"$peer$1\"}")" "loss of $peer$1"
		assert_eq $rounds "$(value x.prom \
			"nodecanary_requests_total{group=\"default\",peer=\"$peer$1\"}")" "requests to $peer$1"
	done
}

simnet_start x.plan
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
simnet_stop

for family in 4 6; do
	behaviour "wrong answers of every kind are none and spoil no right one, IPv$family"
	check $family
done

behaviour "with noise of every kind the counters equal the network's own counts"
compare_counts x.prom default x.map

behaviour "irregular replies are counted by their kind"
irregular() { value x.prom "nodecanary_irregular_replies_total{group=\"default\",kind=\"$1\"}"; }
# Nine copies for each family. How much of the noise comes before a round ends differs.
assert_eq $((2 * 9 * rounds)) "$(irregular duplicate)"
assert_eq $((2 * rounds)) "$(irregular shortened)"
assert_between 1 "$(irregular corrupt)" 1000

behaviour "noise discards no round, drops nothing, and only ICMP errors are worth a message"
assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
assert_eq 0 "$(value x.prom nodecanary_receive_drops_total)" "receive drops"
assert_eq 1 "$(wc -l <err)" "messages"
assert_file_contains err 'an ICMP error: unreachable-by4 \(host_unreachable from 10.9.0.9\), .* and 1 more$'

# The slow ones' round must not end before they have answered.
behaviour "noise shortens no round"
for family in 4 6; do
	assert_le 0.100 "$(value x.prom \
		"nodecanary_rtt_min_seconds{group=\"default\",peer=\"slow$family\"}")"
done

# One family alone: the checksum errors of the one are counted separately from those of the other.
behaviour "corrupt ICMPv6 replies, in bursts, are losses and no receive drops"
cat >six.ini <<'INI'
[collector]
trace = 0
[probe]
count = 5
warmup = 0
interval = 1ms
timeout = 200ms
[peers]
INI
add_peers six.ini six.map bad fd00:2:: 100
echo "good = fd00:1::1" >>six.ini
echo "fd00:2::1-fd00:2::64 delay=2ms corrupt dup=3" >six.plan
echo "fd00:1::1 delay=5ms" >>six.plan
simnet_start six.plan
run_nc 0 -c six.ini -o "$TEST_TMP/six.prom"
simnet_stop
assert_eq 5 "$(value six.prom 'nodecanary_replies_total{group="default",peer="good"}')"
assert_eq 505 "$(sum six.prom nodecanary_requests_total)"
assert_eq 5 "$(sum six.prom nodecanary_replies_total)"
assert_eq 0/0 "$(sum six.prom nodecanary_discarded_rounds_total)/$(
	value six.prom nodecanary_receive_drops_total)" "discarded rounds/receive drops"
assert_eq "" "$(cat err)" "standard error"

# echo replies of both families that the kernel has seen
foreign_replies() {
	awk '$1 == "Icmp6InEchoReplies" { n += $2 }
		$1 == "Icmp:" && column { n += $column }
		$1 == "Icmp:" { for (i = 2; i <= NF; i++) if ($i == "InEchoReps") column = i }
		END { print n + 0 }' /proc/net/snmp6 /proc/net/snmp
}

# Foreign replies at a rate that would fill an unfiltered buffer many times over, from the address
# of a responsive and of an unresponsive peer.
for family in 4 6; do
	behaviour "a flood of foreign echo replies changes nothing, IPv$family"
	alive=10.1.0.1 down=10.3.0.1 self=10.99.0.1 option=
	if [ $family = 6 ]; then alive=fd00:1::1 down=fd00:3::1 self=fd99::1 option=-6; fi
	cat >flood.ini <<INI
[collector]
trace = 0
[probe]
count = 6
warmup = 0
interval = 50ms
timeout = 200ms
[peers]
alive = $alive
down = $down
INI
	printf 'alive %s\ndown %s\n' $alive $down >flood.map
	simnet_start - <<<"$alive delay=60ms"
	# Answers from sim0's addresses are made on this side of it.
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
	for conf in all lo; do echo 1 >/proc/sys/net/ipv4/conf/$conf/accept_local; done
	rm -f flood.prom
	for source in $alive $down; do
		# shellcheck disable=SC2086 # empty or one word
		"$TOOLS/flood" -s $source -d $self $option -r 20000 -t 4 -q 0-7 >flood.out 2>&1 &
	done
	before=$(foreign_replies)
	nc_start -c flood.ini -o "$TEST_TMP/flood.prom"
	nc_end 0 20
	running=$(jobs -pr | wc -l)
	simnet_stop
	assert_le 10000 $(($(foreign_replies) - before)) "echo replies that the kernel saw meanwhile"
	assert_eq 3 "$running" "simnet and floods still running at the end of the run"
	compare_counts flood.prom default flood.map
	assert_eq 6 "$(value flood.prom 'nodecanary_replies_total{group="default",peer="alive"}')"
	assert_eq 0 "$(value flood.prom 'nodecanary_peer_up{group="default",peer="down"}')"
	assert_eq 0/0 "$(sum flood.prom nodecanary_discarded_rounds_total)/$(
		value flood.prom nodecanary_receive_drops_total)" "discarded rounds/receive drops"
	assert_le "$(value flood.prom nodecanary_last_run_duration_seconds)" 3 "seconds, of which the rounds take 1.2"
	assert_eq "" "$(cat err)" "standard error"
	{ wait; } 2>/dev/null
done

# Such an error makes a socket look readable, and may be gone when it is read.
behaviour "ICMP errors that come while requests are still being sent hold no run"
{
	printf '%s\n' '[collector]' 'trace = 0' '[probe]' 'count = 20' 'warmup = 0' 'interval = 1ms' 'timeout = 5ms' 'spacing = 30us' '[peers]'
	for i in 1 2 3 4 5 6 7 8; do echo "u$i = 10.1.0.$i"; done
} >held.ini
for i in 1 2 3 4 5 6 7 8; do echo "10.1.0.$i unreachable"; done >held.plan
simnet_start held.plan
for ((i = 0; i < 60; i++)); do
	timeout -s KILL 10 "$NC" -c held.ini -o "$PWD/held.prom"
done
simnet_stop
done_testing
