#!/bin/bash
# Names are looked up within the timeout, kept while DNS is out, and asked for no more than needed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need mount pgrep

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"

# write_ini LINE...: short rounds, names looked up in each run; then these lines.
write_ini() {
	printf '%s\n' '[collector]' "resolve_timeout = ${TIMEOUT:-2s}" "resolve_every = ${EVERY:-0s}" \
		'[probe]' 'count = 2' 'warmup = 0' 'interval = 1ms' 'timeout = 200ms' "$@" >"$TEST_TMP/x.ini"
}

# run_with LINE...: nothing to complain of, or one line that SAYS names, and no child outlives it.
run_with() {
	write_ini "$@"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	if [ -n "${SAYS:-}" ]; then says 1 "$SAYS"; else silent; fi
	no_child_left
}

no_process() { ! pgrep -f -- "$NC" >/dev/null; }

no_child_left() { no_process || fail "left over: $(pgrep -af -- "$NC")"; }

# of METRIC PEER [FAMILY]
of() {
	value "$FILE" "nodecanary_$1{group=\"default\",peer=\"$2\"${3:+,family=\"$3\"}}"
}

# address PEER
address() {
	sed -n "s/^nodecanary_peer_info{group=\"default\",peer=\"$1\".*,address=\"\([^\"]*\)\".*/\1/p" \
		"$FILE"
}

resolve_seconds() { value "$FILE" nodecanary_last_run_resolve_seconds; }

# Another host, as IPv6 has but one loopback address. liboping takes a family only if this host has
# an address of it besides loopback.
far_start
ip link add v0 type veth peer name v1 netns "$FAR_PID"
ip addr add 10.5.0.9/24 dev v0
ip -6 addr add fd00:5::9/64 dev v0 nodad
ip link set v0 up
far ip -6 addr add fd00:5::1/64 dev v1 nodad
far ip -6 addr add fd00:6::1/128 dev v1 nodad
far ip link set v1 up

dns_start <<'ZONE'
host[1-200].test A 127.5.0.+
new.test A 127.5.0.250
* delay=50ms
ZONE

behaviour "200 names at a server of 50 ms are all resolved within the timeout"
peers=()
for ((i = 1; i <= 200; i++)); do peers+=("host$i.test ="); done
run_with '[peers]' "${peers[@]}"
assert_eq 200 "$(grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE")"
assert_eq 200 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$FILE")"
assert_eq 127.5.0.200 "$(address host200.test)"
assert_between 0.05 "$(resolve_seconds)" 2 "seconds for look-ups"

behaviour "between look-ups the addresses of the last run serve, and nobody is asked"
dns_forget
EVERY=1m run_with '[peers]' "${peers[@]}"
assert_eq 0 "$(dns_queries)" "queries"
assert_eq 200 "$(grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE")"
assert_eq 4 "$(of requests_total host7.test)"

behaviour "a name that is new is looked up at once, and alone"
EVERY=1m run_with '[peers]' "${peers[@]}" 'new = new.test'
assert_eq 2/2 "$(dns_queries)/$(dns_queries new.test)" "queries, A and AAAA"
assert_eq 1 "$(of peer_up new)"

behaviour "when resolve_every has passed, each name is asked for again, once"
dns_forget
at=$(value "$FILE" nodecanary_last_resolve_timestamp_seconds)
EVERY=1ms run_with '[peers]' "${peers[@]}"
assert_eq 400 "$(dns_queries)" "queries"
assert_le "$at" "$(value "$FILE" nodecanary_last_resolve_timestamp_seconds)"
[ "$at" != "$(value "$FILE" nodecanary_last_resolve_timestamp_seconds)" ] || fail "the same time"

# Each name that is silent keeps two of forty look-ups busy. The others were not asked for.
behaviour "a server that says nothing costs no more than the timeout, and the last addresses serve"
dns_zone <<<'* silent'
TIMEOUT=500ms SAYS='cannot resolve .host[0-9]*\.test.: no answer in time .*resolv\.conf' \
	run_with '[peers]' "${peers[@]}"
assert_between 0.4 "$(resolve_seconds)" 1.2 "seconds for look-ups"
assert_between 1 "$(grep -c '^nodecanary_peer_resolved{.*} 0$' "$FILE")" 20 "unresolved"
assert_eq 200 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$FILE")"
assert_eq 127.5.0.200 "$(address host200.test)"
assert_eq 10 "$(of requests_total host7.test)"
assert_eq 200 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"

