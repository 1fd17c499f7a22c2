#!/bin/bash
# Where packets get lost on a chain of routers: the trace, and nothing else, tells the last hop.
# sandbox: no, it needs root

# shellcheck disable=SC2317 # wait_until calls what is unreachable
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

ROUTERS=6
declare -A pids

# in_ns N COMMAND...: in the namespace of router N; 0 is ours.
in_ns() {
	local number=$1
	shift
	if [ "$number" = 0 ]; then "$@"; else nsenter -t "${pids[$number]}" -n "$@"; fi
}

# Router n is 10.7.n.2 and fd07:n::2 to the previous one and 10.7.(n+1).1 to the next; the last
# one is the peer, without forwarding.
chain() {
	local n m
	for ((n = 1; n <= ROUTERS + 1; n++)); do
		far_start
		pids[$n]=$FAR_PID
		m=$((n - 1))
		in_ns "$n" ip link set lo up
		in_ns "$m" ip link add "right$m" type veth peer name "left$n" netns "${pids[$n]}"
		in_ns "$m" ip addr add "10.7.$n.1/24" dev "right$m"
		in_ns "$n" ip addr add "10.7.$n.2/24" dev "left$n"
		in_ns "$m" ip -6 addr add "fd07:$n::1/64" dev "right$m" nodad
		in_ns "$n" ip -6 addr add "fd07:$n::2/64" dev "left$n" nodad
		in_ns "$m" ip link set "right$m" up
		in_ns "$n" ip link set "left$n" up
		in_ns "$n" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
		in_ns "$n" ip route add default via "10.7.$n.1"
		in_ns "$n" ip -6 route add default via "fd07:$n::1"
	done
	for ((n = 0; n <= ROUTERS; n++)); do
		m=$((n + 1))
		in_ns "$n" ip route add "10.7.$((ROUTERS + 1)).0/24" via "10.7.$m.2" 2>/dev/null || true
		in_ns "$n" ip -6 route add "fd07:$((ROUTERS + 1))::/64" via "fd07:$m::2" 2>/dev/null || true
	done
}

# cut N: router N silently drops what it should forward; mend N.
cut() {
	in_ns "$1" nft 'table inet cut { chain forward { type filter hook forward priority 0; policy drop; }; }'
}
mend() { in_ns "$1" nft delete table inet cut; }

PEER=10.7.$((ROUTERS + 1)).2 PEER6=fd07:$((ROUTERS + 1))::2

# Two requests to the peer in both families.
run_traced() {
	printf '%s\n' '[collector]' "trace = ${TRACE:-2}" "trace_every = ${EVERY:-0s}" '[probe]' 'count = 2' \
		'warmup = 0' 'interval = 1ms' 'timeout = 200ms' '[peers]' "four = $PEER" \
		"six = $PEER6" >x.ini
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
}

