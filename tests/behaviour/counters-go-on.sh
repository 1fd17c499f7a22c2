#!/bin/bash
# Counters and histograms go on from run to run, and restart only where they must.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need promtool

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
mkdir "$DIR"

# run_with LINE...: one more run, of a configuration of short rounds and these lines.
run_with() {
	printf '%s\n' '[probe]' 'count = 2' 'warmup = 0' 'interval = 1ms' 'timeout = 200ms' "$@" \
		>"$TEST_TMP/x.ini"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	silent
	nothing_beside "$FILE"
	clean_metrics "$FILE"
}

# counter NAME PEER
counter() { value "$FILE" "nodecanary_$1{group=\"default\",peer=\"$2\"}"; }

# without_times FILE: what two runs that measured nothing may not differ in.
without_times() {
	grep -Ev '^nodecanary_last_run_timestamp_seconds |^# nodecanary-state 1 (node|end) ' "$1"
}

behaviour "counters and histograms go on from run to run"
for i in 1 2 3; do
	run_with '[peers]' 'a = 127.1.0.1' 'b = 127.1.0.2'
	if [ $i -eq 1 ]; then start=$(value "$FILE" nodecanary_counters_start_timestamp_seconds); fi
	assert_eq $i "$(value "$FILE" nodecanary_runs_total)"
	for peer in a b; do
		assert_eq $((2 * i)) "$(counter requests_total $peer)"
		assert_eq $((2 * i)) "$(counter replies_total $peer)"
		assert_eq 0 "$(counter unsent_total $peer)"
		assert_eq $((2 * i)) "$(counter rtt_seconds_count $peer)"
		assert_eq $((2 * i)) "$(
			value "$FILE" "nodecanary_rtt_seconds_bucket{group=\"default\",peer=\"$peer\",le=\"+Inf\"}")"
	done
	assert_eq "$start" "$(value "$FILE" nodecanary_counters_start_timestamp_seconds)"
done

behaviour "the sum of a histogram grows by exactly the times of the run"
before=$(counter rtt_seconds_sum a)
run_with '[peers]' 'a = 127.1.0.1' 'b = 127.1.0.2'
assert_eq "$(awk -v a="$(counter rtt_min_seconds a)" -v b="$(counter rtt_max_seconds a)" \
	'BEGIN { printf "%.9f", a + b }')" \
	"$(awk -v a="$(counter rtt_seconds_sum a)" -v b="$before" 'BEGIN { printf "%.9f", a - b }')"

behaviour "a new address of a peer resets no counter"
run_with '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2'
assert_eq 10 "$(counter requests_total a)"
assert_eq 10 "$(counter rtt_seconds_count a)"
value "$FILE" 'nodecanary_peer_info{group="default",peer="a",address="127.1.0.77"}' >/dev/null
assert_not_contains "$FILE" '127\.1\.0\.1"'

behaviour "new labels of a peer reset no counter"
run_with '[labels default]' 'zone = z' '[peers]' 'a = 127.1.0.77 rack=r1' 'b = 127.1.0.2'
assert_eq 12 "$(counter requests_total a)"
value "$FILE" 'nodecanary_peer_info{group="default",peer="a",address="127.1.0.77",rack="r1",zone="z"}' \
	>/dev/null

behaviour "a peer that is added begins at zero and disturbs nobody"
run_with '[peers]' 'a = 127.1.0.77' 'aa = 127.1.0.3' 'b = 127.1.0.2'
assert_eq 14/2/14 "$(counter requests_total a)/$(counter requests_total aa)/$(counter requests_total b)"
assert_eq 14/2/14 \
	"$(counter rtt_seconds_count a)/$(counter rtt_seconds_count aa)/$(counter rtt_seconds_count b)"

behaviour "a peer that is removed loses all its series, and begins at zero when it comes back"
run_with '[peers]' 'aa = 127.1.0.3' 'b = 127.1.0.2'
assert_not_contains "$FILE" 'peer="a"'
assert_eq 4/16 "$(counter requests_total aa)/$(counter requests_total b)"
run_with '[peers]' 'a = 127.1.0.77' 'aa = 127.1.0.3' 'b = 127.1.0.2'
assert_eq 2/6/18 "$(counter requests_total a)/$(counter requests_total aa)/$(counter requests_total b)"

behaviour "the order of the configuration plays no part"
run_with '[peers]' 'b = 127.1.0.2' 'aa = 127.1.0.3' 'a = 127.1.0.77'
assert_eq 4/8/20 "$(counter requests_total a)/$(counter requests_total aa)/$(counter requests_total b)"

