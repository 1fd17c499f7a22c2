#!/bin/bash
# A link, address, device, firewall or MTU that changes during a run leaves requests unsent or lost
# as they really were.
#
#     10.4.0.1, fd00:4::1 -- near ==== far (another namespace) -- 10.4.0.2, fd00:4::2
# alone: replies must come in their time
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft nsenter unshare fping

far_start

rounds=30
_silence_ipv6

# ini LINE...: a group of the far end with these options, and a peer that no fault is about.
ini() {
	printf '%s\n' '[collector]' 'trace = 0' '[probe]' "count = $rounds" 'warmup = 0' 'interval = 30ms' 'timeout = 100ms' \
		'[peers]' 'home = 127.0.0.2' '[probe far]' "$@" \
		'[peers far]' 'four = 10.4.0.2' 'six = fd00:4::2' >x.ini
}

# shellcheck disable=SC2317 # wait_until calls it
link_works() { fping -q -t 200 10.4.0.2 fd00:4::2; }

near_addresses() {
	ip addr add 10.4.0.1/16 dev near
	ip -6 addr add fd00:4::1/64 dev near nodad
}

# new_link: whatever the last behaviour left of it.
new_link() {
	nft flush ruleset
	ip link del near 2>/dev/null || true
	ip link add near type veth peer name far netns "$FAR_PID"
	far ip addr add 10.4.0.2/16 dev far
	far ip -6 addr add fd00:4::2/64 dev far nodad
	near_addresses
	ip link set near up
	far ip link set far up
	wait_until 10 link_works
}

# far_echos 4|6: the requests that the kernel at the far end has got.
far_echos() {
	far cat /proc/self/net/snmp /proc/self/net/snmp6 | awk -v family="$1" '
		$1 == "Icmp6InEchos" && family == 6 { print $2 }
		family == 6 { next }
		$1 == "Icmp:" && column { print $column }
		$1 == "Icmp:" { for (i = 2; i <= NF; i++) if ($i == "InEchos") column = i }'
}

# mid_run COMMAND [COMMAND]: a run. The first is executed after ten of its rounds, the other after
# ten more, as the peer at home sees them.
mid_run() {
	local command round=0 before
	rm -f x.prom
	before=$(packets tx lo)
	echos4=$(far_echos 4) echos6=$(far_echos 6)
	nc_start -c x.ini -o "$TEST_TMP/x.prom"
	for command; do
		round=$((round + 10))
		wait_until 10 packets_reach tx $((before + 2 * round)) lo
		$command
	done
	nc_end 0 20
	assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
	assert_eq $rounds/$rounds "$(of requests_total home default)/$(of replies_total home default)" \
		"requests/replies of the peer at home"
}

# of METRIC PEER [GROUP]
of() { value x.prom "nodecanary_$1{group=\"${3:-far}\",peer=\"$2\"}"; }

# unsent PEER...: for some rounds it was (a fault itself may take its time), and all others were answered; the far end saw just those.
unsent() {
	local peer seen
	for peer; do
		assert_between 1 "$(of unsent_total "$peer")" $((rounds - 1)) "unsent of $peer"
		assert_eq $rounds "$(($(of requests_total "$peer") + $(of unsent_total "$peer")))" \
			"requests of $peer that left and did not"
		assert_eq "$(of requests_total "$peer")" "$(of replies_total "$peer")" "replies of $peer"
		if [ "$peer" = four ]; then seen=$(($(far_echos 4) - echos4)); fi
		if [ "$peer" = six ]; then seen=$(($(far_echos 6) - echos6)); fi
		assert_eq "$(of requests_total "$peer")" "$seen" "requests of $peer at the far end"
		assert_eq 0/1 "$(of loss_ratio "$peer")/$(of peer_up "$peer")" "loss/up of $peer"
	done
}

# lost PEER: some requests were not answered. Those that our own device dropped are unsent, as the
# kernel tells of them ("No buffer space available").
lost() {
	assert_between 5 $((rounds - $(of replies_total "$1"))) 25 "requests to $1 without a reply"
	assert_eq $rounds "$(($(of requests_total "$1") + $(of unsent_total "$1")))" "requests of $1"
	assert_eq '' "$(sed '/: No buffer space available /d' err)" "messages"
}

# answered PEER...: in every round, or all but MISSED.
answered() {
	local peer
	for peer; do
		assert_eq $rounds "$(of requests_total "$peer")" "requests of $peer"
		assert_between $((rounds - ${MISSED:-0})) "$(of replies_total "$peer")" $rounds \
			"replies of $peer"
	done
}

# shellcheck disable=SC2317 # mid_run calls it
link_up() {
	ip link set near up
	ip -6 addr replace fd00:4::1/64 dev near nodad # setting it down took this one away
}

behaviour "a link that is set down in mid-run, and up again: unsent, told in a line, no loss"
new_link
ini
mid_run 'ip link set near down' link_up
unsent four six
says 1 '^nodecanary: [0-9]+ requests could not be sent: Network is unreachable; peers: four, six$'

