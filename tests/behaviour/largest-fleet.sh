#!/bin/bash
# A run of 65,536 peers of one family measures all of them within a minute, and counts exactly what the network counted.
# check: no, it takes minutes
# time-limit: 300
# alone: replies must come in their time
# sandbox: no, it measures CPU
# sanitizers: no, it takes minutes

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

peers=65536 rounds=3
FILE=$TEST_TMP/x.prom

cat >plan <<'PLAN'
10.1.0.0-10.1.255.255 delay=20ms
PLAN
{
	printf '%s\n' '[collector]' 'deadline = 60s' '[probe]' "count = $rounds" 'warmup = 0' 'histogram = off' '[peers]'
	awk -v n=$peers 'BEGIN { for (i = 0; i < n; i++) {
		printf "p%d = 10.1.%d.%d\n", i, i / 256, i % 256
		printf "p%d 10.1.%d.%d\n", i, i / 256, i % 256 >"x.map" } }'
} >x.ini

behaviour "65,536 peers of one family are measured within a deadline of 60 s, and every count is the network's"
# A machine that stands still for long makes the run discard rounds, as it should; then it is tried again.
for _ in 1 2 3; do
	simnet_start plan
	rm -f "$FILE"
	run_nc 0 -c x.ini -o "$FILE"
	simnet_stop
	discarded=$(sum "$FILE" nodecanary_discarded_rounds_total)
	echo "$(value "$FILE" nodecanary_last_run_duration_seconds) s, $(
		value "$FILE" nodecanary_last_run_cpu_seconds) s of CPU, $(kilobytes "$FILE") kB, $discarded rounds discarded"
	if [ "$discarded" = 0 ]; then break; fi
done
assert_eq 0 "$discarded" "discarded rounds"
compare_counts "$FILE" default x.map
assert_eq $((rounds * peers)) "$(sum "$FILE" nodecanary_replies_total)" "replies"
assert_eq 0 "$(sum "$FILE" nodecanary_unsent_total)" "unsent"
assert_le "$(value "$FILE" nodecanary_last_run_duration_seconds)" 61 "seconds"
done_testing
