#!/bin/bash
# A process that stands still, as on a starved machine, reports no loss.
# alone: replies must come in their time
# sandbox: no, it stops the program from outside

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

RANDOM=${SEED:=$(($(date +%s) % 32768))}
echo "seed $SEED"

# state_is LETTER: S is asleep, that is waiting for replies; T is stopped.
# shellcheck disable=SC2317 # wait_until calls it
state_is() { grep -q "^State:.$1" "/proc/$NC_PID/status"; }

# stop_after N: in the middle of a round, when N requests have left.
stop_after() {
	wait_until 10 packets_reach tx "$1"
	wait_until 5 state_is S
	kill -STOP "$NC_PID"
	wait_until 5 state_is T
}

# The stop itself, not a synchronisation: it is longer than the timeout.
stand_still() { sleep 1.5; }

behaviour "of 100 responsive peers none is lost over a stop of 1.5 s at a timeout of 1 s"
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
timeout = 1s
[peers]
INI
add_peers x.ini x.map a 10.1 50
add_peers x.ini x.map b fd00:1:: 50
simnet_start - <<'PLAN'
10.1.0.1-10.1.0.50 delay=200ms
fd00:1::1-fd00:1::32 delay=200ms
PLAN
nc_start -c x.ini -o "$TEST_TMP/x.prom"
stop_after 100
wait_until 5 packets_reach rx 100
stand_still
kill -CONT "$NC_PID"
nc_end 0 10
simnet_stop
compare_counts x.prom default x.map
assert_eq 200/200 "$(sum x.prom nodecanary_requests_total)/$(sum x.prom nodecanary_replies_total)"
assert_eq 0 "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
for peer in a1 b50; do
	assert_between 0.2 "$(value x.prom \
		"nodecanary_rtt_max_seconds{group=\"default\",peer=\"$peer\"}")" 0.4 "rtt of $peer"
done

# Half of the trials stop among the replies, the others mostly while requests are being sent, 5 ms
# apart. A stop between the time stamp of a request and its sending may discard the round: then there
# is no number, and so no loss either.
behaviour "nor is one lost if the process is stopped at any other moment"
trials=8 pids=() moments=()
for ((i = 1; i <= trials; i++)); do
	spacing=10us
	if [ $((i % 2)) = 0 ]; then spacing=5ms; fi
	printf '[probe]\ncount = 1\nwarmup = 0\ntimeout = 1s\nspacing = %s\n[peers]\n' $spacing >t$i.ini
	add_peers t$i.ini t$i.map a 10.$((100 + i)) 100
	echo "10.$((100 + i)).0.1-10.$((100 + i)).0.100 delay=350ms jitter=300ms"
done >t.plan
simnet_start t.plan -s "$SEED"
for ((i = 1; i <= trials; i++)); do
	moments[i]=0.$((100 + RANDOM % 400))
	"$NC" -c t$i.ini -o "$TEST_TMP/t$i.prom" 2>t$i.err &
	pids[i]=$!
	(
		# Before that a stop may be none of the program's time, but the sanitizer's, which is slow to start.
		until [ -e ".t$i.prom.new" ]; do sleep 0.005; done
		sleep "${moments[i]}" # a random moment
		kill -STOP "${pids[i]}"
		stand_still
		kill -CONT "${pids[i]}"
	) &
done
discarded_in_all=0
for ((i = 1; i <= trials; i++)); do
	wait "${pids[i]}" || fail "trial $i, stopped after ${moments[i]} s: $(cat t$i.err)"
done
simnet_stop
for ((i = 1; i <= trials; i++)); do
	what="trial $i, stopped after ${moments[i]} s"
	assert_le 1.5 "$(value t$i.prom nodecanary_last_run_duration_seconds)" "$what: seconds"
	discarded=$(sum t$i.prom nodecanary_discarded_rounds_total)
	assert_eq "$discarded" "$(value t$i.prom \
		'nodecanary_discarded_rounds_total{reason="interrupted"}')" "$what: discarded rounds"
	assert_eq $((100 - 100 * discarded)) "$(sum t$i.prom nodecanary_requests_total)" "$what: requests"
	assert_eq $((100 - 100 * discarded)) "$(sum t$i.prom nodecanary_replies_total)" "$what: replies"
	discarded_in_all=$((discarded_in_all + discarded))
done
assert_le "$discarded_in_all" 2 "discarded trials"

# The socket holds more packets than there are peers.
behaviour "duplicates that arrived in the stop do not hide the replies after them"
cat >dup.ini <<'INI'
[probe]
count = 1
warmup = 0
timeout = 4s
[peers]
a = 10.2.0.1
b = 10.2.0.2
c = 10.2.0.3
INI
printf 'a 10.2.0.1\nb 10.2.0.2\nc 10.2.0.3\n' >dup.map
simnet_start - <<'PLAN'
10.2.0.1 delay=1000ms dup=100
10.2.0.2 delay=1500ms
10.2.0.3 delay=1500ms
PLAN
nc_start -c dup.ini -o "$TEST_TMP/dup.prom"
stop_after 3
wait_until 5 packets_reach rx 103
stand_still
kill -CONT "$NC_PID"
nc_end 0 10
simnet_stop
compare_counts dup.prom default dup.map
assert_eq 3 "$(sum dup.prom nodecanary_replies_total)" "replies"

done_testing
