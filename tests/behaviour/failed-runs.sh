#!/bin/bash
# Runs that measure nothing keep the counters and say why they failed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need promtool setpriv

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
mkdir "$DIR"
cat >"$TEST_TMP/x.ini" <<INI
[collector]
textfile = $DIR/configured.prom
self = me
[probe]
count = 2
warmup = 0
interval = 1ms
timeout = 200ms
[probe g]
histogram = group
members_only = no
[probe strangers]
members_only = yes
[labels default]
zone = z
[peers]
a = 127.1.0.1 rack="r 1"
b = 127.1.0.2
me = 127.1.0.3
[peers g]
a = 127.1.0.1
[peers strangers]
x = 127.1.0.4
INI
{
	cat "$TEST_TMP/x.ini"
	echo 'y = 127.1.0.5 group=mine'
} >"$TEST_TMP/broken.ini"

# The gauges of a run, which one that did not happen has not.
GAUGES='peer_up loss_ratio rtt_min rtt_mean rtt_max rtt_stddev jitter reply_hop_limit peer_resolved
	last_run_duration last_run_cpu last_run_resolve last_run_peak'

good_run() {
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	silent
}

# failed_file RUNS: what a failed run after so many good ones publishes.
failed_file() {
	local gauge
	clean_metrics "$FILE"
	nothing_beside "$FILE"
	assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
	for gauge in $GAUGES; do absent "$FILE" "nodecanary_$gauge"; done
	assert_eq "$1" "$(value "$FILE" nodecanary_runs_total)"
	assert_eq $(($1 * 2)) "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="a"}')"
	assert_eq $(($1 * 2)) "$(value "$FILE" 'nodecanary_rtt_seconds_count{group="default",peer="a"}')"
	assert_eq $(($1 * 2)) "$(value "$FILE" 'nodecanary_group_rtt_seconds_count{group="g"}')"
	assert_le "$started" "$(value "$FILE" nodecanary_last_run_timestamp_seconds)"
}

# configuration FILE: what says something about it, and must outlive a failed run.
configuration() {
	grep -E '^nodecanary_(peer_info|self_info|peers|group_observers|peer_list_hash|build_info|counters_start_timestamp_seconds|last_resolve_timestamp_seconds)[{ ]' "$1"
}

good_run
good_run
cp "$FILE" "$TEST_TMP/good"
configuration "$FILE" >"$TEST_TMP/configuration"

behaviour "a broken configuration keeps the counters, and no gauge of a run"
for _ in 1 2; do
	started=$(date +%s)
	run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
	says 1 'broken\.ini:[0-9]+: peer .y.: label .group.'
	failed_file 2
done

behaviour "a broken configuration keeps what is known of the one before"
configuration "$FILE" | diff "$TEST_TMP/configuration" - >"$TEST_TMP/diff" ||
	fail "$(_show "$TEST_TMP/diff")"

behaviour "with the configuration mended the counters go on"
good_run
assert_eq 3 "$(value "$FILE" nodecanary_runs_total)"
assert_eq 6 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="a"}')"
assert_eq 6 "$(value "$FILE" 'nodecanary_rtt_seconds_count{group="default",peer="a"}')"
assert_eq 6 "$(value "$FILE" 'nodecanary_group_rtt_seconds_count{group="g"}')"
assert_eq 1 "$(value "$FILE" nodecanary_last_run_success)"
assert_eq "$(value "$TEST_TMP/good" nodecanary_counters_start_timestamp_seconds)" \
	"$(value "$FILE" nodecanary_counters_start_timestamp_seconds)"

behaviour "a configuration that is not there is a broken one"
started=$(date +%s)
run_nc 78 -c "$TEST_TMP/missing.ini" -o "$FILE"
says 1 'missing\.ini: cannot open: No such file or directory'
failed_file 3

behaviour "a broken configuration without -o touches nothing"
cp "$FILE" "$DIR/configured.prom"
touch -d 2001-01-01 "$DIR/configured.prom"
stat -c '%i %Y %s' "$DIR/configured.prom" >"$TEST_TMP/stat"
run_nc 78 -c "$TEST_TMP/broken.ini"
stat -c '%i %Y %s' "$DIR/configured.prom" | cmp - "$TEST_TMP/stat"
nothing_beside "$FILE" configured.prom

behaviour "nor does it with -n, -C or -l, and with -o - it prints nothing"
touch -d 2001-01-01 "$FILE"
stat -c '%i %Y %s' "$FILE" >"$TEST_TMP/stat"
for mode in -n -C -l; do
	run_nc 78 $mode -c "$TEST_TMP/broken.ini" -o "$FILE"
	stat -c '%i %Y %s' "$FILE" | cmp - "$TEST_TMP/stat"
done
run_nc 78 -c "$TEST_TMP/broken.ini" -o -
assert_eq 0 "$(stat -c %s "$TEST_TMP/out")" "bytes on standard output"
rm "$DIR/configured.prom"

behaviour "a first run with a broken configuration says that it failed"
rm "$FILE"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
says 1 'broken\.ini'
clean_metrics "$FILE"
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
good_run
assert_eq 1 "$(value "$FILE" nodecanary_runs_total)"
good_run

without_raw_sockets true 2>"$TEST_TMP/err" || skip "capabilities cannot be dropped here"

behaviour "without privilege: 77, a message that says what to do, and nothing aborts"
started=$(date +%s)
assert_exit 77 without_raw_sockets "$NC" -c "$TEST_TMP/x.ini" -o "$FILE"
says 1 '^nodecanary: no permission for raw sockets.*root.*CAP_NET_RAW'
failed_file 2
# What the kernel counts is no result of the run.
for count in requests_received replies_sent; do
	value "$FILE" "nodecanary_echo_${count}_total{family=\"ipv4\"}" >"$TEST_TMP/count"
	assert_le 1 "$(cat "$TEST_TMP/count")" "$count"
done
for option in -n -t '-o -'; do
	# shellcheck disable=SC2086 # an option and its argument
	assert_exit 77 without_raw_sockets "$NC" -c "$TEST_TMP/x.ini" -o "$TEST_TMP/y.prom" $option
	says 1 'no permission'
done

behaviour "an empty list of peers needs no privilege"
printf '[peers]\n' >"$TEST_TMP/empty.ini"
assert_exit 0 without_raw_sockets "$NC" -c "$TEST_TMP/empty.ini" -o "$TEST_TMP/y.prom"
silent

behaviour "with the privilege given the counters go on"
good_run
assert_eq 3 "$(value "$FILE" nodecanary_runs_total)"
assert_eq 6 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="a"}')"

behaviour "without privilege what is known of the configuration stays as it was"
configuration "$FILE" >"$TEST_TMP/configuration"
assert_exit 77 without_raw_sockets "$NC" -c "$TEST_TMP/x.ini" -o "$FILE"
configuration "$FILE" | diff "$TEST_TMP/configuration" - >"$TEST_TMP/diff" ||
	fail "$(_show "$TEST_TMP/diff")"
assert_not_contains "$FILE" 'peer_info.*peer="me"'

behaviour "a first file of a failed run has what is always published"
rm "$FILE"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
assert_file_contains "$FILE" '^nodecanary_build_info\{version="[^"]+",liboping="[^"]+"\} 1$'
assert_eq 0 "$(value "$FILE" nodecanary_runs_total)"

done_testing
