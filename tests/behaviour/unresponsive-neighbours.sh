#!/bin/bash
# 600 neighbours that answer neither ARP nor neighbour discovery do not disturb the measurement of
# others.
#
#     10.4.0.1, fd00:4::1 -- near ==== far (another namespace) -- ten live addresses
# time-limit: 180
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip fping setpriv nsenter unshare

live=5 down=300 # of each family

far_start

_silence_ipv6
ip link add near type veth peer name far netns "$FAR_PID"
ip addr add 10.4.0.1/16 dev near
ip -6 addr add fd00:4::1/64 dev near nodad
for ((i = 1; i <= live; i++)); do
	far ip addr add 10.4.5.$i/16 dev far
	far ip -6 addr add "fd00:4::5:$i/64" dev far nodad
done
ip link set near up
far ip link set far up
# shellcheck disable=SC2317 # wait_until calls it
link_works() { fping -q -t 200 10.4.5.1 fd00:4::5:1; }
wait_until 10 link_works

# far_count NAME: what the kernel at the far end counts, InEchos or OutEchoReps of both families.
far_count() {
	far cat /proc/self/net/snmp /proc/self/net/snmp6 | awk -v name="$1" '
		BEGIN { v6 = name == "InEchos" ? "Icmp6InEchos" : "Icmp6OutEchoReplies" }
		$1 == v6 { n += $2 }
		$1 == "Icmp:" && column { n += $column }
		$1 == "Icmp:" { for (i = 2; i <= NF; i++) if ($i == name) column = i }
		END { print n + 0 }'
}

# Names sort the unresponsive peers before the responsive ones.
ini() {
	cat <<INI
[collector]
trace = 0
[probe]
count = $1
warmup = 0
interval = 20ms
timeout = $2
[peers]
INI
}
fill() {
	for ((i = 1; i <= live; i++)); do
		echo "live4-$i = 10.4.5.$i"
		echo "live6-$i = fd00:4::5:$i"
	done
}

# of_responsive METRIC FILE: its sum over the responsive peers.
of_responsive() {
	awk -v name="nodecanary_$1{" 'index($1, name) == 1 && $1 ~ /peer="live/ { n += $NF }
		END { print n + 0 }' "$2"
}

behaviour "with 600 unresponsive neighbours the ten responsive ones are measured in every round, counts exact"
{
	ini 10 300ms
	add_peers /dev/stdout /dev/null down4- 10.4 $down | sed '/^down4-1 /d' # it is ourselves
	add_peers /dev/stdout /dev/null down6- fd00:4:: $((down + 1)) | sed '/^down6-1 /d'
	fill
} >x.ini
echos=$(far_count InEchos) replies=$(far_count OutEchoReps)
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_eq 100/100 "$(of_responsive requests_total x.prom)/$(of_responsive replies_total x.prom)" \
	"requests/replies of the responsive peers"
assert_eq 100/100 "$(($(far_count InEchos) - echos))/$(($(far_count OutEchoReps) - replies))" \
	"requests/replies at the far end"
assert_eq 0 "$(of_responsive unsent_total x.prom)" "unsent to the responsive peers"
assert_eq 100 "$(sum x.prom nodecanary_replies_total)" "all replies"
assert_eq 10 "$(sum x.prom nodecanary_peer_up)" "peers that are up"
assert_eq $((10 * (2 * down + 9))) \
	"$(($(sum x.prom nodecanary_requests_total) + $(sum x.prom nodecanary_unsent_total)))" \
	"requests that were sent or unsent"
assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"

# Without CAP_NET_ADMIN the system's limit holds. Requests of 4,000 bytes cost 8 kB each, so the
# first round of the first run fills the buffer before it comes to the responsive peers, whose names are last.
behaviour "where the send buffer is limited, responsive peers are measured from the second run on"
limit=$(cat /proc/sys/net/core/wmem_max 2>/dev/null || echo 212992)
if [ "$limit" -gt 5000000 ]; then skip "net.core.wmem_max is too large to be filled: $limit"; fi
ip link set near mtu 9000
far ip link set far mtu 9000
wait_until 10 link_works
{
	ini 3 150ms
	awk 'BEGIN { for (i = 1; i <= 900; i++)
		printf "down4-%d = 10.4.%d.%d\n", i, 100 + int(i / 250), i % 250 + 1 }'
	fill | grep live4
} >limited.ini
sed -i 's/^count/size = 4000\n&/' limited.ini
export NC_WRAP='setpriv --bounding-set=-net_admin --inh-caps=-net_admin'

run_nc 0 -c limited.ini -o "$TEST_TMP/limited.prom"
assert_eq 15 "$(of_responsive unsent_total limited.prom)" "unsent to the responsive peers in the first run"
absent limited.prom 'nodecanary_peer_up{group="default",peer="live4-1"}'
assert_file_contains err 'net\.core\.wmem_max'
assert_eq 1 "$(wc -l <err)" "lines on standard error"

run_nc 0 -c limited.ini -o "$TEST_TMP/limited.prom"
for ((i = 1; i <= live; i++)); do
	assert_eq 1 "$(value limited.prom "nodecanary_peer_up{group=\"default\",peer=\"live4-$i\"}")"
done
assert_eq 5 "$(sum limited.prom nodecanary_peer_up)" "peers that are up"
assert_eq "$(of_responsive requests_total limited.prom)" "$(of_responsive replies_total limited.prom)" \
	"requests and replies of the responsive peers"
echo "of 15 requests to the responsive peers, $(of_responsive requests_total limited.prom) left in the second run"
assert_eq 0 "$(sum limited.prom nodecanary_discarded_rounds_total)" "discarded rounds"

# The first round's requests to the unresponsive peers are in the buffer for 3 s, so for all rounds to come.
behaviour "where the send buffer is limited, responsive peers are measured after a warm-up round too"
sed -i 's/^warmup = 0/warmup = 1/' limited.ini
requests=$(of_responsive requests_total limited.prom)
run_nc 0 -c limited.ini -o "$TEST_TMP/limited.prom"
assert_eq 5 "$(sum limited.prom nodecanary_peer_up)" "peers that are up"
assert_eq $((requests + 15)) "$(of_responsive requests_total limited.prom)" "requests to the responsive peers"

done_testing
