#!/bin/bash
# While keepalived moves an address between two nodes that both ping it, no run fails, no counter falls, and each
# node knows which peer it is.
# check: no, one booted node is enough there
# time-limit: 400
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

nodes=(a b)
for name in "${nodes[@]}"; do
	node_new "$name" installed
	# The peers of one group have the names of the nodes, those of another only addresses of theirs.
	configure "$name" <<'INI'
[collector]
trace = 0
[probe]
count = 10
interval = 100ms
timeout = 200ms
[peers]
a = 10.77.0.1
b = 10.77.0.2
api = 10.77.0.100
[probe addresses]
members_only = yes
[peers addresses]
one = 10.77.0.1
two = 10.77.0.2
shared = 10.77.0.100
[peers virtual]
vip = 10.77.0.100
INI
done
node_boot a b
declare -A number=([a]=one [b]=two) other=([a]=b [b]=a)
for name in "${nodes[@]}"; do
	stop_timer "$name"
	apt_on "$name" install keepalived
	cat >"$(root_of "$name")/etc/keepalived/keepalived.conf" <<-KEEPALIVED
		vrrp_instance shared {
			state BACKUP
			nopreempt
			interface eth0
			virtual_router_id 77
			priority 10${NUMBER[$name]}
			advert_int 1
			virtual_ipaddress {
				10.77.0.100/24
			}
		}
	KEEPALIVED
done

has_address() { near "$1" ip -o addr show dev eth0 | grep -F ' 10.77.0.100/'; }
# shellcheck disable=SC2317 # wait_until calls it
has_no_address() { ! has_address "$1"; }

# run_both: a run on each node at the same time, of which no counter falls and nothing is said.
run_both() {
	local name
	for name in "${nodes[@]}"; do on "$name" systemctl start --no-block nodecanary.service; done
	end_both
}

end_both() {
	local name
	for name in "${nodes[@]}"; do
		wait_until 30 _is_idle "$name"
		assert_eq success "$(unit "$name" Result)" "result of $name"
		assert_eq 1 "$(metric "$name" nodecanary_last_run_success)" "success of $name"
		go_on "$name"
		journal_is_empty "$name"
		knows_itself "$name"
	done
}

# go_on NAME: no counter falls. Those of the shared address are absent while it is the node's own, and go on from
# what they were.
go_on() {
	touch "$1.old"
	counters "$1" "$1.now"
	awk 'NR == FNR { seen[$1] = 1 } NR == FNR || (!($1 in seen) && /peer="(api|shared|vip)"/)' \
		"$1.now" "$1.old" >"$1.new"
	if [ -s "$1.old" ]; then not_backwards "$1.old" "$1.new"; fi
	mv "$1.new" "$1.old"
}

# knows_itself NAME: as before, whoever has the address, and it accuses no list.
knows_itself() {
	assert_eq "addresses ${number[$1]}, default $1" "$(selves "$1" | grep -v '^virtual' | paste -sd , | sed 's/,/, /g')" \
		"peers that $1 is"
	absent "$(prom_of "$1")" nodecanary_address_conflict
	assert_eq 1 "$(metric "$1" "nodecanary_peer_up{group=\"default\",peer=\"${other[$1]}\"}")"
}

selves() { sed -n 's/^nodecanary_self_info{group="\(.*\)",peer="\(.*\)"} 1$/\1 \2/p' "$(prom_of "$1")" | sort; }

# pings NAME 1|0|-: it pings the shared address, which answers or not; or it is its own.
pings() {
	local series
	for series in 'group="default",peer="api"' 'group="addresses",peer="shared"' 'group="virtual",peer="vip"'; do
		if [ "$2" = - ]; then
			absent "$(prom_of "$1")" "nodecanary_peer_up{$series}"
			absent "$(prom_of "$1")" "nodecanary_loss_ratio{$series}"
		else
			assert_eq "$2" "$(metric "$1" "nodecanary_peer_up{$series}")" "$1 says of {$series}"
		fi
	done
}

# held_by NAME: after the runs from now on.
held_by() {
	wait_until 20 has_address "$1"
	wait_until 20 has_no_address "${other[$1]}"
	run_both
	pings "$1" -
	pings "${other[$1]}" 1
}

behaviour "nobody has the address yet: it is down on both nodes, and each knows itself"
run_both
pings a 0
pings b 0

behaviour "one node takes it: it is up for the other, and the node that has it pings it no more"
on a systemctl start keepalived
held_by a
on b systemctl start keepalived
wait_until 20 on b systemctl is-active keepalived
held_by a

behaviour "it moves to the other node and back while both are measuring"
for name in b a b; do
	for node in "${nodes[@]}"; do on "$node" systemctl start --no-block nodecanary.service; done
	on "${other[$name]}" systemctl restart keepalived
	end_both
	held_by "$name"
done

behaviour "both have it, as VRRP does not pass between them: neither pings it, and no run fails"
for name in "${nodes[@]}"; do
	near "$name" nft 'add table ip t; add chain ip t in { type filter hook input priority 0; };
		add rule ip t in ip protocol 112 drop'
done
wait_until 20 has_address a
run_both
for name in "${nodes[@]}"; do
	has_address "$name"
	pings "$name" -
done

behaviour "and one of them again"
for name in "${nodes[@]}"; do near "$name" nft delete table ip t; done
held_by b

behaviour "its holder loses power and comes back without it: the other has it, and the counters go on"
node_crash b
run_unit a
wait_until 20 has_address a
node_network_up b
node_boot b
stop_timer b
held_by a

done_testing
