#!/bin/bash
# Steps of the wall clock in any phase of a run, a clock that is wrong by decades, and a stopped
# process lose nothing.
# clock-step.sh has the steps within a round, stopped-process.sh the stops there. A machine that is
# suspended is, to a run, one whose wall clock steps forward: CLOCK_MONOTONIC stands still with it.
# alone: replies must come in their time
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip mount strace unshare

FILE=$TEST_TMP/textfiles/x.prom
mkdir textfiles
hour_ms=3600000

# clock SETTING...: the runs from here on have that wall clock (tests/tools/clock_shim.c).
clock() {
	NC_WRAP="env LD_PRELOAD=$TOOLS/clock_shim.so
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0 $*"
}

# ini: three rounds 300 ms apart that last 10 ms, if nobody is silent.
ini() {
	printf '%s\n' '[collector]' "resolve_every = ${EVERY:-0s}" 'resolve_timeout = 2s' '[probe]' \
		'count = 3' 'warmup = 0' 'interval = 300ms' 'timeout = 200ms' '[peers]' 'a = 10.1.0.1' \
		'named = w.test' >x.ini
}

# of METRIC PEER
of() { value "$FILE" "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

seconds() { value "$FILE" "nodecanary_$1" | cut -d. -f1; }

# good RUNS: that many runs have measured all, nothing is discarded, lost or unsent.
good() {
	assert_eq "$1/0/0" "$(value "$FILE" nodecanary_runs_total)/$(
		sum "$FILE" nodecanary_discarded_rounds_total)/$(sum "$FILE" nodecanary_unsent_total)" \
		"runs/discarded rounds/unsent"
	for peer in a named; do
		assert_eq $((3 * $1))/$((3 * $1)) "$(of requests_total $peer)/$(of replies_total $peer)" \
			"requests/replies of $peer"
	done
	assert_eq 1 "$(of peer_resolved named)" "the name is resolved"
	assert_between 0.5 "$(value "$FILE" nodecanary_last_run_duration_seconds)" "${2:-2}" "seconds"
	assert_eq '' "$(awk '/^nodecanary_rtt_(min|mean|max)_/ && ($NF <= 0 || $NF > 0.2)' "$FILE")" \
		"impossible times"
	silent
}

simnet_start - <<<'10.1.0.1-10.1.0.2 delay=10ms'
dns_start <<<'w.test A 10.1.0.2'
clock

for by in $hour_ms -$hour_ms; do
	behaviour "a step of $by ms while names are looked up: no later, no earlier, and no round is discarded"
	rm -f "$FILE"
	dns_zone <<'ZONE'
w.test A 10.1.0.2
w.test delay=600ms
ZONE
	ini
	clock CLOCK_SHIM_AT_MS=300 CLOCK_SHIM_BY_MS="$by"
	run_nc 0 -c x.ini -o "$FILE"
	good 1
	assert_between 0.5 "$(value "$FILE" nodecanary_last_run_resolve_seconds)" 1.5 "seconds of look-ups"

	behaviour "a step of $by ms while a name server is silent: the timeout is kept"
	dns_zone <<<'w.test silent'
	clock CLOCK_SHIM_AT_MS=1000 CLOCK_SHIM_BY_MS="$by"
	run_nc 0 -c x.ini -o "$FILE"
	assert_between 1.9 "$(value "$FILE" nodecanary_last_run_resolve_seconds)" 3 "seconds of look-ups"
	assert_eq 6/6/0 "$(of requests_total named)/$(of replies_total named)/$(of peer_resolved named)"
	dns_zone <<<'w.test A 10.1.0.2'

	# The first round is over after some 20 ms, the second begins after 300.
	behaviour "a step of $by ms between two rounds discards none"
	rm -f "$FILE"
	clock CLOCK_SHIM_AT_MS=150 CLOCK_SHIM_BY_MS="$by"
	run_nc 0 -c x.ini -o "$FILE"
	good 1
	assert_between $((by / 1000 - 60)) $(($(seconds last_run_timestamp_seconds) - $(date +%s))) \
		$((by / 1000 + 60)) "by how much the file's time is off"

	# fsync() is made to take 1.5 s; all has been written by then.
	behaviour "a step of $by ms while the file is published: this run and the next are whole"
	rm -f "$FILE"
	if ! is_sanitized && strace -o trace true 2>/dev/null; then
		NC_WRAP="strace -f -o trace -e trace=fsync -e inject=fsync:delay_enter=1500000 ${NC_WRAP/AT_MS=150/AT_MS=1500}" \
			run_nc 0 -c x.ini -o "$FILE"
		assert_file_contains trace 'fsync.*DELAYED'
	else
		clock CLOCK_SHIM_AT_MS=800 CLOCK_SHIM_BY_MS="$by"
		run_nc 0 -c x.ini -o "$FILE"
	fi
	good 1
	clock
	run_nc 0 -c x.ini -o "$FILE"
	good 2
