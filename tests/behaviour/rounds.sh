#!/bin/bash
# Warm-up, interval, spacing, deadline, families, sources, device and mark are as configured, as the
# network sees them.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

# of METRIC PEER
of() { value x.prom "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

# run: x.ini, its file begins empty. What the network saw in all is in $SIMNET_STATS.
run() {
	rm -f x.prom
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	simnet_stats
}

cat >plan <<'PLAN'
10.1.0.1-10.1.0.100  delay=5ms
fd00:1::1-fd00:1::20 delay=5ms
10.1.1.1             delay=90ms for=2 then delay=1ms
10.1.2.1             delay=5ms ttl=40 for=2 then delay=5ms ttl=41
PLAN

# between_first_and_last: in ms, of all requests that the network saw.
between_first_and_last() {
	echo $((($(simnet_count total last_ns) - $(simnet_count total first_ns)) / 1000000))
}

behaviour "warm-up rounds are sent and not counted in anything"
simnet_start plan
cat >x.ini <<'INI'
[probe]
count = 3
warmup = 2
interval = 10ms
timeout = 200ms
[peers]
slow-at-first = 10.1.1.1
six = fd00:1::1
INI
run
assert_eq 5/5 "$(simnet_count 10.1.1.1 requests)/$(simnet_count fd00:1::1 requests)" \
	"requests that the network saw"
for peer in slow-at-first six; do
	assert_eq 3/3/3 "$(of requests_total $peer)/$(of replies_total $peer)/$(
		of rtt_seconds_count $peer)" "requests/replies/times of $peer"
done
assert_le "$(of rtt_max_seconds slow-at-first)" 0.080 "the slowest measured reply"

behaviour "the hop limit is that of the last reply"
cat >x.ini <<'INI'
[probe]
count = 4
warmup = 0
interval = 10ms
timeout = 200ms
[peers]
moved = 10.1.2.1
INI
run
assert_eq 41 "$(of reply_hop_limit moved)"
simnet_stop

behaviour "rounds keep their interval"
simnet_start plan
cat >x.ini <<'INI'
[probe]
count = 5
warmup = 1
interval = 150ms
timeout = 100ms
[peers]
a = 10.1.0.1
INI
run
assert_between 749 "$(between_first_and_last)" 1100 "ms for five intervals of 150 ms"
simnet_stop

behaviour "a silent peer makes a round last its timeout, if that is longer"
simnet_start plan
sed -i '1i[collector]\ntrace = 0
	s/interval = .*/interval = 10ms/; s/a = .*/&\ndead = 10.9.0.1/' x.ini
run
assert_between 499 "$(between_first_and_last)" 600 "ms for five timeouts of 100 ms"
simnet_stop

behaviour "the requests of a round are spaced"
simnet_start plan
cat >x.ini <<'INI'
[probe]
count = 1
warmup = 0
spacing = 2ms
timeout = 200ms
[peers]
INI
add_peers x.ini x.map a 10.1 100
run
# The network may have been late to see the first one.
assert_between 180 "$(between_first_and_last)" 260 "ms for 100 requests 2 ms apart"
assert_le "$(simnet_count total peak_backlog)" 16 "requests that came at once"
assert_eq 100 "$(sum x.prom nodecanary_replies_total)"
simnet_stop

behaviour "a round's deadline counts from its last request"
simnet_start plan
sed -i 's/timeout = .*/timeout = 60ms/; s/^a1 = .*/a0 = 10.9.0.1\n&/' x.ini
run
assert_eq 101/100 "$(sum x.prom nodecanary_requests_total)/$(
	sum x.prom nodecanary_replies_total)" "requests/replies"
simnet_stop

simnet_start plan

# 0, 300, 600 and 900 ms; then it is over.
behaviour "no round begins after the deadline, and those left out are discarded"
cat >x.ini <<'INI'
[collector]
deadline = 1s
[probe]
count = 100
warmup = 0
interval = 10ms
timeout = 300ms
[peers]
a = 10.1.0.1
down = 10.9.0.1
INI
run
rounds=$(of requests_total a)
assert_between 3 "$rounds" 4 "rounds"
assert_eq $((100 - rounds)) "$(value x.prom 'nodecanary_discarded_rounds_total{reason="deadline"}')"
assert_eq $((100 - rounds)) "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
assert_eq "$rounds/0" "$(of replies_total a)/$(sum x.prom nodecanary_unsent_total)"
assert_between 0.9 "$(value x.prom nodecanary_last_run_duration_seconds)" 1.5 "seconds"
assert_eq 1 "$(value x.prom nodecanary_last_run_success)"

behaviour "a run of which no measured round began before the deadline says so"
cat >x.ini <<'INI'
[collector]
deadline = 200ms
trace = 0
[probe]
count = 3
warmup = 1
timeout = 300ms
[peers]
unresponsive = 10.9.0.1
INI
run
assert_eq 0 "$(value x.prom nodecanary_last_run_success)"
says 1 'nothing was measured: no measured round could begin within deadline = 200ms$'

behaviour "peers of one family and equal options need no second thread"
cat >x.ini <<'INI'
[probe]
count = 3
warmup = 0
interval = 10ms
timeout = 300ms
[peers]
INI
add_peers x.ini x.map a 10.1 100
echo 'down = 10.9.0.1' >>x.ini
rm -f x.prom
# The second run knows which one is unresponsive.
for run in 1 2; do
	before=$(packets tx)
	nc_start -c x.ini -o "$TEST_TMP/x.prom"
	for round in 1 2 3; do
		wait_until 10 packets_reach tx $((before + 101 * round))
		assert_file_contains "/proc/$NC_PID/status" '^Threads:.1$'
	done
	nc_end 0 10
	assert_eq $((300 * run)) "$(sum x.prom nodecanary_replies_total)" "replies after run $run"
