#!/bin/bash
# Name servers that are silent, slow, gone or lie delay no run and mislead none.
# lookups.sh has the behaviours of a name server that works, and most of one that does not.
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need mount pgrep

FILE=$TEST_TMP/textfiles/x.prom
mkdir textfiles

# run_with LINE...: every name is looked up in each run, unless EVERY says otherwise. There is
# nothing to complain of, or one line that SAYS names.
run_with() {
	printf '%s\n' '[collector]' "resolve_timeout = ${TIMEOUT:-500ms}" "resolve_every = ${EVERY:-0s}" \
		'[probe]' 'count = 2' 'warmup = 0' 'interval = 1ms' 'timeout = 1s' '[peers]' "$@" >x.ini
	run_nc 0 -c x.ini -o "$FILE"
	if [ -n "${SAYS:-}" ]; then says 1 "$SAYS"; else silent; fi
	! pgrep -f -- "$NC" >/dev/null || fail "a child is left over"
}

# of METRIC PEER
of() { value "$FILE" "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

# address PEER
address() {
	sed -n "s/^nodecanary_peer_info{group=\"default\",peer=\"$1\".*,address=\"\([^\"]*\)\".*/\1/p" \
		"$FILE"
}

resolve_seconds() { value "$FILE" nodecanary_last_run_resolve_seconds; }

# resolved PREFIX: how many of these peers are.
resolved() { grep -c "^nodecanary_peer_resolved{.*peer=\"$1.*} 1$" "$FILE" || true; }

# up PREFIX
up() { grep -c "^nodecanary_peer_up{.*peer=\"$1.*} 1$" "$FILE" || true; }

good=() bad=()
for ((i = 1; i <= 40; i++)); do
	good+=("good$i.test =")
	bad+=("bad$i.test =")
done

dns_start <<'ZONE'
good[1-40].test A 127.5.0.+
bad[1-40].test A 127.5.1.+
ZONE

behaviour "a zone that turns silent costs the timeout at most, and its peers are pinged where they were"
run_with "${good[@]}" "${bad[@]}" 'numeric = 127.5.9.1'
assert_eq 40/40 "$(up good)/$(up bad)" "up"
dns_zone <<'ZONE'
good[1-40].test A 127.5.0.+
bad[1-40].test silent
ZONE
SAYS='cannot resolve .bad[0-9]*\.test.: no answer in time' \
	run_with "${good[@]}" "${bad[@]}" 'numeric = 127.5.9.1'
assert_between 0.4 "$(resolve_seconds)" 1.5 "seconds for look-ups"
assert_eq 40/40 "$(up good)/$(up bad)" "up/up"
assert_between 20 "$(resolved bad)" 39 "names that keep what is known of them, as they were not asked for"
assert_eq 127.5.1.7/4 "$(address bad7.test)/$(of requests_total bad7.test)"
assert_eq 4 "$(of replies_total numeric)"

# Forty look-ups at a time; each name that is silent keeps two of them busy. What was not even asked
# is asked first in the next run.
behaviour "names that were never resolved wait for the silent ones for three runs at most"
rm -f "$FILE"
for _ in 1 2 3; do
	SAYS='no answer in time' TIMEOUT=1s EVERY=1h run_with "${good[@]}" "${bad[@]}" 'numeric = 127.5.9.1'
done
assert_eq 6 "$(of replies_total numeric)" "replies of a numeric peer"
assert_eq 40/40/0 "$(resolved good)/$(up good)/$(resolved bad)"

behaviour "a name whose lookup failed for lack of time is asked for in the next run, and no other"
dns_zone <<'ZONE'
good[1-40].test A 127.5.0.+
bad[1-40].test A 127.5.1.+
ZONE
dns_forget
TIMEOUT=5s EVERY=1h run_with "${good[@]}" "${bad[@]}" 'numeric = 127.5.9.1'
assert_eq 40/40/80 "$(resolved bad)/$(up bad)/$(dns_queries)" "resolved/up/queries"

behaviour "a name server that is gone is told at once, and the last addresses serve"
kill -STOP "$DNS_PID"
wait_until 5 grep -q '^State:.T' "/proc/$DNS_PID/status"
cp resolv.conf resolv.conf.good
echo 'nameserver 127.0.0.9' >resolv.conf
SAYS='cannot resolve .good[0-9]*\.test.: no name server of .*resolv\.conf' TIMEOUT=5s run_with "${good[@]}"
assert_le "$(resolve_seconds)" 4 "seconds for look-ups"
assert_eq 40/0 "$(up good)/$(resolved good)" "up/resolved"

behaviour "an unresponsive name server of two costs no name"
kill -CONT "$DNS_PID"
printf '%s\n' 'nameserver 127.0.0.9' 'nameserver 127.0.0.1' >resolv.conf
run_with "${good[@]}"
assert_eq 40/40 "$(up good)/$(resolved good)" "up/resolved"

# Unlike the one above, which the kernel refuses at once.
behaviour "a first name server that is silent costs a second, no name, and is told"
"$TOOLS/dnsd" -a 127.0.0.8 -z <(echo '* silent') -r silent.ready 2>silent.err &
silent_pid=$!
wait_until 10 test -s silent.ready
printf '%s\n' 'nameserver 127.0.0.8' 'nameserver 127.0.0.1' >resolv.conf
rm "$FILE"
SAYS='the fastest lookup took 1\.[0-9] s: does the first name server .*resolv\.conf answer' \
	TIMEOUT=5s run_with "${good[@]:0:20}"
assert_between 1 "$(resolve_seconds)" 4 "seconds for look-ups"
assert_eq 20/20 "$(up good)/$(resolved good)" "up/resolved"

behaviour "with little time for many names a silent first name server only makes them wait for their turn"
rm "$FILE"
for _ in 1 2 3 4; do
	TIMEOUT=1500ms EVERY=1h run_nc 0 -c x.ini -o "$FILE"
done
assert_eq 20/20 "$(up good)/$(resolved good)" "up/resolved"

behaviour "RES_OPTIONS of the administrator goes before the second"
printf '%s\n' '[collector]' 'resolve_timeout = 2s' '[probe]' 'count = 1' 'warmup = 0' '[peers]' 'good1.test =' >x.ini
rm "$FILE"
RES_OPTIONS=timeout:5 run_nc 0 -c x.ini -o "$FILE"
says 1 '.good1\.test.: no answer in time'
assert_eq 0 "$(resolved good)"
kill $silent_pid
cat resolv.conf.good >resolv.conf

behaviour "an answer that comes after the timeout is none, and disturbs no later run"
dns_zone <<'ZONE'
good[1-40].test A 127.5.0.+
slow.test A 127.5.2.1
slow.test delay=700ms
ZONE
SAYS='.slow\.test.: no answer in time' run_with "${good[@]}" 'slow.test ='
assert_eq 40/0/2 "$(up good)/$(of peer_resolved slow.test)/$(of unsent_total slow.test)"
SAYS='.slow\.test.: no answer in time' run_with "${good[@]}" 'slow.test ='
assert_eq 40/0 "$(resolved good)/$(of peer_resolved slow.test)"
TIMEOUT=3s run_with "${good[@]}" 'slow.test ='
assert_eq 1/127.5.2.1/2 "$(of peer_resolved slow.test)/$(address slow.test)/$(of requests_total slow.test)"

behaviour "a name with 1,000 addresses is one peer, keeps its address and costs little memory"
run_with 'a = 127.5.9.1'
before=$(kilobytes "$FILE")
awk 'BEGIN { for (i = 0; i < 1000; i++) printf "127.6.%d.%d crowd\n", i / 250, i % 250 + 1 }' >>hosts
run_with 'crowd =' 'a = 127.5.9.1'
used=$(address crowd)
[[ $used = 127.6.* ]] || fail "address: expected one of 127.6.0.0/16, actual '$used'"
assert_eq 1 "$(grep -c '^nodecanary_peer_info{.*"crowd"' "$FILE")" "series of addresses"
for _ in 1 2 3; do run_with 'crowd =' 'a = 127.5.9.1'; done
assert_eq "$used/8/8" "$(address crowd)/$(of requests_total crowd)/$(of replies_total crowd)"
is_sanitized || assert_le "$(kilobytes "$FILE")" $((before + 256)) "kB"

behaviour "addresses of the other family alone are no answer"
dns_zone <<<'four.test A 127.5.3.1'
SAYS='.four\.test.: no such name, or it has no address of the family' \
	run_with 'four = four.test' 'numeric = 127.5.9.1' '[probe six]' 'family = ipv6' '[peers six]' \
	'four = four.test'
assert_eq 1 "$(of peer_resolved four)"
assert_eq 0 "$(value "$FILE" 'nodecanary_peer_resolved{group="six",peer="four"}')"

behaviour "addresses that no peer can have are no answer: everybody's, many hosts', our own notation"
dns_zone <<'ZONE'
nobody.test A 0.0.0.0
group.test A 224.0.0.1
all.test A 255.255.255.255
six.test AAAA ff02::1
mapped.test AAAA ::ffff:127.0.0.1
any.test AAAA ::
mixed.test A 224.0.0.1
mixed.test A 127.5.4.1
ZONE
liars=(nobody group all six mapped any)
SAYS='cannot resolve .*[(]names: 6[)]' run_with "${liars[@]/%/.test =}" 'mixed.test ='
for name in "${liars[@]}"; do
	assert_eq 0/2/0 "$(of peer_resolved "$name.test")/$(of unsent_total "$name.test")/$(
		of requests_total "$name.test")" "resolved/unsent/requests of $name"
done
assert_eq 1/127.5.4.1 "$(of peer_up mixed.test)/$(address mixed.test)"

behaviour "two names that come to one address are two peers, each with its own replies"
dns_zone <<'ZONE'
one.test A 127.5.5.1
other.test A 127.5.5.1
ZONE
run_with 'one.test =' 'other.test ='
assert_eq 2/2/2/2 "$(of requests_total one.test)/$(of replies_total one.test)/$(
	of requests_total other.test)/$(of replies_total other.test)"
done_testing
