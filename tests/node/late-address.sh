#!/bin/bash
# A node that has no address yet when the timer first starts a run knows who it is once it has one, reports nobody as
# down before, and loses no counter.
# check: no, one booted node is enough there
# time-limit: 300
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a installed
node_new b
# Only addresses tell which peer this node is. The second group has to know it to choose whom to ping, and with
# resolve_every = 1h a name that was asked in vain would be unresolved for long.
configure a <<'INI'
[collector]
resolve_every = 1h
[probe]
count = 2
interval = 10ms
[peers]
here = 10.77.0.1
there = 10.77.0.2
named = named.test
[probe mesh]
members_only = yes
fanout = 2
[peers mesh]
m1 = 10.77.0.1
m2 = 10.77.0.21
m3 = 10.77.0.22
m4 = 10.77.0.23
INI
for last in 21 22 23; do near b ip addr add "10.77.0.$last/24" dev eth0; done
echo 'nameserver 10.77.0.2' >"$(root_of a)/etc/resolv.conf"
echo 'named.test A 10.77.0.22' >zone
near b "$TOOLS/dnsd" -a 10.77.0.2 -z zone -r ready &
wait_until 10 test -e ready

# Its link is there, as with DHCP, but no address.
lose_address() { ip -n "$(namespace_of a)" addr flush dev eth0; }

# boot_without_address: until its timer has started a run.
boot_without_address() {
	node_boot a
	wait_until 45 has_run a
	stop_timer a
	assert_eq success "$(unit a Result)"
}

# nobody_is_down: no reply is missing that was asked for.
nobody_is_down() {
	absent "$(prom_of a)" 'nodecanary_loss_ratio{'
	absent "$(prom_of a)" 'nodecanary_peer_up{'
	absent "$(prom_of a)" nodecanary_address_conflict
}

requests() { grep '^nodecanary_requests_total' "$(prom_of a)" | awk '{ n += $NF } END { print n + 0 }'; }

selves() { sed -n 's/^nodecanary_self_info{group="\(.*\)",peer="\(.*\)"} 1$/\1 \2/p' "$(prom_of a)" | sort | paste -sd ' '; }

# measures: with its address, from the next run on.
measures() {
	run_unit a
	assert_eq 'default here mesh m1' "$(selves)" "who it is"
	assert_eq 1 "$(metric a nodecanary_last_run_success)"
	for peer in there named; do
		assert_eq 1 "$(metric a "nodecanary_peer_up{group=\"default\",peer=\"$peer\"}")" "$peer is up"
	done
	grep '^nodecanary_peer_up{group="mesh"' "$(prom_of a)" >mesh
	assert_eq 2 "$(wc -l <mesh)" "peers pinged of the mesh"
	assert_not_contains mesh ' 0$'
}

behaviour "on its first boot it takes no peer for itself, and reports none as down"
lose_address
boot_without_address
assert_eq '' "$(selves)" "who it is"
assert_eq 0 "$(requests)" "requests"
nobody_is_down

behaviour "the first run with an address measures all of them, and knows which peer it is"
node_network_up a
measures
counters a first
cp mesh chosen

behaviour "booted again without an address it is still the same peer: none is down, no counter falls"
node_off a
lose_address
boot_without_address
assert_eq 'default here mesh m1' "$(selves)" "who it is"
nobody_is_down
assert_eq "$(awk '/^nodecanary_requests_total/ { n += $NF } END { print n }' first)" "$(requests)" "requests"
counters a second
not_backwards first second

behaviour "and with its address the counters of the same peers go on"
node_network_up a
measures
diff chosen mesh
counters a third
not_backwards second third

behaviour "the journal says why nothing could be sent or looked up, and nothing else"
journal a said
grep -vE '^([0-9]+ requests could not be sent: Network is unreachable|cannot resolve .named\.test.)' said >other || true
[ ! -s other ] || fail "the journal says other things, too; $(_show other)"
assert_le "$(wc -l <said)" 4 "messages"

done_testing
