#!/bin/bash
# What addresses this host has of its own makes no peer dearer, and none unreachable that has a route.
# sandbox: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

FILE=$TEST_TMP/x.prom
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up

behaviour "no peer makes the kernel list the addresses of this host"
need strace
printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' '[peers]' >x.ini
for ((i = 1; i <= 50; i++)); do echo "p$i = 127.1.0.$i"; done >>x.ini
if ! is_sanitized; then
	strace -f -o trace -e trace=socket "$NC" -c x.ini -o "$FILE" 2>err
	assert_eq 50 "$(sum "$FILE" nodecanary_replies_total)"
	grep -c NETLINK trace >netlink || true
	# This host's own addresses are listed once, to tell which peer it is.
	assert_le "$(cat netlink)" 2 "netlink sockets"
fi

if ! is_sanitized; then
	behaviour "1,000 peers cost no more than three times as much where this host has 5,000 addresses"
	printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' 'histogram = off' '[peers]' >many.ini
	add_peers many.ini many.map p 127.1 1000
	# Listing them once, to tell which peer this is, costs as much as some hundred peers.
	# Of three tries the cheapest, as a busy machine makes any of them dear.
	cheapest() {
		for _ in 1 2 3; do
			rm -f "$FILE"
			run_nc 0 -c many.ini -o "$FILE"
			value "$FILE" nodecanary_last_run_cpu_seconds
		done | sort -g | head -n 1
	}
	few=$(cheapest)
	awk 'BEGIN { for (i = 1; i <= 5000; i++) printf "addr add 10.96.%d.%d/32 dev d0\n", i / 250, i % 250 + 1 }' |
		ip -batch -
	many=$(cheapest)
	echo "few addresses: $few s, 5,000 of them: $many s"
	assert_le "$many" "$(awk -v s="$few" 'BEGIN { print 3 * s }')" "seconds of CPU"
	assert_eq 1000 "$(sum "$FILE" nodecanary_replies_total)"
fi

behaviour "IPv4 loopback is pinged where the only other address is link-local IPv6, and the other way round"
printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' '[peers]' 'four = 127.0.0.1' 'six = ::1' >x.ini
ip addr flush dev d0
ip addr flush dev d1
for ((i = 0; i < 2; i++)); do
	if [ $i = 0 ]; then
		ip -6 addr add fe80::1/64 dev d0 nodad
	else
		ip -6 addr flush dev d0
		ip addr add 10.4.0.9/24 dev d0
	fi
	rm -f "$FILE"
	run_nc 0 -c x.ini -o "$FILE"
	silent
	assert_eq 2 "$(sum "$FILE" nodecanary_replies_total)" "replies"
done
done_testing
