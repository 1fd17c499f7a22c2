#!/bin/bash
# A node recognises which peer it is itself, also in the smallest fleets.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need unshare hostname promtool

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"
ip addr add 10.9.0.1/32 dev lo
ip -6 addr add fd00:9::1/128 dev lo nodad

# on_host NAME CODE ARGUMENT...: on a machine of that name.
on_host() {
	# shellcheck disable=SC2016 # the inner shell expands it
	assert_exit "$2" unshare --uts bash -c 'hostname "$1" && exec "${@:2}"' - "$1" "$NC" \
		-c "$TEST_TMP/x.ini" -o "$FILE" "${@:3}"
}

write_ini() {
	printf '%s\n' '[collector]' 'resolve_timeout = 500ms' '[probe]' 'count = 1' 'warmup = 0' \
		'timeout = 200ms' "$@" >"$TEST_TMP/x.ini"
}

# is_self HOST PEER LINE...: on that host, with these lines, it is that peer; "" for none.
is_self() {
	write_ini "${@:3}"
	on_host "$1" 0
	silent
	if [ -z "$2" ]; then
		absent "$FILE" nodecanary_self_info
		return
	fi
	assert_eq "$2" "$(sed -n 's/^nodecanary_self_info{group="default",peer="\(.*\)"} 1$/\1/p' "$FILE")"
	absent "$FILE" "nodecanary_requests_total{group=\"default\",peer=\"$2\"}"
	assert_eq 1 "$(value "$FILE" 'nodecanary_peers{group="default",state="self"}')"
}

dns_start <<<'# nobody'

behaviour "a node is the peer of its host name"
is_self w1 w1 '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="w2"}')"
assert_eq 1 "$(value "$FILE" 'nodecanary_group_observers{group="default"}')"
is_self W1 w1 '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'

behaviour "a node is the peer of its fully qualified name"
is_self w1.b.example w1.b.example '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
is_self w1.b.example w1.b.example '[peers]' 'w1 = 127.1.0.1' 'w1.b.example = 127.1.0.2'
is_self w1.b.example w1 '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'

behaviour "a first label alone makes no peer this node, with its address it does"
is_self w1 '' '[peers]' 'w1.b.example = 127.1.0.1' 'w11.b.example = 127.1.0.2'
is_self w1 w1.b.example '[peers]' 'w1.b.example = 10.9.0.1' 'w1.a.example = 127.1.0.2'
is_self w1 '' '[peers]' 'w11 = 127.1.0.1' 'xw1 = 127.1.0.2' 'b.w1 = 127.1.0.3'

behaviour "a node is no namesake of another domain"
is_self w1.b.example '' '[peers]' 'w1.a.example = 127.1.0.1'

behaviour "a host that is called localhost has no name"
is_self localhost x '[peers]' 'localhost = 127.1.0.1' 'x = 10.9.0.1'
is_self localhost.localdomain '' '[peers]' 'localhost = 127.1.0.1' 'y = 127.1.0.2'

behaviour "a node is the peer that has an address of its own, of either family"
is_self other x '[peers]' 'x = 10.9.0.1' 'y = 127.1.0.2'
is_self other x '[peers]' 'x = fd00:9::1' 'y = 127.1.0.2'
echo '10.9.0.1 named' >>"$TEST_TMP/hosts"
is_self other named '[peers]' 'named =' 'y = 127.1.0.2'

behaviour "loopback addresses identify nobody"
is_self other '' '[peers]' 'x = 127.0.0.1' 'y = ::1'

behaviour "a name goes before an address, which is not pinged as another peer"
is_self w1 w1 '[peers]' 'w1 =' 'x = 10.9.0.1' 'y = 127.1.0.2'
assert_eq 1 "$(value "$FILE" 'nodecanary_peers{group="default",state="unselected"}')"
absent "$FILE" 'nodecanary_peer_up{group="default",peer="x"}'
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="y"}')"

behaviour "what self says goes before everything"
is_self w1 w2 '[collector]' 'self = w2' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'
is_self w1 w2 '[collector]' 'self = W2' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'

behaviour "a self that no group has is an error of -C, and a warning of a run, which goes on"
write_ini '[collector]' 'self = wroker1' '[probe]' 'members_only = yes' '[peers]' \
	'worker1 = 127.1.0.1' 'worker2 = 127.1.0.2'
on_host other 78 -C
says 1 'self = .wroker1.: no such peer'
on_host other 0
says 2 'self = .wroker1.: no such peer'
says 2 'group .default.: this node pings no peer: no peer has the name or an address of this host'
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
on_host worker1 0
says 1 'self = .wroker1.: no such peer'
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="worker2"}')"

