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

behaviour "a node is the only peer that has its name as the first label"
is_self w1 w1.b.example '[peers]' 'w1.b.example = 127.1.0.1' 'w11.b.example = 127.1.0.2'
is_self w1 '' '[peers]' 'w11 = 127.1.0.1' 'xw1 = 127.1.0.2' 'b.w1 = 127.1.0.3'

behaviour "a node is no namesake of another domain"
is_self w1.b.example '' '[peers]' 'w1.a.example = 127.1.0.1'

behaviour "a node is the peer that has an address of its own, of either family"
is_self other x '[peers]' 'x = 10.9.0.1' 'y = 127.1.0.2'
is_self other x '[peers]' 'x = fd00:9::1' 'y = 127.1.0.2'
echo '10.9.0.1 named' >>"$TEST_TMP/hosts"
is_self other named '[peers]' 'named =' 'y = 127.1.0.2'

behaviour "loopback addresses identify nobody"
is_self other '' '[peers]' 'x = 127.0.0.1' 'y = ::1'

behaviour "a name goes before an address"
is_self w1 w1 '[peers]' 'w1 = 127.1.0.1' 'x = 10.9.0.1'

behaviour "what self says goes before everything"
is_self w1 w2 '[collector]' 'self = w2' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'
is_self w1 w2 '[collector]' 'self = W2' '[peers]' 'w1 = 10.9.0.1' 'w2 = 127.1.0.2'
is_self w1 '' '[collector]' 'self = w3' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'

behaviour "with skip_self = no a node pings itself and still is a member"
write_ini '[collector]' 'skip_self = no' '[peers]' 'w1 = 127.1.0.1' 'w2 = 127.1.0.2'
on_host w1 0
assert_eq 1 "$(value "$FILE" 'nodecanary_peer_up{group="default",peer="w1"}')"
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="w1"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_group_observers{group="default"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"

behaviour "two candidates in a group are an error that names both"
write_ini '[peers]' 'x = 10.9.0.1' 'y = fd00:9::1'
on_host other 78
says 1 'x\.ini:9: peer .y. and peer .x. \(.*x\.ini:8\) of group .default. .*address of this host'
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
on_host other 78 -C
write_ini '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
on_host w1 78
says 1 'peer .w1\.b\.example. and peer .w1\.a\.example. .*set .self.'
is_self w1 w1.b.example '[collector]' 'self = w1.b.example' '[peers]' \
	'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'

behaviour "the fully qualified name of /etc/hosts decides between two"
echo '127.0.1.1 w1.b.example w1' >>"$TEST_TMP/hosts"
is_self w1 w1.b.example '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'

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
assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="w1.b.example"}')"

behaviour "a configuration that a run takes is one that -C takes"
write_ini '[peers]' 'w1.a.example = 127.1.0.1' 'w1.b.example = 127.1.0.2'
on_host w1 0
on_host w1 0 -C

done_testing
