#!/bin/bash
# Requests that the kernel refuses are unsent, not lost, and all other peers are measured.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

# of METRIC PEER [FILE]
of() { value "${3:-x.prom}" "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

simnet_start - <<'PLAN'
10.1.0.1-10.1.0.20 delay=5ms
fd00:1::1-fd00:1::20 delay=5ms
PLAN

ip route add prohibit 10.1.0.2
ip -6 route add prohibit fd00:1::2
ip route add unreachable 10.1.0.3
ip -6 route add unreachable fd00:1::3
ip route add blackhole 10.1.0.4
ip -6 route add blackhole fd00:1::4
nft -f - <<'NFT'
table inet refuse {
    chain out {
        type filter hook output priority 0
        ip daddr 10.1.0.5 drop
        ip6 daddr fd00:1::5 drop
    }
}
NFT

cat >x.ini <<'INI'
[probe]
count = 4
warmup = 1
interval = 20ms
timeout = 200ms
[peers]
fine4 = 10.1.0.1
fine6 = fd00:1::1
prohibited4 = 10.1.0.2
prohibited6 = fd00:1::2
unreachable4 = 10.1.0.3
unreachable6 = fd00:1::3
blackhole4 = 10.1.0.4
blackhole6 = fd00:1::4
dropped4 = 10.1.0.5
dropped6 = fd00:1::5
routeless4 = 192.0.2.1
routeless6 = 2001:db8::1
good4 = 10.1.0.6
good6 = fd00:1::6
INI

behaviour "what routes and rules refuse is unsent, and neither sent nor lost"
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
simnet_stats
for peer in prohibited unreachable blackhole dropped routeless; do
	for family in 4 6; do
		assert_eq 4/0/0 "$(of unsent_total $peer$family)/$(of requests_total $peer$family)/$(
			of replies_total $peer$family)" "unsent/requests/replies of $peer$family"
		absent x.prom "nodecanary_peer_up{group=\"default\",peer=\"$peer$family\"}"
		absent x.prom "nodecanary_loss_ratio{group=\"default\",peer=\"$peer$family\"}"
		absent x.prom "nodecanary_rtt_mean_seconds{group=\"default\",peer=\"$peer$family\"}"
	done
done
assert_not_contains "$SIMNET_STATS" '^10\.1\.0\.[2345] requests=[1-9]'
assert_not_contains "$SIMNET_STATS" '^fd00:1::[2345] requests=[1-9]'

behaviour "all other peers are measured in every round"
for peer in fine4 fine6 good4 good6; do
	assert_eq 4/4/0 "$(of requests_total $peer)/$(of replies_total $peer)/$(
		of unsent_total $peer)" "requests/replies/unsent of $peer"
	assert_eq 1 "$(of peer_up $peer)" "$peer is up"
done
assert_eq 5/5 "$(simnet_count 10.1.0.1 requests)/$(simnet_count fd00:1::6 requests)" \
	"requests that the network saw, the warm-up's too"
assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"

behaviour "a round with refused requests alone outstanding does not last its timeout"
assert_le "$(value x.prom nodecanary_last_run_duration_seconds)" 0.5 "seconds for five rounds"

behaviour "the refusals are reported in one line, with their number and reason"
assert_eq 1 "$(wc -l <err)" "lines on standard error"
assert_file_contains err 'requests could not be sent: .*; peers: blackhole4, blackhole6, dropped4 and 7 more$'

behaviour "peers that only roaming asks are named, too"
printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' 'fanout = 1' 'roam = 9' '[peers]' 'r1 = 192.0.2.1' \
	'r2 = 192.0.2.2' 'r3 = 192.0.2.3' 'r4 = 192.0.2.4' >roam.ini
run_nc 0 -c roam.ini -o "$TEST_TMP/roam.prom"
says 1 '4 requests could not be sent: .*; peers: r1, r2, r3 and 1 more$'

behaviour "a source whose interface is not there leaves its group alone unsent"
printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' '[peers]' 'fine = 10.1.0.1' '[probe link]' \
	'source = fe80::99%late0' '[peers link]' 'next = fd00:1::2' >link.ini
run_nc 0 -C -c link.ini
run_nc 0 -c link.ini -o "$TEST_TMP/link.prom"
says 1 'peer .next.: cannot be pinged: source = fe80::99%late0: no such interface$'
assert_eq 1 "$(of peer_up fine link.prom)"
assert_eq 1 "$(value link.prom 'nodecanary_unsent_total{group="link",peer="next"}')"

behaviour "where nothing at all can be sent, nothing is said about loss"
sed '/^fine\|^good/d' x.ini >none.ini
run_nc 0 -c none.ini -o "$TEST_TMP/none.prom"
absent none.prom 'nodecanary_peer_up{'
absent none.prom 'nodecanary_loss_ratio{'
absent none.prom 'nodecanary_rtt_m'
assert_eq 40 "$(sum none.prom nodecanary_unsent_total)" "unsent"
assert_eq 0 "$(sum none.prom nodecanary_requests_total)" "requests"
assert_eq 1 "$(wc -l <err)" "lines on standard error"

behaviour "a route that is withdrawn and comes back in mid-run leaves its requests unsent"
cat >mid.ini <<'INI'
[probe]
count = 40
warmup = 0
interval = 40ms
timeout = 200ms
[peers]
steady = 10.1.0.11
leaves4 = 10.1.0.12
leaves6 = fd00:1::12
INI
printf 'steady 10.1.0.11\nleaves4 10.1.0.12\nleaves6 fd00:1::12\n' >mid.map
before=$(packets tx)
nc_start -c mid.ini -o "$TEST_TMP/mid.prom"
wait_until 10 packets_reach tx $((before + 15))
ip route add unreachable 10.1.0.12
ip -6 route add unreachable fd00:1::12
wait_until 10 packets_reach tx $((before + 30))
ip route del unreachable 10.1.0.12
ip -6 route del unreachable fd00:1::12
nc_end 0 10
simnet_stop
compare_counts mid.prom default mid.map
assert_eq 40/40 "$(of requests_total steady mid.prom)/$(of replies_total steady mid.prom)"
for peer in leaves4 leaves6; do
	assert_between 3 "$(of unsent_total $peer mid.prom)" 30 "unsent of $peer"
	assert_eq 40 "$(($(of unsent_total $peer mid.prom) + $(of requests_total $peer mid.prom)))"
	assert_eq 0 "$(of loss_ratio $peer mid.prom)" "loss of $peer"
done
assert_eq 1 "$(wc -l <err)" "lines on standard error"

done_testing