behaviour "changed buckets restart the histograms and nothing else"
run_with 'buckets = 1ms 1s 2s' '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2'
assert_eq 6/22 "$(counter requests_total a)/$(counter requests_total b)"
assert_eq 2/2 "$(counter rtt_seconds_count a)/$(counter rtt_seconds_count b)"
assert_eq 2 "$(value "$FILE" 'nodecanary_rtt_seconds_bucket{group="default",peer="a",le="2"}')"
assert_eq 4 "$(grep -c '^nodecanary_rtt_seconds_bucket{group="default",peer="a"' "$FILE")"
run_with 'buckets = 1ms 1s 2s' '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2'
assert_eq 4 "$(counter rtt_seconds_count a)" "with the new buckets"
run_with 'buckets = 1ms 1s' '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2'
assert_eq 2 "$(counter rtt_seconds_count a)" "with fewer buckets"
run_with 'buckets = 1ms 1s 2s' '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2'
assert_eq 2 "$(counter rtt_seconds_count a)" "with more buckets"

behaviour "the histogram of a group never falls, whoever leaves it"
group_count() { value "$FILE" 'nodecanary_group_rtt_seconds_count{group="default"}'; }
run_with 'histogram = group' '[peers]' 'a = 127.1.0.77' 'b = 127.1.0.2' 'c = 127.1.0.4'
assert_eq 6 "$(group_count)"
absent "$FILE" nodecanary_rtt_seconds_
run_with 'histogram = group' '[peers]' 'a = 127.1.0.77'
assert_eq 8 "$(group_count)"
run_with 'histogram = group' '[peers]'
assert_eq 8 "$(group_count)"
run_with 'histogram = group' '[peers]' 'd = 127.1.0.5'
assert_eq 10 "$(group_count)"
run_with 'histogram = group' 'buckets = 1s' '[peers]' 'd = 127.1.0.5'
assert_eq 2 "$(group_count)" "with other buckets"

behaviour "a group's histogram that is kept no longer is gone, and its counters are not"
run_with 'histogram = off' '[peers]' 'd = 127.1.0.5'
assert_not_contains "$FILE" 'rtt_seconds_(bucket|count)'
assert_eq 6 "$(counter requests_total d)"

behaviour "peers of one name in two groups, and families, are counted apart"
for i in 1 2; do
	run_with '[probe g]' 'family = both' '[peers]' 'd = 127.1.0.5' '[peers g]' \
		'd = 127.1.0.6, ::1' 'e = 127.1.0.7'
done
assert_eq 10 "$(counter requests_total d)"
for family in ipv4 ipv6; do
	assert_eq 4 "$(value "$FILE" "nodecanary_requests_total{group=\"g\",peer=\"d\",family=\"$family\"}")"
done

behaviour "while the address of this node is away for a run, it is who it was and counters go on"
for selection in 'members_only = yes' 'fanout = 2'; do
	rm -f "$FILE"
	as_member() {
		run_with "$selection" '[peers]' 'a = 10.9.9.1' 'b = 127.1.0.2' 'c = 127.1.0.3' 'd = 127.1.0.4'
	}
	ip addr add 10.9.9.1/32 dev lo
	for i in 1 2 3; do as_member; done
	grep '^nodecanary_requests_total' "$FILE" >"$TEST_TMP/before"
	[ -s "$TEST_TMP/before" ] || fail "nothing was measured with $selection"
	ip addr del 10.9.9.1/32 dev lo
	as_member
	assert_eq 1 "$(value "$FILE" 'nodecanary_self_info{group="default",peer="a"}')"
	ip addr add 10.9.9.1/32 dev lo
	as_member
	while read -r series count; do
		assert_eq $((count + 4)) "$(value "$FILE" "$series")" "$series with $selection"
	done <"$TEST_TMP/before"
	ip addr del 10.9.9.1/32 dev lo
done

behaviour "what a failed run writes again is what it read"
cp "$FILE" "$TEST_TMP/good"
echo nonsense >"$TEST_TMP/broken.ini"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
without_times "$FILE" >"$TEST_TMP/first"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
without_times "$FILE" | cmp - "$TEST_TMP/first"
# Every line of a counter, a histogram or an info is there as it was.
grep -E '^(# (HELP|TYPE) )?nodecanary_([a-z_]*_total|rtt_seconds_|[a-z]*_info|peers|peer_list)' \
	"$TEST_TMP/good" >"$TEST_TMP/kept"
grep -Fxvf "$FILE" "$TEST_TMP/kept" >"$TEST_TMP/lost" && fail "lost: $(cat "$TEST_TMP/lost")"

behaviour "two runs that measure nothing give the same bytes but for their own figures"
own='^nodecanary_(last_run_|runs_total)|^# nodecanary-state 1 (node|end) '
run_with '[peers]'
grep -Ev "$own" "$FILE" >"$TEST_TMP/first"
run_with '[peers]'
grep -Ev "$own" "$FILE" | cmp - "$TEST_TMP/first"

done_testing