behaviour "after an outage the next run goes on with the names that were not asked for, before their time"
dns_zone <<<'host[1-200].test A 127.5.0.+'
dns_forget
EVERY=1h run_with '[peers]' "${peers[@]}"
assert_eq 400 "$(dns_queries)" "queries"
assert_eq 200 "$(grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE")"
dns_forget
EVERY=1h run_with '[peers]' "${peers[@]}"
assert_eq 0 "$(dns_queries)" "queries"
dns_zone <<<'* silent'

behaviour "an outage that lasts changes nothing, and its end is seen"
TIMEOUT=200ms SAYS='no answer in time' run_with '[peers]' "${peers[@]}"
assert_eq 200 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$FILE")"
dns_zone <<<'host[1-200].test A 127.5.1.+'
run_with '[peers]' "${peers[@]}"
assert_eq 200 "$(grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE")"
assert_eq 127.5.1.7 "$(address host7.test)"
assert_eq 18 "$(of requests_total host7.test)"

behaviour "a failed run keeps what is known of names"
echo nonsense >"$TEST_TMP/broken.ini"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
dns_zone <<<'* silent'
TIMEOUT=200ms SAYS='.host7\.test.: no answer in time' run_with '[peers]' 'host7.test ='
assert_eq 127.5.1.7/0/1 "$(address host7.test)/$(of peer_resolved host7.test)/$(of peer_up host7.test)"

behaviour "a name that fails in whatever way disturbs no other peer"
dns_zone <<'ZONE'
good.test A 127.5.2.1
silent.test silent
refused.test refused
broken.test servfail
nobody.test nxdomain
none.test AAAA 2001:db8::1
odd.test A 0.0.0.0
crowd.test many=1000
ZONE
TIMEOUT=500ms write_ini '[peers]' 'good.test =' 'silent.test =' 'refused.test =' \
	'broken.test =' 'nobody.test =' 'odd.test =' 'numeric = 127.5.2.9'
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
no_child_left
assert_eq 4 "$(wc -l <"$TEST_TMP/err")" "lines, one for each reason"
for line in '.silent\.test.: no answer in time' 'without an error [(]names: 2[)]' \
	'.nobody\.test.: no such name' '.odd\.test.: 0\.0\.0\.0 is unspecified'; do
	assert_file_contains "$TEST_TMP/err" "$line"
done
for peer in silent refused broken nobody odd; do
	assert_eq 0 "$(of peer_resolved $peer.test)" "$peer is resolved"
	assert_eq '' "$(address $peer.test)"
	assert_eq 0/2 "$(of requests_total $peer.test)/$(of unsent_total $peer.test)" "$peer: sent/unsent"
	absent "$FILE" "nodecanary_peer_up{group=\"default\",peer=\"$peer.test\"}"
done
assert_eq 1/1 "$(of peer_up good.test)/$(of peer_resolved good.test)"
assert_eq 1 "$(of peer_up numeric)"
absent "$FILE" 'nodecanary_peer_resolved{group="default",peer="numeric"}'
assert_eq 5 "$(value "$FILE" 'nodecanary_peers{group="default",state="unresolved"}')"
assert_eq 2 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"
assert_eq 1 "$(value "$FILE" nodecanary_last_run_success)"

behaviour "a name with a crowd of addresses is one peer"
write_ini '[peers]' 'crowd.test ='
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE" # its addresses cannot be reached
no_child_left
assert_eq 1 "$(of peer_resolved crowd.test)"