behaviour "with skip_self = no a node pings itself and still is a member"
write_ini '[collector]' 'skip_self = no' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'
on_host w1 0
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="w1"}')"
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="w1"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_group_observers{group="default"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"

# replies PEER [GROUP]
replies() { value "$FILE" "nodecanary_replies_total{group=\"${2:-default}\",peer=\"$1\"}"; }

behaviour "virtual addresses come and go: no run fails, and they are pinged when they are elsewhere"
rm "$FILE"
far_start
ip link add v0 type veth peer name v1 netns "$FAR_PID"
ip addr add 10.8.0.1/24 dev v0
ip link set v0 up
far ip link set lo up
far ip addr add 10.8.0.2/24 dev v1
far ip link set v1 up
for vip in 10.8.0.100 10.8.0.101; do far ip addr add $vip/32 dev v1; done
write_ini '[peers]' 'w1 = 10.8.0.1' 'w2 = 10.8.0.2' 'api = 10.8.0.100' \
	'[peers virtual]' 'vip-a = 10.8.0.100' 'vip-b = 10.8.0.101'
at_home=ip-10-8-0-1
on_host $at_home 0
silent
assert_eq 1/1/1/1 "$(replies w2)/$(replies api)/$(replies vip-a virtual)/$(replies vip-b virtual)"
for vip in 10.8.0.100 10.8.0.101; do
	far ip addr del $vip/32 dev v1
	ip addr add $vip/32 dev v0
	on_host $at_home 0
	silent
done
assert_eq 3 "$(replies w2)"
assert_eq w1 "$(sed -n 's/^nodecanary_self_info{group="default",peer="\(.*\)"} 1$/\1/p' "$FILE")"
assert_not_contains "$FILE" 'peer="api"'
on_host $at_home 0 -C
for vip in 10.8.0.100 10.8.0.101; do
	ip addr del $vip/32 dev v0
	far ip addr add $vip/32 dev v1
done
ip neigh flush dev v0
on_host $at_home 0
silent
assert_eq 4/2/2/3 "$(replies w2)/$(replies api)/$(replies vip-a virtual)/$(replies vip-b virtual)"
assert_not_contains "$FILE" 'nodecanary_self_info{group="virtual"'

behaviour "a node that pings nobody because all addresses are its own says so"
rm "$FILE"
ip addr add 10.8.0.200/32 dev v0
ip addr add 10.8.0.201/32 dev v0
write_ini '[peers]' 'a = 10.8.0.200' 'b = 10.8.0.201'
on_host other 0
says 1 'group .default.: this node pings no peer: all peers have an address of this host'
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
assert_eq 0 "$(value "$FILE" nodecanary_runs_total)"
run_nc 0 -C -c x.ini
assert_file_contains out 'self not among them \(several peers have an address of this host\); 0 pinged,'

behaviour "while no address is there yet, the node is who it was, and its counters go on"
for option in 'members_only = yes' 'fanout = 2'; do
	rm -f "$FILE"
	ip link set v0 up
	write_ini "$option" '[peers]' 'a = 10.8.0.1' 'b = 127.1.0.2' 'c = 127.1.0.3' 'd = 127.1.0.4'
	on_host other 0
	counted=$(grep -c '^nodecanary_requests_total' "$FILE")
	ip addr del 10.8.0.1/24 dev v0
	on_host other 0
	silent
	ip addr add 10.8.0.1/24 dev v0
	on_host other 0
	assert_eq "$counted" "$(grep -c '^nodecanary_requests_total.* 3$' "$FILE")" "peers"
	assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="a"}')"
done

behaviour "virtual addresses of another group do not make it forget who it is meanwhile"
rm -f "$FILE"
write_ini '[probe default]' 'members_only = yes' '[peers]' 'a = 10.8.0.1' 'b = 127.1.0.2' '[peers services]' \
	's1 = 10.8.0.200' 's2 = 10.8.0.201' 's3 = 127.1.0.3'
on_host other 0
ip addr del 10.8.0.1/24 dev v0
on_host other 0
silent
ip addr add 10.8.0.1/24 dev v0
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="a"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="b"}')"

behaviour "a virtual address that has left for good is pinged after 40 runs"
rm -f "$FILE"
write_ini '[peers]' 'v = 10.8.0.202' 'b = 127.1.0.2'
ip addr add 10.8.0.202/32 dev v0
on_host other 0
ip addr del 10.8.0.202/32 dev v0
for ((run = 1; run <= 40; run++)); do on_host other 0; done
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="v"}')"
on_host other 0
absent "$FILE" 'nodecanary_self_info{group="default"'
assert_eq 1 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="v"}')"

