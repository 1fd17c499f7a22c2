#!/bin/bash
# What an IPsec policy refuses costs no peer a round but the one that it concerns.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip ping

far_start
ip link set lo up
ip link add near type veth peer name far netns "$FAR_PID"
_silence_ipv6
far sh -c 'echo 0 >/proc/sys/net/ipv6/conf/far/accept_dad'
echo 0 >/proc/sys/net/ipv6/conf/near/accept_dad
ip addr add 10.4.0.1/24 dev near
ip addr add fd00:4::1/64 dev near nodad
ip link set near up
for address in 10.4.0.2/24 10.4.0.66/24; do far ip addr add $address dev far; done
for address in fd00:4::2/64 fd00:4::66/64; do far ip addr add $address dev far nodad; done
far ip link set far up

# Incoming packets of .66 must be encrypted, and none is.
ip xfrm policy add src 10.4.0.66/32 dst 10.4.0.1/32 dir in \
	tmpl proto esp mode transport level required || skip "the kernel has no IPsec"
ip xfrm policy add src fd00:4::66/128 dst fd00:4::1/128 dir in \
	tmpl proto esp mode transport level required

cat >x.ini <<'INI'
[probe]
count = 5
warmup = 0
interval = 50ms
timeout = 200ms
[peers]
good4 = 10.4.0.2
good6 = fd00:4::2
INI
{
	cat x.ini
	echo 'refused4 = 10.4.0.66'
	echo 'refused6 = fd00:4::66'
} >y.ini

# compare FILE: every request to the good peers was answered, and no round was discarded.
compare() {
	local peer
	assert_eq 0/0 "$(sum "$1" nodecanary_discarded_rounds_total)/$(
		value "$1" nodecanary_receive_drops_total)" "discarded rounds/drops"
	for peer in good4 good6; do
		assert_eq 5 "$(value "$1" "nodecanary_replies_total{group=\"default\",peer=\"$peer\"}")" \
			"replies of $peer"
	done
}

behaviour "pings in the clear from a host that must encrypt discard no round"
far ping -q -i 0.01 -I 10.4.0.66 10.4.0.1 >ping4.out &
ping4=$!
far ping -q -i 0.01 -I fd00:4::66 fd00:4::1 >ping6.out &
ping6=$!
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
compare x.prom
assert_eq "" "$(cat err)" "standard error"

behaviour "a peer whose replies a policy refuses is lost, and the others are measured"
run_nc 0 -c y.ini -o "$TEST_TMP/y.prom"
compare y.prom
for peer in refused4 refused6; do
	assert_eq 5/0 "$(value y.prom "nodecanary_requests_total{group=\"default\",peer=\"$peer\"}")/$(
		value y.prom "nodecanary_replies_total{group=\"default\",peer=\"$peer\"}")" \
		"requests/replies of $peer"
done
kill $ping4 $ping6

done_testing