behaviour "the address in use stays while it is among the answers, whatever their order"
dns_zone <<'ZONE'
two.test A 127.5.3.1
two.test A 127.5.3.2
ZONE
run_with '[peers]' 'p = two.test'
first=$(address p)
other=127.5.3.$((3 - ${first##*.}))
dns_zone <<ZONE
two.test A $other
two.test A 127.5.3.3
two.test A $first
ZONE
run_with '[peers]' 'p = two.test'
assert_eq "$first" "$(address p)"
dns_zone <<<"two.test A $other"
run_with '[peers]' 'p = two.test'
assert_eq "$other" "$(address p)"
assert_eq 6/6 "$(of requests_total p)/$(of replies_total p)"

behaviour "an address that alternates is followed, and resets no counter"
dns_zone <<'ZONE'
flip.test A 127.5.4.1
flip.test A 127.5.4.2
flip.test flip
ZONE
seen=
for _ in 1 2 3 4; do
	run_with '[probe g]' 'family = ipv4' '[peers]' '[peers g]' 'p = flip.test'
	seen="$seen $(sed -n 's/^nodecanary_peer_info{group="g".*address="127.5.4.\([^"]*\)".*/\1/p' "$FILE")"
done
assert_eq ' 1 2 1 2' "$seen"
assert_eq 8 "$(value "$FILE" 'nodecanary_requests_total{group="g",peer="p"}')"

behaviour "family chooses among A and AAAA, and both is a set of series for each"
dns_zone <<'ZONE'
dual.test A 127.5.5.1
dual.test AAAA fd00:5::1
four.test A 127.5.5.2
ZONE
dns_forget
run_with 'family = ipv4' '[peers]' 'dual.test ='
assert_eq 127.5.5.1 "$(address dual.test)"
assert_eq 'dual.test A' "$(cat "$TEST_TMP/dns.log")" "queries"
SAYS='.four\.test.: no such name, or it has no address of the family' \
	run_with 'family = ipv6' '[peers]' 'dual.test =' 'four.test ='
assert_eq fd00:5::1 "$(address dual.test)"
assert_eq 0 "$(of peer_resolved four.test)"
run_with 'family = both' '[peers]' 'dual.test =' 'four.test ='
assert_eq '127.5.5.1 fd00:5::1' "$(address dual.test | paste -sd ' ')"
for family in ipv4 ipv6; do
	assert_eq 1/1 "$(of peer_up dual.test $family)/$(of peer_resolved dual.test $family)"
done
assert_eq 1/1 "$(of peer_up four.test ipv4)/$(of peer_resolved four.test ipv4)"
assert_not_contains "$FILE" 'peer="four.test",family="ipv6"'
assert_eq 2 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"

behaviour "with both, a family that a name gets or loses comes and goes, and its counters go on"
dns_zone <<'ZONE'
dual.test A 127.5.5.1
four.test A 127.5.5.2
four.test AAAA fd00:5::1
ZONE
run_with 'family = both' '[peers]' 'dual.test =' 'four.test ='
assert_not_contains "$FILE" 'peer="dual.test",family="ipv6"'
assert_eq 1/2 "$(of peer_up four.test ipv6)/$(of requests_total four.test ipv6)"
dns_zone <<'ZONE'
dual.test A 127.5.5.1
dual.test AAAA fd00:5::1
four.test A 127.5.5.2
ZONE
run_with 'family = both' '[peers]' 'dual.test =' 'four.test ='
assert_eq 4 "$(of requests_total dual.test ipv6)"
assert_not_contains "$FILE" 'peer="four.test",family="ipv6"'
assert_eq 2 "$(value "$FILE" 'nodecanary_peers{group="default",state="probed"}')"

# Without a route there is no point in an address; the host fd00:6::1 has none here at first.
behaviour "of two families the one that can be used here is taken, also from one that could be used"
dns_zone <<'ZONE'
dual.test A 127.5.5.1
dual.test AAAA fd00:6::1
ZONE
run_with '[peers]' 'dual.test ='
assert_eq 127.5.5.1/1 "$(address dual.test)/$(of peer_up dual.test)"
ip -6 route add fd00:6::/64 via fd00:5::1
run_with '[peers]' 'dual.test ='
assert_eq 127.5.5.1 "$(address dual.test)" "the address in use is kept while it can be used"
rm "$FILE"
run_with '[peers]' 'dual.test ='
assert_eq fd00:6::1/1 "$(address dual.test)/$(of peer_up dual.test)"
ip -6 route del fd00:6::/64
run_with '[peers]' 'dual.test ='
assert_eq 127.5.5.1/1 "$(address dual.test)/$(of peer_up dual.test)"

# Each time only one rule leads to the other host, and nothing to the IPv6 address.
far ip addr add 10.6.0.1/32 dev v1
far ip route add 10.5.0.0/24 dev v1
ip route add 10.6.0.1 dev v0 src 10.5.0.9 table 100
ip addr add 10.5.0.8/24 dev v0
dns_zone <<'ZONE'
marked.test A 10.6.0.1
marked.test AAAA fd00:6::1
ZONE
for option in 'mark = 0x10' 'source = 10.5.0.8'; do
	behaviour "a route that only $option of the group leads to counts"
	rule=(fwmark 0x10)
	if [ "${option% =*}" = source ]; then rule=(from 10.5.0.8); fi
	ip rule add "${rule[@]}" lookup 100
	rm "$FILE"
	run_with "$option" '[peers]' 'marked.test ='
	assert_eq 10.6.0.1/1/0 "$(address marked.test)/$(of peer_up marked.test)/$(of unsent_total marked.test)"
	ip rule del "${rule[@]}" lookup 100
done

behaviour "a name server that has nothing to say about IPv6 costs no IPv4 address"
dns_zone <<'ZONE'
half.test A 127.5.5.3
half.test no-aaaa
ZONE
TIMEOUT=500ms run_with '[peers]' 'half.test ='
assert_eq 127.5.5.3/1/1 "$(address half.test)/$(of peer_resolved half.test)/$(of peer_up half.test)"
TIMEOUT=500ms SAYS='no answer in time' run_with 'family = both' '[peers]' 'half.test ='
assert_eq 1/0 "$(of peer_up half.test ipv4)/$(of peer_resolved half.test ipv6)"

behaviour "an answer that stands for the host itself is refused with the reason, another one is taken"
dns_zone <<'ZONE'
parked.test A 127.0.0.1
six.test AAAA ::1
mixed.test A 127.0.0.1
mixed.test A 127.5.5.4
local.test AAAA fe80::1
ZONE
echo '127.0.1.1 cloned' >>"$TEST_TMP/hosts"
SAYS='.[a-z.]*.: .* is .*[(]names: 4[)]' run_with '[peers]' 'parked.test =' 'six.test =' 'mixed.test =' \
	'local.test =' 'cloned ='
for peer in parked.test six.test local.test cloned; do
	assert_eq 0 "$(of peer_resolved $peer)" "$peer is resolved"
	absent "$FILE" "nodecanary_peer_up{group=\"default\",peer=\"$peer\"}"
done
assert_eq 127.5.5.4/1 "$(address mixed.test)/$(of peer_up mixed.test)"

behaviour "another host under the same name of a peer never inherits the old one's address"
dns_zone <<'ZONE'
old.test A 127.5.6.1
new.test silent
ZONE
run_with '[peers]' 'p = old.test'
assert_eq 127.5.6.1 "$(address p)"
for every in 0s 1m; do
	EVERY=$every TIMEOUT=200ms SAYS='.new\.test.: no answer in time' run_with '[peers]' 'p = new.test'
	assert_eq '' "$(address p)"
	assert_eq 0/2 "$(of peer_resolved p)/$(of requests_total p)"
done
EVERY=1m run_with '[peers]' 'p = 127.5.6.3'
assert_eq 127.5.6.3/4 "$(address p)/$(of requests_total p)"
EVERY=1m run_with '[peers]' 'p = old.test'
assert_eq 127.5.6.1/6 "$(address p)/$(of requests_total p)"

behaviour "names of /etc/hosts are found while DNS is silent"
dns_zone <<<'* silent'
echo '127.5.7.1 inhosts' >>"$TEST_TMP/hosts"
TIMEOUT=500ms SAYS='.outside\.test.: no answer in time' run_with '[peers]' 'inhosts =' 'outside.test ='
assert_eq 127.5.7.1/1/0 \
	"$(address inhosts)/$(of peer_up inhosts)/$(of peer_resolved outside.test)"

behaviour "numeric peers cause no query"
dns_forget
run_with '[peers]' 'a = 127.5.8.1' 'b = 127.5.8.2, ::1 rack=r1'
assert_eq 0 "$(dns_queries)" "queries"
assert_le "$(resolve_seconds)" 0.1

behaviour "the configuration is checked without any query"
write_ini '[peers]' 'inhosts =' 'outside.test ='
run_nc 0 -C -c "$TEST_TMP/x.ini"
assert_eq 0 "$(dns_queries)" "queries"

# a_run_that_looks_up: in the background as $pid, once its first question has been asked.
a_run_that_looks_up() {
	TIMEOUT=30s write_ini '[peers]' 'a.test =' 'b.test =' 'c = 127.5.9.1'
	dns_forget
	"$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err" &
	pid=$!
	wait_until 10 test -s "$TEST_TMP/dns.log"
}

behaviour "SIGTERM ends a look-up at once, with a file"
a_run_that_looks_up
before=$(_uptime_cs)
kill -TERM $pid
wait $pid
assert_le $(($(_uptime_cs) - before)) 200 "hundredths of a second"
no_child_left
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"

behaviour "children are reaped by the run alone, whatever whoever starts it does about SIGCHLD"
TIMEOUT=30s write_ini '[peers]' 'a.test =' 'b.test =' 'c = 127.5.9.1'
dns_forget
env --ignore-signal=CHLD "$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err" &
pid=$!
wait_until 10 test -s "$TEST_TMP/dns.log"
child=$(pgrep -P $pid | head -n 1)
kill -KILL "$child"
# shellcheck disable=SC2317 # wait_until calls it
is_zombie() { grep -q '^State:.*zombie' "/proc/$child/status"; }
wait_until 10 is_zombie
kill -TERM $pid
wait $pid
no_child_left

behaviour "children end with a run that is killed"
a_run_that_looks_up
kill -KILL $pid
{ wait $pid || true; } 2>/dev/null
wait_until 5 no_process

done_testing
