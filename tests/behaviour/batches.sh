#!/bin/bash
# Peers share batches by family and options; each address is asked once, and what one peer, address or family
# lacks costs nobody else anything.
# time-limit: 240
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

FILE=$TEST_TMP/x.prom

# of METRIC PEER
of() { value "$FILE" "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

# x_ini KEY...: two peers of IPv4, and of IPv6 two that answer around one that does not.
x_ini() {
	printf '%s\n' '[collector]' 'trace = 0' '[probe]' 'warmup = 0' "$@" '[peers]' 'a = 10.1.0.1' \
		'b = fd00:1::1' 'c = 10.1.0.2' 'd = fd00:1::2' 'e = fd00:1::3' >x.ini
	rm -f "$FILE"
}

cat >plan <<'PLAN'
10.1.0.1-10.1.39.255 delay=20ms
fd00:1::1            delay=20ms
fd00:1::2            silent
fd00:1::3            delay=50ms
fd00:2::1-fd00:2::ffff delay=20ms
PLAN
simnet_start plan

if ! is_sanitized; then
	# The first socket is a trial, the second one a rehearsal, the third one that of IPv4.
	behaviour "a peer for which there is no socket at first is unsent and named, and the others are measured"
	x_ini 'count = 3' 'timeout = 200ms'
	NC_WRAP="env LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM=socket:4:ENOBUFS" \
		run_nc 0 -c x.ini -o "$FILE"
	says 1 'peer .b.: cannot be pinged: No buffer space available$'
	assert_eq 3/0 "$(of unsent_total b)/$(of requests_total b)" "unsent/requests of b"
	for peer in a c e; do
		assert_eq 3/3 "$(of requests_total $peer)/$(of replies_total $peer)" "requests/replies of $peer"
	done
	assert_eq 3/0 "$(of requests_total d)/$(of replies_total d)" "requests/replies of d"
	assert_between 0.05 "$(of rtt_min_seconds e)" 0.15 "seconds of e, whose reply takes 50 ms"

	behaviour "where IPv6 is not supported one line says so, and IPv4 is measured"
	x_ini 'count = 3' 'timeout = 200ms'
	NC_WRAP="env LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM=socket:4+:EAFNOSUPPORT" \
		run_nc 0 -c x.ini -o "$FILE"
	says 1 'cannot ping ipv6 peers: Address family not supported by protocol .3 peers, the first is .b..$'
	for peer in a c; do assert_eq 3 "$(of replies_total $peer)" "replies of $peer"; done
	for peer in b d e; do assert_eq 3 "$(of unsent_total $peer)" "unsent of $peer"; done
	assert_eq 1 "$(value "$FILE" nodecanary_last_run_success)"

	behaviour "a socket that cannot be prepared costs the peers of its own batch alone, and one round at most"
	x_ini 'count = 3' 'interval = 1ms' 'timeout = 100ms'
	NC_WRAP="env LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM_COUNT=counts" run_nc 0 -c x.ini -o "$FILE"
	calls=$(awk '$1 == "setsockopt" { print $2 }' counts)
	prepared=0
	for ((n = 1; n <= calls; n++)); do
		NC_WRAP="env LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM=setsockopt:$n:ENOMEM" \
			run_nc 0 -c x.ini -o "$TEST_TMP/$n.prom"
		unsent=$(sum $n.prom nodecanary_unsent_total)
		assert_eq 15 $((unsent + $(sum $n.prom nodecanary_requests_total))) "requests with failure $n"
		assert_eq 0 "$(sum $n.prom nodecanary_discarded_rounds_total)" "discarded rounds with failure $n"
		if grep -q 'cannot prepare a raw socket' err; then
			prepared=$((prepared + 1))
			says 1 'cannot ping ipv[46] peers: cannot prepare a raw socket: Cannot allocate memory .[23] peers'
			assert_between 2 "$unsent" 3 "unsent with failure $n"
		fi
	done
	assert_le 4 "$prepared" "failures of a filter: two sockets with two filters each"
fi

behaviour "an unresponsive peer of one family delays no round of the other"
x_ini 'count = 4' 'interval = 50ms' 'timeout = 600ms'
sed -i '/^b/d; /^e/d' x.ini # d alone, which is unresponsive
simnet_stop
simnet_start plan
before=$(packets tx)
nc_start -c x.ini -o "$FILE"
# All eight requests of IPv4, before the second one of IPv6.
wait_until 10 packets_reach tx $((before + 9))
simnet_stats
assert_eq 4/4/1 "$(simnet_count 10.1.0.1 requests)/$(simnet_count 10.1.0.2 requests)/$(
	simnet_count fd00:1::2 requests)" "requests by then"
