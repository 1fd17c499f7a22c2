#!/bin/bash
# Why requests fail, and who says so: each reason in a network that produces it, for its peer alone.
# sandbox: no, it needs root

# shellcheck disable=SC2317 # wait_until calls what is unreachable
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

# We are 10.7.1.1, the router 10.7.1.2 and 10.7.2.1, behind it the peer 10.7.2.2 on a link of 1,280
# bytes; the same with IPv6. The router has routes to nothing else.
far_start; ROUTER=$FAR_PID
far_start; PEER=$FAR_PID
router() { nsenter -t "$ROUTER" -n "$@"; }
peer() { nsenter -t "$PEER" -n "$@"; }

ip link add near type veth peer name left netns "$ROUTER"
router ip link add right mtu 1280 type veth peer name home mtu 1280 netns "$PEER"
ip addr add 10.7.1.1/24 dev near
ip addr add fd07:1::1/64 dev near nodad
router ip addr add 10.7.1.2/24 dev left
router ip addr add fd07:1::2/64 dev left nodad
router ip addr add 10.7.2.1/24 dev right
router ip addr add fd07:2::1/64 dev right nodad
peer ip addr add 10.7.2.2/24 dev home
peer ip addr add fd07:2::2/64 dev home nodad
ip link set near up
router ip link set left up
router ip link set right up
peer ip link set home up
router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
peer ip route add default via 10.7.2.1
peer ip route add default via fd07:2::1
ip route add 10.7.0.0/16 via 10.7.1.2
ip route add fd07::/16 via fd07:1::2

# What refuses: our firewall 10.7.3.0/24 and the router's two more networks, the peer's one address.
nft 'table inet own { chain output { type filter hook output priority 0; ip daddr 10.7.3.0/24 drop; ip6 daddr fd07:3::/64 drop; }; }'
router nft 'table inet refuse { chain forward { type filter hook forward priority 0; icmp type echo-request ip daddr 10.7.2.4 reject with icmp host-unreachable; icmpv6 type echo-request ip6 daddr fd07:2::4 reject with icmpv6 addr-unreachable; }; }'
peer nft 'table inet refuse { chain input { type filter hook input priority 0; icmp type echo-request ip daddr 10.7.2.5 reject; icmpv6 type echo-request ip6 daddr fd07:2::5 reject; }; }'
peer ip addr add 10.7.2.5/24 dev home
peer ip addr add fd07:2::5/64 dev home nodad
ip link add idle type veth peer name other
ip addr add 10.7.6.1/24 dev idle
ip route add unreachable 10.7.9.0/24
ip -6 route add unreachable fd07:9::/64
ip route add blackhole 10.7.8.0/24
ip -6 route add blackhole fd07:8::/64

cat >x.ini <<'INI'
[collector]
trace = 0
[probe]
count = 1
warmup = 0
timeout = 300ms
[probe short]
ttl = 1
[probe large]
size = 1300
[probe device]
device = idle
[peers]
answers4 = 10.7.2.2
answers6 = fd07:2::2
no_route4 = 10.7.9.1
no_route6 = fd07:9::1
to_blackhole4 = 10.7.8.1
to_blackhole6 = fd07:8::1
own_firewall4 = 10.7.3.1
own_firewall6 = fd07:3::1
no_network4 = 10.7.4.1
no_network6 = fd07:4::1
no_host4 = 10.7.2.4
no_host6 = fd07:2::4
refused4 = 10.7.2.5
refused6 = fd07:2::5
[peers short]
far4 = 10.7.2.2
far6 = fd07:2::2
[peers large]
large4 = 10.7.2.2
large6 = fd07:2::2
[peers device]
device_down = 10.7.6.2
[probe none]
device = absent
[peers none]
no_device = 10.7.6.2
INI

# reasons: PEER REASON FROM REQUESTS, of all errors of the last run.
reasons() {
	sed -nE 's/^nodecanary_last_run_errors\{group="[a-z]*",peer="([^"]*)",reason="([^"]*)",from="([^"]*)"\} (.*)$/\1 \2 \3 \4/p' x.prom | sort
}

