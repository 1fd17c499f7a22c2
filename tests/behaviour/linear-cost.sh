#!/bin/bash
# A peer costs the same in a small fleet and in a large one.
# check: no, counting instructions takes long
# time-limit: 300
# sandbox: no, valgrind is another program

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need valgrind callgrind_annotate python3
is_sanitized && skip "a program with a sanitizer does not run under valgrind"

FILE=$TEST_TMP/x.prom

fleet() {
	local i
	printf '%s\n' '[collector]' 'deadline = 1m' '[probe]' 'count = 1' 'warmup = 0' 'timeout = 10s' \
		'[peers]'
	for ((i = 1; i <= $1; i++)); do echo "worker$i = 127.1.$((i / 250)).$((i % 250 + 1))"; done
}

# thousands FUNCTION: of instructions, with all that it calls.
thousands() {
	callgrind_annotate --inclusive=yes --threshold=100 --auto=no "$TEST_TMP/profile" |
		awk -v name="$1" '{ n = $1; gsub(",", "", n) }
			match($0, "[:/]" name "( |$)") { print int(n / 1000); found = 1; exit }
			END { exit !found }'
}

# profile PEERS: of a run that takes the counters of one before over.
profile() {
	local name
	fleet "$1" >"$TEST_TMP/x.ini"
	rm -f "$FILE"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	NC_WRAP="valgrind --quiet --tool=callgrind --callgrind-out-file=$TEST_TMP/profile" \
		run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	assert_eq "$1" "$(grep -c '^nodecanary_peer_up.* 1$' "$FILE")" "peers that answered"
	for name in configload_read restore_read exposition_write batch_run main ping_host_add; do
		cost[$1/$name]=$(thousands "$name")
		echo "$1 peers, $name: ${cost[$1/$name]} thousand instructions"
	done
}

# no_dearer FUNCTION: four times the peers, at most four times the cost and a tenth.
no_dearer() { assert_le "${cost[2000/$1]}" $((cost[500/$1] * 44 / 10)) "thousand instructions"; }

declare -A cost=()
profile 500
profile 2000

behaviour "reading the configuration is linear in the peers"
no_dearer configload_read

behaviour "taking the counters over is linear in the peers"
no_dearer restore_read

# liboping compares each new host with up to 999 others.
behaviour "pinging is linear in the peers, but for the adding of hosts by liboping"
assert_le $((cost[2000/batch_run] - cost[2000/ping_host_add])) \
	$(((cost[500/batch_run] - cost[500/ping_host_add]) * 44 / 10)) "thousand instructions"

behaviour "publishing is linear in the peers"
no_dearer exposition_write

behaviour "so is the rest of a run, but for the adding of hosts by liboping"
assert_le $((cost[2000/main] - cost[2000/ping_host_add])) \
	$(((cost[500/main] - cost[500/ping_host_add]) * 44 / 10)) "thousand instructions"

# used PEERS: page faults and peak memory in kB of a run.
used() {
	fleet "$1" >"$TEST_TMP/x.ini"
	rm -f "$FILE"
	"$NC" -c "$TEST_TMP/x.ini" -o "$FILE"
	python3 - "$NC" -c "$TEST_TMP/x.ini" -o "$FILE" <<'PY'
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_minflt)
sys.exit(status != 0)
PY
}

behaviour "page faults grow by hardly more than one for each page of a peer's memory"
few=$(used 1000)
few_kb=$(($(value "$FILE" nodecanary_last_run_peak_memory_bytes) / 1024))
many=$(used 4000)
many_kb=$(($(value "$FILE" nodecanary_last_run_peak_memory_bytes) / 1024))
echo "1,000 peers: $few page faults, $few_kb kB; 4,000 peers: $many page faults, $many_kb kB"
assert_le $((many - few)) $(((many_kb - few_kb) * 5 / 16 + 64)) "page faults"

behaviour "a peer with a histogram costs at most 1.1 kB"
assert_le $(((many_kb - few_kb) * 10 / 3000)) 11 "tenths of a kB"
done_testing
