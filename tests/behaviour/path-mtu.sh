#!/bin/bash
# Large packets: which size reaches a peer, who says so, and black holes, where nobody does.
# sandbox: no, it needs root

# shellcheck disable=SC2317 # wait_until calls what is unreachable
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

# Routers in a chain, each of which is a peer: near is one hop of 9,000 bytes away, middle
# behind a link of 1,500, far behind one of 1,280. small is on a link of our own of 1,500.
hop() { # hop FROM TO NUMBER MTU
	local from=$1 to=$2 number=$3 mtu=$4
	nsenter -t "$from" -n ip link add "r$number" mtu "$mtu" type veth peer name "l$number" mtu "$mtu" netns "$to"
	nsenter -t "$from" -n ip addr add "10.7.$number.1/24" dev "r$number"
	nsenter -t "$to" -n ip addr add "10.7.$number.2/24" dev "l$number"
	nsenter -t "$from" -n ip -6 addr add "fd07:$number::1/64" dev "r$number" nodad
	nsenter -t "$to" -n ip -6 addr add "fd07:$number::2/64" dev "l$number" nodad
	nsenter -t "$from" -n ip link set "r$number" up
	nsenter -t "$to" -n ip link set "l$number" up
	nsenter -t "$to" -n sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	nsenter -t "$to" -n ip route add default via "10.7.$number.1"
	nsenter -t "$to" -n ip -6 route add default via "fd07:$number::1"
}

route() { # route PID NUMBER GATEWAY_NUMBER
	nsenter -t "$1" -n ip route add "10.7.$2.0/24" via "10.7.$3.2"
	nsenter -t "$1" -n ip -6 route add "fd07:$2::/64" via "fd07:$3::2"
}

far_start; NEAR=$FAR_PID
far_start; MIDDLE=$FAR_PID
far_start; FAR=$FAR_PID
far_start; SMALL=$FAR_PID
hop $$ "$NEAR" 1 9000
hop "$NEAR" "$MIDDLE" 2 1500
hop "$MIDDLE" "$FAR" 3 1280
hop $$ "$SMALL" 4 1500
route $$ 2 1
route $$ 3 1
route "$NEAR" 3 2

# run_large: two small requests to each peer, then a large one.
run_large() {
	cat >x.ini <<-INI
		[collector]
		trace = 0
		[probe]
		count = 2
		warmup = 0
		interval = 1ms
		timeout = 300ms
		mtu = ${MTU:-9000}
		mtu_every = ${EVERY:-0s}
		[peers]
		near4 = ${NEAR4:-10.7.1.2}
		middle4 = 10.7.2.2
		far4 = 10.7.3.2
		small4 = 10.7.4.2
		near6 = fd07:1::2
		middle6 = fd07:2::2
		far6 = fd07:3::2
		small6 = fd07:4::2
	INI
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
}

# of METRIC PEER
of() { value x.prom "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

# mtu PEER: "" if it is not known.
mtu() { sed -n "s/^nodecanary_path_mtu_bytes{group=\"default\",peer=\"$1\"} //p" x.prom; }

# all_up: of the small packets.
all_up() { [ "$(grep -c '^nodecanary_loss_ratio{.*} 0$' x.prom)" = 8 ]; }
answers() {
	run_large
	all_up || { rm x.prom; return 1; }
}
wait_until 20 answers
rm x.prom

behaviour "the size that passes, or that a router or this host names, is published"
run_large
silent
for family in 4 6; do
	assert_eq 9000/1500/1280/1500 "$(mtu near$family)/$(mtu middle$family)/$(mtu far$family)/$(
		mtu small$family)" "near/middle/far/small, IPv$family"
	for peer in near:1 middle:0 far:0 small:0; do
		assert_eq "1/${peer#*:}" "$(of mtu_requests_total "${peer%:*}$family")/$(
			of mtu_replies_total "${peer%:*}$family")" "$peer$family"
	done
done

behaviour "small packets are measured as without it"
all_up || fail "small packets were lost"
assert_eq 2/2 "$(of requests_total far4)/$(of replies_total far4)"

behaviour "what fits everywhere is answered by all"
MTU=1280 run_large
assert_eq 1280/1280/1280/1280 "$(mtu near4)/$(mtu far4)/$(mtu far6)/$(mtu small6)"
assert_eq 2/1 "$(of mtu_requests_total far6)/$(of mtu_replies_total far6)"

behaviour "a router that says nothing makes a black hole: requests without replies, and no size"
nsenter -t "$NEAR" -n nft 'table inet mute { chain out { type filter hook output priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }'
run_large
assert_eq 9000// "$(mtu near4)/$(mtu middle4)/$(mtu middle6)"
assert_eq 3/1 "$(of mtu_requests_total middle4)/$(of mtu_replies_total middle4)"
nsenter -t "$NEAR" -n nft delete table inet mute

behaviour "large packets are sent every mtu_every only, and what they found stays"
run_large
EVERY=1h run_large
assert_eq 4/1500 "$(of mtu_requests_total middle4)/$(mtu middle4)"

behaviour "no more than mtu is published after it was lowered, and what passed before stays after it was raised"
MTU=1400 EVERY=1h run_large
assert_eq 1400/1400/1280/1400 "$(mtu near4)/$(mtu middle4)/$(mtu far4)/$(mtu small6)"
EVERY=1h run_large
assert_eq 1400/1400/1280/1400 "$(mtu near4)/$(mtu middle4)/$(mtu far4)/$(mtu small6)"

behaviour "what reached another address of the peer says nothing about the one of now"
NEAR4=10.7.2.1 EVERY=1h run_large
assert_eq /1400 "$(mtu near4)/$(mtu near6)"
NEAR4=10.7.2.1 run_large
assert_eq 9000/9000 "$(mtu near4)/$(mtu near6)"

behaviour "a peer that does not answer small packets is sent no large ones"
nsenter -t "$SMALL" -n ip link set l4 down
run_large
assert_eq 5/0 "$(of mtu_requests_total small4)/$(of peer_up small4)"

behaviour "without mtu there is no series about it"
sed -i /^mtu/d x.ini
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq 0 "$(grep -c '^nodecanary.*mtu' x.prom || true)"
done_testing