behaviour "a cable that is pulled out and put back is loss, as no packet arrives"
new_link
mid_run 'far ip link set far down' 'far ip link set far up'
lost four
lost six

behaviour "addresses that are removed in mid-run and come back: unsent, told in a line, no loss"
new_link
mid_run 'ip addr flush dev near' near_addresses
unsent four six
says 1 '^nodecanary: [0-9]+ requests could not be sent: Network is unreachable; peers: four, six$'

# A group with a device has sockets of its own, which are bound to it.
behaviour "the device of a group is deleted in mid-run: unsent, told in a line, no loss"
new_link
ini 'device = near'
mid_run 'ip link del near'
unsent four six
says 1 '^nodecanary: [0-9]+ requests could not be sent: No such device; peers: four, six$'

behaviour "the next run, without the device, measures everybody else"
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq $((2 * rounds)) "$(of replies_total home default)" "replies of the peer at home"
assert_eq 1 "$(value x.prom nodecanary_last_run_success)"
absent x.prom 'nodecanary_peer_up{group="far"'
absent x.prom 'nodecanary_loss_ratio{group="far"'
assert_eq 1 "$(wc -l <err)" "messages"

# shellcheck disable=SC2317 # mid_run calls it
firewall() {
	nft -f - <<'NFT'
table inet refuse {
    chain out {
        type filter hook output priority 0
        oifname near meta l4proto { icmp, icmpv6 } drop
    }
}
NFT
}
behaviour "a firewall that drops our requests from mid-run on: unsent, told in a line, no loss"
new_link
ini
mid_run firewall 'nft flush ruleset'
unsent four six
says 1 '^nodecanary: [0-9]+ requests could not be sent: Operation not permitted; peers: four, six$'

# shellcheck disable=SC2317 # mid_run calls it
both_mtu() {
	ip link set near mtu "$1"
	far ip link set far mtu "$1"
}
# Between the two commands something may be lost indeed.
behaviour "requests that outgrow the MTU of both ends in mid-run go in fragments"
new_link
ini 'size = 1400'
mid_run 'both_mtu 1280'
MISSED=3 answered four six
# shellcheck disable=SC2016 # awk expands it
assert_le 40 "$(far awk '$1 == "Ip6ReasmReqds" { n = $2 }
	$1 == "Ip:" && column { n += $column }
	$1 == "Ip:" { for (i = 2; i <= NF; i++) if ($i == "ReasmReqds") column = i }
	END { print n }' /proc/self/net/snmp6 /proc/self/net/snmp)" "fragments at the far end"
silent

behaviour "requests that outgrow the MTU of the far end alone are lost, and small ones are not"
new_link
printf '%s\n' '[peers small]' 'four = 10.4.0.2' 'six = fd00:4::2' >>x.ini
mid_run 'far ip link set far mtu 1280' 'far ip link set far mtu 1500'
lost four
lost six
for peer in four six; do
	assert_eq $rounds/$rounds "$(of requests_total $peer small)/$(of replies_total $peer small)" \
		"small requests/replies of $peer"
done

# Below 1280 bytes there is no IPv6 on a link.
behaviour "an MTU that IPv6 cannot have leaves its requests unsent, and IPv4 goes in fragments"
new_link
ini 'size = 1400'
mid_run 'both_mtu 1000'
MISSED=3 answered four
assert_between 5 "$(of unsent_total six)" 25 "unsent of six"
assert_between $(($(of requests_total six) - 3)) "$(of replies_total six)" \
	"$(of requests_total six)" "replies of six"
says 1 '^nodecanary: [0-9]+ requests could not be sent: '

# shellcheck disable=SC2317 # mid_run calls it
end_detection() {
	ip -6 addr del fd00:4::1/64 dev near
	ip -6 addr add fd00:4::1/64 dev near nodad
}
behaviour "while the only IPv6 address is tentative its requests are unsent, and then they leave"
new_link
ini
ip -6 addr del fd00:4::1/64 dev near
echo 1 >/proc/sys/net/ipv6/conf/near/accept_dad
echo 600 >/proc/sys/net/ipv6/conf/near/dad_transmits
ip -6 addr add fd00:4::1/64 dev near
ip -6 addr show dev near | grep tentative >/dev/null || fail "the address is not tentative"
mid_run end_detection
answered four
unsent six
says 1 '^nodecanary: [0-9]+ requests could not be sent: '

behaviour "so it is with the source of a group"
ini 'source = 10.4.0.1, fd00:4::1'
ip -6 addr del fd00:4::1/64 dev near
ip -6 addr add fd00:4::1/64 dev near
mid_run end_detection
answered four
assert_eq "$(of requests_total six)" "$(of replies_total six)" "requests, replies of six"
assert_le 5 "$(of unsent_total six)" "unsent of six"
says 1 '^nodecanary: peer .six.: cannot be pinged: Cannot assign requested address$'

done_testing
