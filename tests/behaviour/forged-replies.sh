#!/bin/bash
# Replies that somebody on the network forges, before ours or in place of them, are ignored.
# alone: replies must come in their time
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

# One bit of the cookie is wrong in what both floods send.
for family in 4 6; do
	behaviour "50,000 replies a second with the right ident and sequence change nothing, IPv$family"
	alive=10.1.0.1 down=10.3.0.1 self=10.99.0.1 option=
	if [ $family = 6 ]; then alive=fd00:1::1 down=fd00:3::1 self=fd99::1 option=-6; fi
	cat >x.ini <<INI
[collector]
trace = 0
[probe]
count = 10
warmup = 0
interval = 50ms
timeout = 150ms
[peers]
alive = $alive
down = $down
INI
	printf 'alive %s\ndown %s\n' $alive $down >x.map
	simnet_start - <<<"$alive delay=60ms"
	# Answers from sim0's addresses are made on this side of it.
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
	for conf in all lo; do echo 1 >/proc/sys/net/ipv4/conf/$conf/accept_local; done
	# shellcheck disable=SC2086 # empty or one word
	{
		"$TOOLS/flood" -s $alive -d $self $option -r 10000 -t 1.2 -w sim0 >alive.out 2>&1 &
		"$TOOLS/flood" -s $down -d $self $option -r 50000 -t 1.2 -w sim0 >down.out 2>&1 &
	}
	rm -f x.prom
	run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
	for flood in $(jobs -pr); do [ "$flood" = "$SIMNET_PID" ] || wait "$flood"; done
	simnet_stop
	# As many as a machine with two busy cores could.
	cat alive.out down.out
	assert_le 12000 "$(sed -n 's/^sent \([0-9]*\) failed 0$/\1/p' down.out)" "forged replies"
	compare_counts x.prom default x.map
	assert_eq 10/0 "$(value x.prom 'nodecanary_replies_total{group="default",peer="alive"}')/$(
		value x.prom 'nodecanary_peer_up{group="default",peer="down"}')" "replies/up of the peer that is down"
	assert_le 0.060 "$(value x.prom 'nodecanary_rtt_min_seconds{group="default",peer="alive"}')"
	assert_eq 0/0 "$(sum x.prom nodecanary_discarded_rounds_total)/$(
		value x.prom nodecanary_receive_drops_total)" "discarded rounds/receive drops"
	silent
done

done_testing
