#!/bin/bash
# More unresponsive neighbours than the kernel has room for do not push out responsive ones.
# There is room for 1,024 (gc_thresh3), for all network namespaces together. Elsewhere on the
# machine nobody finds a new neighbour meanwhile.
# alone: its table of neighbours is the machine's
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nsenter unshare fping

far_start

_silence_ipv6
ip link add near type veth peer name far netns "$FAR_PID"
ip addr add 10.4.0.1/16 dev near
ip -6 addr add fd00:4::1/64 dev near nodad
for host in 1 2 3 4 5; do
	far ip addr add 10.4.200.$host/16 dev far
	far ip -6 addr add fd00:4::200:$host/64 dev far nodad
done
ip link set near up
far ip link set far up
# shellcheck disable=SC2317 # wait_until calls it
link_works() { fping -q -t 200 10.4.200.1 fd00:4::200:1; }
wait_until 10 link_works
# The far end is to answer whatever happens to the table, which is its own, too.
hardware=$(ip -o link show near | sed "s,.*ether \([^ ]*\).*,\1,")
for address in 10.4.0.1 fd00:4::1; do
	far ip neigh replace $address lladdr "$hardware" nud permanent dev far
done

# time_passes: what the kernel does with neighbours that never answered, in some seconds.
time_passes() { ip neigh flush dev near 2>/dev/null || true; }

# of_responsive METRIC: its sum.
of_responsive() {
	awk -v name="nodecanary_$1{" 'index($1, name) == 1 && $1 ~ /peer="live/ { n += $NF }
		END { print n + 0 }' x.prom
}

# Names sort the unresponsive peers before the responsive ones.
for family in 4 6; do
	rounds=2
	{
		printf '%s\n' '[collector]' 'trace = 0' '[probe]' "count = $rounds" 'warmup = 0' 'interval = 20ms' 'timeout = 400ms' \
			'[peers]'
		for ((i = 1; i <= 1500; i++)); do
			if [ $family = 4 ]; then
				echo "down$i = 10.4.$((100 + i / 250)).$((i % 250 + 1))"
			else
				printf 'down%d = fd00:4::1:%x\n' $i $i
			fi
		done
		for host in 1 2 3 4 5; do
			if [ $family = 4 ]; then
				echo "live$host = 10.4.200.$host"
			else
				echo "live$host = fd00:4::200:$host"
			fi
		done
	} >x.ini
	# Each look for room in a full table takes the kernel its time: such a round may be discarded.
	behaviour "a full table of neighbours makes nobody lose anything: unsent, IPv$family"
	for _ in 1 2 3; do
		rm -f x.prom
		time_passes
		run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
		if [ "$(sum x.prom nodecanary_discarded_rounds_total)" = 0 ]; then break; fi
	done
	assert_eq "$(of_responsive requests_total)" "$(of_responsive replies_total)" \
		"requests and replies of the responsive peers"
	assert_eq $((5 * rounds)) "$(($(of_responsive requests_total) + $(of_responsive unsent_total)))" \
		"requests to the responsive peers, sent or unsent"
	assert_le 300 "$(sum x.prom nodecanary_unsent_total)" "unsent, where the table holds 1,024"
	assert_eq 0 "$(awk '/^nodecanary_loss_ratio.*peer="live/ { n += $NF } END { print n + 0 }' x.prom)"

	behaviour "one line says so, and which limit to raise, IPv$family"
	reason='No buffer space available' limit=net.ipv4.neigh.default.gc_thresh3
	if [ $family = 6 ]; then reason='Invalid argument' limit=${limit/ipv4/ipv6}; fi
	says 1 "requests could not be sent: $reason \(.*if the kernel.s neighbour table .* $limit\); peers: .*[0-9], .*[0-9], .*[0-9] and [0-9]+ more$"

	behaviour "the next run asks those first of whom nothing is known, so all responsive ones are up, IPv$family"
	time_passes
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	grep -E '^nodecanary_(discarded_rounds|runs)_total' x.prom
	assert_eq 5 "$(of_responsive peer_up)" "responsive peers that are up"
	assert_eq "$(of_responsive requests_total)" "$(of_responsive replies_total)" "requests, replies"
done
done_testing