# of METRIC PEER
of() { value x.prom "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

last_hop() {
	sed -n "s/^nodecanary_trace_last_hop_info{group=\"default\",peer=\"$1\",hop=\"\(.*\)\"} 1$/\1/p" x.prom
}

# Neighbours are looked up hop by hop first.
answers() {
	run_traced
	[ "$(of replies_total four)/$(of replies_total six)" = 2/2 ] || { rm x.prom; return 1; }
}
chain
wait_until 20 answers

behaviour "a peer that loses nothing is not traced"
run_traced
silent
assert_eq 4/4 "$(of replies_total four)/$(of replies_total six)"
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"

behaviour "wherever the path is cut, the last hop that answers is named"
for ((n = 1; n <= ROUTERS; n++)); do
	cut "$n"
	run_traced
	mend "$n"
	assert_eq "$n/10.7.$n.2" "$(of trace_hops four)/$(last_hop four)"
	assert_eq "$n/fd07:$n::2" "$(of trace_hops six)/$(last_hop six)"
done

behaviour "a trace goes when the loss goes"
run_traced
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"

behaviour "a silent hop in the middle is no loss"
in_ns 3 nft 'table inet mute { chain out { type filter hook output priority 0; icmp type time-exceeded drop; icmpv6 type time-exceeded drop; }; }'
cut 5
run_traced
assert_eq 5/10.7.5.2 "$(of trace_hops four)/$(last_hop four)"
assert_eq 5/fd07:5::2 "$(of trace_hops six)/$(last_hop six)"
in_ns 3 nft delete table inet mute
mend 5

behaviour "a peer is not traced again before trace_every, and what was found stays"
cut 2
run_traced
mend 2
cut 4
EVERY=1h run_traced
assert_eq 2/10.7.2.2 "$(of trace_hops four)/$(last_hop four)"
mend 4

behaviour "a loss that lasts is traced again, and mentioned again only when the last hop changes"
cut 2
run_traced
run_traced
mend 2
silent
cut 1
run_traced
mend 1
assert_file_contains "$TEST_TMP/err" 'four .* last hop that answered: 10.7.1.2 .hop 1.'
assert_eq 1/10.7.1.2 "$(of trace_hops four)/$(last_hop four)"

behaviour "a peer that loses packets now and then is traced no more often"
run_traced
cut 2
run_traced
mend 2
EVERY=1h run_traced
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"
cut 2
EVERY=1h run_traced
mend 2
silent
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"

behaviour "what a trace found is not published any more without trace, or for another address of the peer"
cut 2
run_traced
assert_eq 2 "$(of trace_hops four)"
EVERY=1h TRACE=0 run_traced
silent
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"
run_traced
PEER=10.7.$((ROUTERS + 1)).99 EVERY=1h run_traced
assert_not_contains x.prom '^nodecanary_trace.*"four"'
assert_eq 2/fd07:2::2 "$(of trace_hops six)/$(last_hop six)"

behaviour "without trace nothing is sent, and nothing said"
rm x.prom
TRACE=0 run_traced
silent
assert_eq 0 "$(grep -c nodecanary_trace x.prom || true)"
mend 2

# The kernel asks a neighbour once, and gives up after 100 ms.
behaviour "this host, which answers for a neighbour that is not there, is no hop"
sysctl -qw net.ipv4.neigh.right0.mcast_solicit=1 net.ipv4.neigh.right0.retrans_time_ms=100 \
	net.ipv6.neigh.right0.mcast_solicit=1 net.ipv6.neigh.right0.retrans_time_ms=100
rm x.prom
PEER=10.7.1.77 PEER6=fd07:1::77 run_traced
assert_file_contains x.prom '^nodecanary_last_run_errors.*"four",reason="host_unreachable",from="10.7.1.1"'
assert_file_contains x.prom '^nodecanary_last_run_errors.*"six",reason="host_unreachable",from="fd07:1::1"'
assert_eq 0/0// "$(of trace_hops four)/$(of trace_hops six)/$(last_hop four)/$(last_hop six)"
assert_file_contains err 'four .*; no hop answered a trace'
assert_file_contains err 'six .*; no hop answered a trace'

# Of the requests that are measured every second one is lost. Those of a trace arrive with a small TTL.
lossy() { # lossy LAST_HOP_LIMIT: of the requests of a trace that are lost
	in_ns $((ROUTERS + 1)) nft "table inet half { chain in { type filter hook input priority 0; \
		icmp type echo-request ip ttl > 40 numgen inc mod 2 == 0 drop; icmp type echo-request ip ttl <= $1 drop; \
		icmpv6 type echo-request ip6 hoplimit > 40 numgen inc mod 2 == 0 drop; \
		icmpv6 type echo-request ip6 hoplimit <= $1 drop; }; }"
}

behaviour "a peer that answers some requests is reached at one hop or another, which is mentioned once"
rm x.prom
lossy 2
run_traced
assert_file_contains err 'four .* a trace reached it at hop 9$'
assert_file_contains err 'six .* a trace reached it at hop 9$'
in_ns $((ROUTERS + 1)) nft delete table inet half
lossy 0
run_traced
silent
assert_eq 7/7 "$(of trace_hops four)/$(of trace_hops six)"
in_ns $((ROUTERS + 1)) nft delete table inet half

# A second path from router 1 to router 3. Which of the two a packet takes depends on its addresses.
second_path() {
	far_start
	pids[second]=$FAR_PID
	in_ns second ip link set lo up
	in_ns 1 ip link add there type veth peer name first netns "${pids[second]}"
	in_ns second ip link add back type veth peer name there netns "${pids[3]}"
	in_ns 1 ip addr add 10.8.1.1/24 dev there
	in_ns second ip addr add 10.8.1.2/24 dev first
	in_ns second ip addr add 10.8.2.1/24 dev back
	in_ns 3 ip addr add 10.8.2.2/24 dev there
	in_ns 1 ip link set there up
	in_ns second ip link set first up
	in_ns second ip link set back up
	in_ns 3 ip link set there up
	in_ns second sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
	in_ns second ip route add default via 10.8.1.1
	in_ns second ip route add "10.7.$((ROUTERS + 1)).0/24" via 10.8.2.2
	in_ns 1 ip route replace "10.7.$((ROUTERS + 1)).0/24" nexthop via 10.7.2.2 nexthop via 10.8.1.2
}

behaviour "of two paths of equal cost a trace follows the one on which packets get lost"
second_path
printf '%s\n' '[collector]' 'trace = 16' 'trace_every = 0s' '[probe]' 'count = 2' 'warmup = 0' 'interval = 1ms' \
	'timeout = 200ms' '[peers]' >ways.ini
for ((n = 1; n <= 16; n++)); do
	in_ns $((ROUTERS + 1)) ip addr add "10.7.$((ROUTERS + 1)).$((10 + n))/24" dev "left$((ROUTERS + 1))"
	echo "p$n = 10.7.$((ROUTERS + 1)).$((10 + n))"
done >>ways.ini
all_answer() {
	run_nc 0 -c ways.ini -o "$TEST_TMP/x.prom"
	[ "$(sum x.prom nodecanary_peer_up)" = 16 ] || { rm x.prom; return 1; }
}
wait_until 20 all_answer
cut second
run_nc 0 -c ways.ini -o "$TEST_TMP/x.prom"
mend second
down=$(grep -c '^nodecanary_peer_up{.*} 0$' x.prom)
assert_between 1 "$down" 15 "peers that are reached by the second path"
assert_eq "$down" "$(grep -c '^nodecanary_trace_last_hop_info{.*,hop="10.8.1.2"} 1$' x.prom)" "traces that end there"
assert_eq "$down" "$(grep -c '^nodecanary_trace_hops{.*} 2$' x.prom)" "traces"
done_testing
