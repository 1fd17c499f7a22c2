#!/bin/bash
# A run needs little memory, with few peers and with many, and has one thread.
# sandbox: no, the memory would be that of the sandbox

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need strace taskset

FILE=$TEST_TMP/x.prom

# fleet N
fleet() {
	local i
	printf '%s\n' '[probe]' 'interval = 1ms' 'timeout = 500ms' "count = ${COUNT:-5}" '[peers]'
	for ((i = 1; i <= $1; i++)); do echo "worker$i = 127.1.$((i / 250)).$((i % 250 + 1))"; done
}

behaviour "a run of 9 peers has one thread, and starts no process"
fleet 9 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
if strace -o "$TEST_TMP/trace" true 2>"$TEST_TMP/err"; then
	# A leak checker traces by itself.
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$TEST_TMP/trace" -e trace=%process \
		"$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err"
	assert_file_contains "$TEST_TMP/trace" 'execve'
	assert_not_contains "$TEST_TMP/trace" '(clone3?|v?fork)\('
fi

is_sanitized && skip "a sanitizer's memory is its own"

# Rounds of 17 groups at the same time, and a child for each name.
groups_and_names() {
	local i
	printf '%s\n' '[collector]' 'resolve_every = 0s' '[probe]' 'count = 1' 'interval = 1ms' \
		'timeout = 100ms' '[peers]' 'host1.test =' 'host2.test ='
	for ((i = 31; i < 47; i++)); do
		printf '%s\n' "[probe g$i]" "ttl = $i" "[peers g$i]" "a = 127.0.0.$i"
	done
}

behaviour "nothing that it does asks how many cores there are: not its threads, not its lookups"
dns_start <<<'host[1-2].test A 127.5.0.+'
groups_and_names >"$TEST_TMP/x.ini"
strace -f -o "$TEST_TMP/trace" -e trace=%process,sched_getaffinity,%file \
	"$NC" -c "$TEST_TMP/x.ini" -o "$FILE" 2>"$TEST_TMP/err"
silent
assert_eq 18 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$FILE")" "peers that answered"
assert_file_contains "$TEST_TMP/trace" 'clone3?\(.*CLONE_THREAD'
assert_file_contains "$TEST_TMP/trace" '/etc/resolv.conf'
assert_not_contains "$TEST_TMP/trace" 'sched_getaffinity|/sys/devices/system/cpu|/proc/(stat|cpuinfo)'

behaviour "one core or all of them: the same memory"
all=$(median_kilobytes "$FILE" -c "$TEST_TMP/x.ini")
cpu=$(taskset -pc $$ | sed "s/.*[ ,-]//")
one=$(NC_WRAP="taskset -c $cpu" median_kilobytes "$FILE" -c "$TEST_TMP/x.ini")
echo "VmHWM on one core: $one kB, on $(nproc): $all kB"
assert_between $((all - 256)) "$one" $((all + 256)) "kB"

behaviour "a file whose counters go on needs no more than a first one"
fleet 9 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
first=$(kilobytes "$FILE")
nine=$(median_kilobytes "$FILE" -c "$TEST_TMP/x.ini")
assert_le "$nine" $((first + 256)) "kB"
echo "VmHWM at 9 peers: $nine kB"
COUNT=2 fleet 1000 >"$TEST_TMP/x.ini"
thousand=$(median_kilobytes "$FILE" -c "$TEST_TMP/x.ini")
echo "VmHWM at 1,000 peers, histogram = peer: $thousand kB"

behaviour "1,000 peers with a histogram each need at most 3 MB"
assert_eq 1000 "$(grep -c '^nodecanary_peer_up.* 1$' "$FILE")" "peers that answered"
assert_le "$thousand" 3072 "kB"

behaviour "9 peers need at most 2.0 MB"
assert_le "$nine" 2048 "kB"

done_testing
