#!/bin/bash
# SIGTERM ends a run at once, wherever it is, and what was measured is published.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip mount

void_rounds() { value x.prom "nodecanary_discarded_rounds_total{reason=\"$1\"}"; }

# ini WARMUP TIMEOUT: 100 rounds to a responsive and an unresponsive peer.
ini() {
	cat >x.ini <<INI
[collector]
deadline = 1h
[probe]
count = 100
warmup = $1
interval = 1ms
timeout = $2
[peers]
alive = 10.1.0.1
down = 10.9.0.1
INI
}

simnet_start - <<<'10.1.0.1 delay=5ms'

# start_run N: in the background, until N requests have left.
start_run() {
	local before
	before=$(packets tx)
	rm -f x.prom
	nc_start -c x.ini -o "$TEST_TMP/x.prom"
	wait_until 10 packets_reach tx $((before + $1))
}

for signal in TERM INT HUP; do
	behaviour "SIG$signal amid 100 rounds with an unresponsive peer: exit at once, measured rounds published"
	ini 0 200ms
	start_run 7
	kill -$signal "$NC_PID"
	nc_end 0 2
	requests=$(value x.prom 'nodecanary_requests_total{group="default",peer="alive"}')
	assert_between 2 "$requests" 10 "measured rounds"
	assert_eq "$requests/$requests/0" "$(
		value x.prom 'nodecanary_replies_total{group="default",peer="alive"}')/$(
		value x.prom 'nodecanary_requests_total{group="default",peer="down"}')/$(
		value x.prom 'nodecanary_replies_total{group="default",peer="down"}')"
	assert_eq $((100 - requests)) "$(void_rounds interrupted)" "interrupted rounds"
	assert_eq $((100 - requests)) "$(sum x.prom nodecanary_discarded_rounds_total)" "discarded rounds"
	assert_eq 1/1 "$(value x.prom nodecanary_last_run_success)/$(
		value x.prom nodecanary_runs_total)" "success/runs"
	assert_eq 1/0 "$(value x.prom 'nodecanary_peer_up{group="default",peer="alive"}')/$(
		value x.prom 'nodecanary_peer_up{group="default",peer="down"}')"
done

behaviour "it does not wait for the round's timeout"
ini 0 30s
start_run 2
begin=$(_uptime_cs)
kill -TERM "$NC_PID"
nc_end 0 10
assert_le $(($(_uptime_cs) - begin)) 100 "hundredths of a second"
assert_eq 100 "$(void_rounds interrupted)" "interrupted rounds"
assert_eq 0 "$(value x.prom nodecanary_last_run_success)" "nothing was measured: success"
assert_eq 0 "$(sum x.prom nodecanary_requests_total)" "requests"
absent x.prom 'nodecanary_peer_up{'

behaviour "nor for the interval's end"
ini 0 100ms
sed -i 's/^interval = .*/interval = 20m/' x.ini
start_run 2
# shellcheck disable=SC2317 # wait_until calls it
round_is_over() { [ "$(_uptime_cs)" -ge $((begin + 60)) ]; }
begin=$(_uptime_cs)
wait_until 5 round_is_over
kill -TERM "$NC_PID"
nc_end 0 2
assert_eq 99 "$(void_rounds interrupted)" "interrupted rounds"
assert_eq 1 "$(value x.prom nodecanary_last_run_success)" "success"

behaviour "in the warm-up it publishes a run that measured nothing"
ini 20 200ms
start_run 4
kill -TERM "$NC_PID"
nc_end 0 2
assert_eq 100 "$(void_rounds interrupted)" "interrupted rounds"
assert_eq 0/0 "$(value x.prom nodecanary_last_run_success)/$(value x.prom nodecanary_runs_total)" \
	"success/runs"
assert_eq 0 "$(sum x.prom nodecanary_requests_total)" "requests"
absent x.prom 'nodecanary_peer_up{'

behaviour "all groups' rounds end, each in its thread"
ini 0 30s
cat >>x.ini <<'INI'
[probe other]
dscp = ef
[peers other]
alive = 10.1.0.1
down = 10.9.0.1
INI
start_run 4
kill -TERM "$NC_PID"
nc_end 0 2
assert_eq 200 "$(void_rounds interrupted)" "interrupted rounds"

# 10.9.0.53 answers nothing.
behaviour "while names are looked up it does not wait for the DNS"
echo 'nameserver 10.9.0.53' >resolv.conf
mount --bind resolv.conf /etc/resolv.conf
cat >x.ini <<'INI'
[collector]
resolve_timeout = 50s
[probe]
count = 5
timeout = 200ms
[peers]
alive = 10.1.0.1
named = nobody.example.net
INI
start_run 1
kill -TERM "$NC_PID"
nc_end 0 2
assert_eq 5 "$(void_rounds interrupted)" "interrupted rounds"
assert_eq 0 "$(value x.prom nodecanary_last_run_success)" "success"
assert_eq "" "$(pgrep -P "$NC_PID" || true)" "children that are left"

behaviour "counters of earlier runs survive an interrupted one"
cat >y.ini <<'INI'
[probe]
count = 3
warmup = 0
interval = 1ms
timeout = 200ms
[peers]
alive = 10.1.0.1
down = 10.9.0.1
INI
run_nc 0 -c y.ini -o "$TEST_TMP/y.prom"
before=$(packets tx)
nc_start -c y.ini -o "$TEST_TMP/y.prom"
wait_until 10 packets_reach tx $((before + 2))
kill -TERM "$NC_PID"
nc_end 0 2
assert_between 3 "$(value y.prom 'nodecanary_requests_total{group="default",peer="alive"}')" 5
assert_eq 6 "$(($(value y.prom 'nodecanary_requests_total{group="default",peer="alive"}') + $(
	value y.prom 'nodecanary_discarded_rounds_total{reason="interrupted"}')))" "rounds of two runs"

done_testing