done

# ask FAMILY: three peers, of both, of either family, and what was asked of them, as
# address=requests of the network.
ask() {
	simnet_stop
	simnet_start plan
	cat >x.ini <<INI
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 100ms
family = $1
[peers]
six-first = fd00:1::2, 10.1.0.2
four-first = 10.1.0.3, fd00:1::3
INI
	run
	asked=$(sed -n 's/^\([^#][^ ]*\) requests=\([1-9][0-9]*\) .*/\1=\2/p' "$SIMNET_STATS" | xargs)
}

behaviour "family = auto asks the first address"
ask auto
assert_eq "10.1.0.3=2 fd00:1::2=2" "$asked"
assert_eq 4 "$(sum x.prom nodecanary_replies_total)"

behaviour "family = ipv4 and ipv6 ask that family alone"
ask ipv4
assert_eq "10.1.0.2=2 10.1.0.3=2" "$asked"
ask ipv6
assert_eq "fd00:1::2=2 fd00:1::3=2" "$asked"
absent x.prom 'nodecanary_peer_up{group="default",peer="six-first",family='

behaviour "family = both asks both, with a set of series for each"
ask both
assert_eq "10.1.0.2=2 10.1.0.3=2 fd00:1::2=2 fd00:1::3=2" "$asked"
for peer in six-first four-first; do
	for family in ipv4 ipv6; do
		assert_eq 2 "$(value x.prom \
			"nodecanary_replies_total{group=\"default\",peer=\"$peer\",family=\"$family\"}")"
	done
done
printf '%s\n' 'six-first 10.1.0.2 ipv4' 'six-first fd00:1::2 ipv6' 'four-first 10.1.0.3 ipv4' \
	'four-first fd00:1::3 ipv6' >both.map
compare_counts x.prom default both.map

behaviour "requests come from the source that is set, one for each family"
ip addr add 10.99.0.2/32 dev sim0
ip -6 addr add fd99::2/128 dev sim0 nodad
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 100ms
source = 10.99.0.2, fd99::2
[probe plain]
source =
[probe six]
source = fd99::2
[peers]
four = 10.1.0.11
six = fd00:1::11
[peers plain]
four = 10.1.0.12
six = fd00:1::12
[peers six]
four = 10.1.0.13
six = fd00:1::13
INI
run
assert_eq 12 "$(sum x.prom nodecanary_replies_total)"
assert_eq 10.99.0.2/fd99::2 "$(simnet_count 10.1.0.11 src)/$(simnet_count fd00:1::11 src)"
plain6=$(simnet_count fd00:1::12 src)
assert_eq 10.99.0.1 "$(simnet_count 10.1.0.12 src)"
[[ $plain6 = fd99::[12] ]] || fail "expected a source of ours, actual '$plain6'"
assert_eq 10.99.0.1/fd99::2 "$(simnet_count 10.1.0.13 src)/$(simnet_count fd00:1::13 src)"

behaviour "a source that is not ours leaves its peers unsent and the others measured"
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 100ms
[probe foreign]
source = 10.98.0.1
[peers]
four = 10.1.0.11
[peers foreign]
four = 10.1.0.12
INI
run
assert_eq 2 "$(of replies_total four)"
assert_eq 2/0 "$(value x.prom 'nodecanary_unsent_total{group="foreign",peer="four"}')/$(
	value x.prom 'nodecanary_requests_total{group="foreign",peer="four"}')" "unsent/requests"
assert_eq 1 "$(wc -l <err)" "lines on standard error"

# The route alone would lead nowhere.
behaviour "requests go through the device that is set"
ip route add 10.1.0.14/32 dev lo
ip -6 route add fd00:1::14/128 dev lo
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 100ms
[probe bound]
device = sim0
[peers]
four = 10.1.0.14
six = fd00:1::14
[peers bound]
four = 10.1.0.14
six = fd00:1::14
INI
run
for peer in four six; do
	assert_eq 0 "$(of replies_total $peer)" "replies of $peer by the route"
	assert_eq 2 "$(value x.prom "nodecanary_replies_total{group=\"bound\",peer=\"$peer\"}")" \
		"replies of $peer by the device"
done

behaviour "a device that does not exist leaves its peers unsent and the others measured"
sed -i 's/sim0/nosuch0/; s/0\.14/0.15/; s/::14/::15/' x.ini
run
for peer in four six; do
	assert_eq 2 "$(of replies_total $peer)" "replies of $peer"
	assert_eq 2/0 "$(value x.prom "nodecanary_unsent_total{group=\"bound\",peer=\"$peer\"}")/$(
		value x.prom "nodecanary_requests_total{group=\"bound\",peer=\"$peer\"}")" "unsent/requests"
done
assert_eq 1 "$(wc -l <err)" "lines on standard error"

behaviour "requests carry the mark that is set"
nft -f - <<'NFT'
table inet marks {
    counter marked { }
    counter plain { }
    chain out {
        type filter hook output priority 0
        ip daddr 10.1.0.16 meta mark 0x17 counter name marked
        ip6 daddr fd00:1::16 meta mark 0x17 counter name marked
        ip daddr 10.1.0.17 meta mark 0 counter name plain
    }
}
NFT
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 100ms
[probe marked]
mark = 0x17
[peers]
four = 10.1.0.17
[peers marked]
four = 10.1.0.16
six = fd00:1::16
INI
run
for name in marked plain; do nft list counter inet marks $name >$name.txt; done
assert_file_contains marked.txt 'packets 4 '
assert_file_contains plain.txt 'packets 2 '
simnet_stop

done_testing