behaviour "a list that gives this node the address of another one is seen on both"
for host in n1 n2; do
	write_ini '[peers]' "$host = 127.1.0.2" "other = 10.8.0.1" 'n3 = 127.1.0.3'
	on_host $host 0
	says 1 "group .default.: peer .other. has an address of this host, which is peer .$host.: "
	clean_metrics "$FILE"
	assert_eq 1 "$(value "$FILE" 'nodecanary_address_conflict{group="default",peer="other"}')"
	on_host $host 0 -C
	says 1 'peer .other. has an address of this host'
done
write_ini '[peers]' 'n1 = 10.8.0.1' 'n2 = 127.1.0.2' 'n3 = 127.1.0.3'
on_host n1 0
silent
absent "$FILE" nodecanary_address_conflict

behaviour "-l says which peer this node is, and why"
write_ini '[probe rack]' 'members_only = yes' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2' \
	'[peers rack]' 'r = 127.1.0.3' '[peers virtual]' 'a = 10.8.0.200' 'b = 10.8.0.201'
on_host w1 0 -l
for line in 'group default: this node is w1: it has the name of this host' \
	'group rack: this node is not among the peers: no peer has the name or an address of this host' \
	'group virtual: this node is not among the peers: several peers have an address of this host'; do
	assert_file_contains "$TEST_TMP/out" "^$line\$"
done

behaviour "the fully qualified name of /etc/hosts decides between two, and finds an alias"
echo '127.0.1.1 w1.b.example w1' >>"$TEST_TMP/hosts"
is_self w1 w1.b.example '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
# Without a lookup, the previous run had it.
is_self w1 w1.b.example '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
rm "$FILE"
echo '127.1.0.4 w2.b.example' >>"$TEST_TMP/hosts"
is_self w1 db1 'members_only = yes' '[peers]' 'db1 = w1.b.example' 'db2 = w2.b.example'
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="db2"}')"

behaviour "a host of others that begins with the name of this one is pinged"
is_self w1 '' '[peers]' 'w1.registrar.example = 127.1.0.5'
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="w1.registrar.example"}')"

behaviour "a mesh is probed by its members alone, targets by every node"
write_ini '[probe mesh]' 'members_only = yes' '[probe rack]' 'members_only = yes' \
	'[peers mesh]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2' '[peers rack]' 'w8 = 127.1.0.8' \
	'[peers targets]' 'gateway = 127.1.0.9'
on_host w1 0
clean_metrics "$FILE"
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="mesh",peer="w2"}')"
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="targets",peer="gateway"}')"
assert_not_contains "$FILE" 'peer="w8"'
assert_eq 1 "$(value "$FILE" 'nodecanary_peers{group="rack",state="unselected"}')"
assert_eq 1 "$(grep -c '^nodecanary_group_observers' "$FILE")"
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="mesh",peer="w1"}')"

behaviour "nodes with the same list have the same hash, and others another one"
hash_on() {
	on_host "$1" 0
	value "$FILE" 'nodecanary_peer_list_hash{group="default"}'
}
write_ini '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2 rack=r1'
one=$(hash_on w1)
assert_eq "$one" "$(hash_on w2)"
write_ini '[peers]' 'W2 = 127.1.0.2' 'w1 = 127.1.0.1'
assert_eq "$one" "$(hash_on w3)" "with another order, case and labels"
write_ini '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.3'
[ "$one" != "$(hash_on w1)" ] || fail "another address, and the same hash"
write_ini '[peers]' 'w1 = 127.1.0.1'
[ "$one" != "$(hash_on w1)" ] || fail "another list, and the same hash"

behaviour "an empty list of peers and a fleet of oneself are valid, silent and counted"
rm "$FILE"
runs=0
for lines in '[peers]' '' '[peers]
w1 = 127.1.0.1' '[peers]'; do
	write_ini "$lines"
	on_host w1 0
	silent
	clean_metrics "$FILE"
	runs=$((runs + 1))
	assert_eq $runs "$(value "$FILE" nodecanary_runs_total)"
	assert_eq 1 "$(value "$FILE" nodecanary_last_run_success)"
	absent "$FILE" nodecanary_requests_total
done
: >"$TEST_TMP/x.ini"
on_host w1 0
silent

behaviour "the qualified name is known even while DNS is silent about peers"
dns_zone <<<'* silent'
write_ini '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2' 'silent.test ='
on_host w1 0
says 1 'cannot resolve .silent\.test.'
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="w1.b.example"}')"

behaviour "a configuration that a run takes is one that -C takes"
write_ini '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
on_host w1 0
on_host w1 0 -C

done_testing