nc_end 0 10
assert_eq 4/4/0 "$(of replies_total a)/$(of replies_total c)/$(of replies_total d)" "replies"

behaviour "300 names with one address are one question, in one thread"
cp /etc/hosts hosts
for ((i = 1; i <= 300; i++)); do echo "10.1.0.9 node$i.test"; done >>hosts
mount --bind hosts /etc/hosts
{
	printf '%s\n' '[collector]' 'resolve_timeout = 30s' 'deadline = 1m' '[probe]' 'family = ipv4' 'count = 3' \
		'warmup = 1' '[peers]' 'numeric = 10.1.0.8'
	for ((i = 1; i <= 300; i++)); do echo "node$i.test ="; done
} >names.ini
run_nc 0 -C -c names.ini
rm -f "$FILE"
run_nc 0 -c names.ini -o "$FILE"
umount /etc/hosts
simnet_stats
assert_eq 4 "$(simnet_count 10.1.0.9 requests)" "requests that the network saw"
assert_eq 301/903 "$(sum "$FILE" nodecanary_peer_up)/$(sum "$FILE" nodecanary_replies_total)" "up/replies"
assert_eq 3 "$(of replies_total numeric)"

behaviour "an address with several sizes of the payload is asked with each"
printf '%s\n' '[probe]' 'count = 2' 'warmup = 0' '[probe large]' 'size = 1000' \
	'[peers]' 'a = 10.1.0.7' '[peers large]' 'a = 10.1.0.7' >sizes.ini
rm -f "$FILE"
run_nc 0 -c sizes.ini -o "$FILE"
simnet_stats
assert_eq 4 "$(simnet_count 10.1.0.7 requests)"
assert_eq 4 "$(sum "$FILE" nodecanary_replies_total)"

# many NETWORK COUNT
many() {
	printf '%s\n' '[collector]' 'deadline = 1m' '[probe]' 'count = 3' 'warmup = 0' 'histogram = off' '[peers]' \
		>many.ini
	rm -f many.map "$FILE"
	add_peers many.ini many.map p "$1" "$2"
	run_nc 0 -c many.ini -o "$FILE"
	assert_eq $((3 * $2)) "$(sum "$FILE" nodecanary_replies_total)" "replies"
	value "$FILE" nodecanary_last_run_cpu_seconds
}

# Of several tries the cheapest, as a busy machine makes any of them dear.
least() { printf '%s\n' "$@" | sort -g | head -n 1; }

if ! is_sanitized; then
	behaviour "5,000 peers of IPv6 cost hardly more than 5,000 of IPv4"
	fours=() sixes=()
	for _ in 1 2 3 4; do
		fours+=("$(many 10.1 5000)")
		sixes+=("$(many fd00:2:: 5000)")
	done
	four=$(least "${fours[@]}") six=$(least "${sixes[@]}")
	echo "IPv4 $four s, IPv6 $six s"
	assert_le "$six" "$(awk -v s="$four" 'BEGIN { print 1.6 * s }')" "seconds of CPU"
fi

behaviour "a run takes no longer than -C says, with three groups of 7,000"
printf '%s\n' '[collector]' 'deadline = 1m' '[probe]' 'count = 1' 'warmup = 0' 'timeout = 100ms' \
	'histogram = off' '[probe b]' 'ttl = 63' '[probe c]' 'ttl = 62' >three.ini
for group in default b c; do
	echo "[peers $group]"
	awk -v net="$(printf '%d' "'$group")" 'BEGIN {
		for (i = 0; i < 7000; i++) printf "p%d = 127.%d.%d.%d\n", i, net, i / 250, i % 250 + 1 }'
done >>three.ini
run_nc 0 -C -c three.ini
limit=$(sed -n 's/^3 groups.* at most \([0-9.]*\) s.*/\1/p' out)
for _ in 1 2 3; do
	rm -f "$FILE"
	run_nc 0 -c three.ini -o "$FILE"
	took=$(value "$FILE" nodecanary_last_run_duration_seconds)
	echo "-C: at most $limit s, the run: $took s"
	replies=$(sum "$FILE" nodecanary_replies_total)
	# This machine answers itself, so other load may delay a run or cost it a packet.
	if [ "$replies" = 21000 ] && _compare "$took" '<=' "$limit"; then break; fi
done
assert_le "$took" "$limit" seconds
assert_eq 21000 "$(sum "$FILE" nodecanary_requests_total)" "requests"
assert_eq 21000 "$replies" "replies"

behaviour "-C refuses a deadline before which no round of the last group begins"
sed -i 's/deadline = 1m/deadline = 300ms/' three.ini
run_nc 78 -C -c three.ini
assert_file_contains err 'no measured round fits'
simnet_stop

done_testing
