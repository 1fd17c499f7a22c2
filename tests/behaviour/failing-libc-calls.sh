#!/bin/bash
# Any call of libc may fail: no crash, an exit status that says what happened, and the old file or
# the new one.
# time-limit: 600
# sandbox: no, nothing can be preloaded

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
is_sanitized && skip "no preloading with a sanitizer"

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"

dns_start <<<'w1.test A 127.5.0.1'
cat >"$TEST_TMP/x.ini" <<'INI'
[collector]
resolve_every = 0s
resolve_timeout = 500ms
[probe]
count = 2
warmup = 0
interval = 1ms
timeout = 100ms
[probe g]
histogram = group
ttl = 32
[labels default]
zone = z
[peers]
a = 127.1.0.1 rack="r 1"
w1.test =
[peers g]
a = 127.1.0.1
INI

shim() { env LD_PRELOAD="$TOOLS/fault_shim.so" "$@" "$NC" -c "$TEST_TMP/x.ini" -o "$FILE"; }

# fail_each FUNCTION ERRNO: one chosen call of it after the other, of all that a run makes.
fail_each() {
	local n calls status before after
	calls=$(awk -v name="$1" '$1 == name { print $2 }' "$TEST_TMP/calls")
	for ((n = 1; n <= ${calls:-0}; n++)); do
		is_chosen "$n" "$calls" || continue
		before=$(value "$FILE" nodecanary_runs_total)
		status=0
		shim FAULT_SHIM="$1:$n:$2" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
		case $status in
		0 | 71 | 73 | 78) ;;
		*) fail "$1 $n with $2: exit status $status; $(_show "$TEST_TMP/err")" ;;
		esac
		[ $status -eq 0 ] || [ -s "$TEST_TMP/err" ] || fail "$1 $n with $2: $status without a word"
		after=$(value "$FILE" nodecanary_runs_total)
		# A warning of lost counters is what 0 and a lower count may come with.
		if ! grep -q 'counters start from zero' "$TEST_TMP/err"; then
			assert_between "$before" "$after" $((before + 1)) "runs after $1 $n with $2"
		fi
		nothing_beside "$FILE"
		tried=$((tried + 1))
	done
}

run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
shim FAULT_SHIM_COUNT="$TEST_TMP/calls"

while read -r function errno; do
	behaviour "a run survives each failure of $function"
	tried=0
	fail_each "$function" "$errno"
	echo "$function: $tried"
	assert_le 1 "$tried" "calls"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	silent
done <<'LIST'
malloc ENOMEM
write EIO
fsync EIO
fchmod EPERM
renameat2 EROFS
openat EMFILE
setsockopt EPERM
getifaddrs ENOBUFS
pipe2 EMFILE
fork EAGAIN
signalfd EMFILE
fstat EIO
fstatat EIO
read EIO
mmap ENOMEM
getrandom EIO
flock ENOLCK
LIST

done_testing