done

# Without a battery-backed clock a machine wakes up in 1970, ten seconds after the start.
behaviour "a run in 1970 measures and looks names up"
rm -f "$FILE"
EVERY=1h ini
start=$(($(date +%s) - 10))
clock CLOCK_SHIM_STATIC_BY_MS=-${start}000
dns_forget
run_nc 0 -c x.ini -o "$FILE"
good 1
assert_le "$(seconds last_run_timestamp_seconds)" 100 "seconds since 1970"
assert_le 1 "$(dns_queries w.test)" "queries"

behaviour "and one after the clock has been set goes on with its counters, and looks names up again"
clock
for runs in 2 3; do
	dns_forget
	run_nc 0 -c x.ini -o "$FILE"
	good $runs
	assert_between -60 $(($(seconds last_run_timestamp_seconds) - $(date +%s))) 60
	assert_between -60 $(($(seconds last_resolve_timestamp_seconds) - $(date +%s))) 60
	# Once: an hour has not passed after that.
	assert_eq $((runs == 2)) "$(($(dns_queries w.test) > 0))" "whether names were looked up in run $runs"
done

behaviour "the time since when counters run is that of their first run, whatever clock it had"
assert_le "$(seconds counters_start_timestamp_seconds)" 100 "seconds since 1970"

behaviour "a clock that was years ahead: counters go on, names are looked up again"
clock CLOCK_SHIM_STATIC_BY_MS=315360000000
dns_forget
run_nc 0 -c x.ini -o "$FILE"
good 4
assert_le 300000000 $(($(seconds last_resolve_timestamp_seconds) - $(date +%s)))
clock
dns_forget
run_nc 0 -c x.ini -o "$FILE"
good 5
assert_le 1 "$(dns_queries w.test)" "queries"
assert_between -60 $(($(seconds last_resolve_timestamp_seconds) - $(date +%s))) 60
dns_forget
run_nc 0 -c x.ini -o "$FILE"
good 6
assert_eq 0 "$(dns_queries)" "queries"

# A namespace of time, so that the machine's monotonic clock is that of its first second.
behaviour "a machine that has just been booted: the monotonic clock begins"
NC_WRAP=
rm -f "$FILE"
uptime=$(cut -d. -f1 /proc/uptime)
if unshare --time --monotonic -"$uptime" true 2>unshare.err; then
	NC_WRAP="unshare --time --monotonic -$uptime --fork"
	run_nc 0 -c x.ini -o "$FILE"
	good 1
	NC_WRAP="unshare --time --monotonic $((100 * 365 * 86400)) --fork"
	run_nc 0 -c x.ini -o "$FILE"
	good 2
else
	echo "no namespace of time: $(cat unshare.err)"
	run_nc 0 -c x.ini -o "$FILE"
fi
NC_WRAP=

# shellcheck disable=SC2317 # wait_until calls it
is_stopped() { grep -q '^State:.T' "/proc/$NC_PID/status"; }

# stop_for SECONDS: the process, now; that is the fault itself.
stop_for() {
	kill -STOP "$NC_PID"
	wait_until 5 is_stopped
	sleep "$1"
	kill -CONT "$NC_PID"
}

behaviour "a stop beyond the timeout while names are looked up: what was answered meanwhile counts"
rm -f "$FILE"
dns_zone <<'ZONE'
w.test A 10.1.0.2
w.test delay=400ms
ZONE
EVERY=0s ini
dns_forget
nc_start -c x.ini -o "$FILE"
wait_until 5 test -s dns.log
stop_for 2.5
nc_end 0 10
good 1 5

behaviour "a stop between two rounds: nothing is lost, none is discarded"
rm -f "$FILE"
dns_zone <<<'w.test A 10.1.0.2'
before=$(packets rx)
nc_start -c x.ini -o "$FILE"
wait_until 5 packets_reach rx $((before + 2))
sleep 0.1 # into the pause of 300 ms
stop_for 1
nc_end 0 10
good 1 5

behaviour "a stop beyond the deadline: rounds that are left are discarded for the deadline, nothing is lost"
rm -f "$FILE"
sed -i 's/^resolve_timeout = .*/resolve_timeout = 500ms\ndeadline = 1s/' x.ini
before=$(packets rx)
nc_start -c x.ini -o "$FILE"
wait_until 5 packets_reach rx $((before + 2))
sleep 0.1
stop_for 1.5
nc_end 0 10
assert_eq 2 "$(value "$FILE" 'nodecanary_discarded_rounds_total{reason="deadline"}')"
assert_eq 1/1 "$(of requests_total a)/$(of replies_total a)" "requests/replies"
done_testing