# Neighbours are looked up first.
printf '%s\n' '[collector]' 'trace = 0' '[probe]' 'count = 1' 'warmup = 0' 'timeout = 1s' '[peers]' \
	'a = 10.7.2.2' 'b = fd07:2::2' 'c = 10.7.2.5' >first.ini
answers() {
	run_nc 0 -c first.ini -o "$TEST_TMP/first.prom"
	[ "$(value first.prom 'nodecanary_peer_up{group="default",peer="a"}')" = 1 ] &&
		[ "$(value first.prom 'nodecanary_peer_up{group="default",peer="b"}')" = 1 ]
}
wait_until 20 answers

behaviour "each peer has the reason, and who gave it, and a peer that answers has none"
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq "$(sort <<'END'
far4 time_exceeded 10.7.1.2 1
far6 time_exceeded fd07:1::2 1
large4 fragmentation_needed 10.7.1.2 1
large6 fragmentation_needed fd07:1::2 1
device_down device  1
no_device device  1
no_host4 host_unreachable 10.7.1.2 1
no_host6 host_unreachable fd07:1::2 1
no_network4 net_unreachable 10.7.1.2 1
no_network6 net_unreachable fd07:1::2 1
no_route4 no_route  1
no_route6 no_route  1
to_blackhole4 no_route  1
to_blackhole6 no_route  1
own_firewall4 not_permitted  1
own_firewall6 not_permitted  1
refused4 prohibited 10.7.2.5 1
refused6 prohibited fd07:2::5 1
END
)" "$(reasons)"

behaviour "two lines of the journal name the first three peers: those of requests that could not be sent, and of ICMP errors"
assert_file_contains err 'requests could not be sent: .*; peers: no_route4, no_route6, own_firewall4 and [0-9] more$'
assert_file_contains err 'an ICMP error: no_host4 \(host_unreachable from 10.7.1.2\), no_host6 .*, no_network4 .* and 7 more$'

behaviour "the table of results says so, too"
# A router sends about one error a second.
grep -v '^[^n].*[46] = \|_host\|_network6\|_route4' x.ini >few.ini
in_table() {
	"$NC" -c few.ini -n -t >table 2>err
	grep -Eq '^default +no_network4 .* net_unreachable from 10.7.1.2$' table
}
wait_until 20 in_table
assert_file_contains table '^default +no_route6 .* 1 unsent +no_route$'

behaviour "a reason lasts no longer than the run"
router nft delete table inet refuse
peer nft delete table inet refuse
peer ip addr add 10.7.2.4/24 dev home
peer ip addr add fd07:2::4/64 dev home nodad
answered() {
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	[ "$(reasons | grep -c '^no_host\|^refused')" = 0 ]
}
wait_until 20 answered
assert_eq 1 "$(value x.prom 'nodecanary_peer_up{group="default",peer="no_host6"}')"

# Every packet is larger than what this queue lets through at once.
behaviour "a queue of a device that has no room is told from a network that does not answer"
ip link add tight type veth peer name loose
ip addr add 10.7.7.1/24 dev tight
ip addr add fd07:7::1/64 dev tight nodad
ip link set tight up
ip link set loose up
ip neigh add 10.7.7.2 lladdr 02:00:00:00:00:07 dev tight
ip neigh add fd07:7::2 lladdr 02:00:00:00:00:07 dev tight
tc qdisc add dev tight root tbf rate 8kbit burst 50 limit 1000 || skip "the kernel has no tbf"
printf '%s\n' '[probe]' 'count = 2' 'warmup = 0' 'interval = 1ms' 'timeout = 300ms' '[peers]' \
	'full4 = 10.7.7.2' 'full6 = fd07:7::2' 'answers4 = 10.7.2.2' 'answers6 = fd07:2::2' >x.ini
rm x.prom
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq "$(printf '%s\n' 'full4 no_buffer  2' 'full6 no_buffer  2')" "$(reasons)"
assert_eq 4/0/4 "$(sum x.prom nodecanary_unsent_total)/$(
	value x.prom 'nodecanary_requests_total{group="default",peer="full4"}')/$(
	sum x.prom nodecanary_replies_total)" "unsent/requests/replies"

done_testing
