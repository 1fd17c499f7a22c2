#!/bin/bash
# A round whose replies did not fit into the receive buffer is discarded, not lost, and the drops
# are published.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

# A crowd of right replies while the process stands still: the only way to fill a buffer that is
# always large enough for one of each.
cat >x.ini <<'INI'
[probe]
count = 3
warmup = 0
interval = 20ms
timeout = 400ms
[peers]
many = ADDRESS1
other = ADDRESS2
INI

# shellcheck disable=SC2317 # wait_until calls it
stopped() { grep -q '^State:.T' "/proc/$NC_PID/status"; }

for family in 4 6; do
	net=10.1.0.
	if [ $family = 6 ]; then net=fd00:1::; fi
	behaviour "a round in which the buffer overflowed is discarded and counted, IPv$family"
	sed "s/ADDRESS/$net/" x.ini >y.ini
	rm -f y.prom
	simnet_start - <<<"${net}1 delay=100ms dup=1000 for=1 then delay=5ms
${net}2 delay=100ms"
	nc_start -c y.ini -o "$TEST_TMP/y.prom"
	wait_until 10 packets_reach tx 2
	kill -STOP "$NC_PID"
	wait_until 5 stopped
	wait_until 10 packets_reach rx 1002
	kill -CONT "$NC_PID"
	nc_end 0 10
	simnet_stop
	drops=$(value y.prom nodecanary_receive_drops_total)
	assert_between 100 "$drops" 1002 "receive drops"
	assert_eq 1 "$(value y.prom 'nodecanary_discarded_rounds_total{reason="receive_drops"}')"
	assert_eq 1 "$(sum y.prom nodecanary_discarded_rounds_total)" "discarded rounds"
	for peer in many other; do
		assert_eq 2/2 "$(value y.prom \
			"nodecanary_requests_total{group=\"default\",peer=\"$peer\"}")/$(value y.prom \
			"nodecanary_replies_total{group=\"default\",peer=\"$peer\"}")" "counts of $peer"
	done
	assert_eq 3 "$(simnet_count "${net}2" requests)" "requests that the network saw"

	behaviour "one line tells of the drops, and advises no larger buffer where it is large, IPv$family"
	assert_eq 1 "$(wc -l <err)" "lines on standard error"
	assert_file_contains err "$drops packets were dropped at sockets that hold two replies"
done

behaviour "a run without drops keeps the count and is silent"
simnet_start - <<<"10.1.0.1 delay=5ms
10.1.0.2 delay=5ms"
sed "s/ADDRESS/10.1.0./" x.ini >y.ini
run_nc 0 -c y.ini -o "$TEST_TMP/y.prom"
simnet_stop
assert_eq "$drops" "$(value y.prom nodecanary_receive_drops_total)"
assert_eq 1 "$(sum y.prom nodecanary_discarded_rounds_total)" "discarded rounds"
assert_eq "" "$(cat err)" "standard error"

# 3,000 answers at once need 2.5 MB: the buffer is asked for, so that a pause loses none of them.
behaviour "the buffer holds the replies of all peers over a pause"
{
	sed '/^many\|^other/d' x.ini
	add_peers /dev/stdout z.map a 10.1 3000
} >z.ini
simnet_start - <<<'10.1.0.1-10.1.11.184 delay=150ms'
nc_start -c z.ini -o "$TEST_TMP/z.prom"
wait_until 10 packets_reach tx 3000
kill -STOP "$NC_PID"
wait_until 5 stopped
wait_until 10 packets_reach rx 3000
kill -CONT "$NC_PID"
nc_end 0 10
simnet_stop
compare_counts z.prom default z.map
assert_eq 9000/0 "$(sum z.prom nodecanary_replies_total)/$(
	value z.prom nodecanary_receive_drops_total)" "replies/receive drops"

done_testing
