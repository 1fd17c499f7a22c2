#!/bin/bash
# Any system call of a run may fail: no crash, a documented exit status, a whole file, a message, no
# invented loss.
# (Failures of libc's own functions are failing-libc-calls.sh.) Of the errors that a call can have,
# each chosen call (lib.sh) gets one in turn; the first call gets all, and with ALL=1 the last, too.
# FULL=1: each call gets all of them.
# time-limit: 1800
# sandbox: no, strace would run within it
# sanitizers: no, they make calls of their own

# shellcheck disable=SC2317 # each_call calls what is unreachable
# shellcheck source-path=SCRIPTDIR source=short-run-lib.sh
. "$(dirname "$0")/short-run-lib.sh"

short_run_init
calls >"$TEST_TMP/calls"

# NAME ERRNO...: calls that can fail; `NAME -`: that cannot, or whose failure is the C library's.
cat >"$TEST_TMP/errors" <<'LIST'
access EACCES
arch_prctl -
bind EADDRINUSE ENOMEM
brk -
clock_nanosleep EINTR
clone EAGAIN ENOMEM
clone3 EAGAIN ENOMEM
close EIO EINTR
connect ECONNREFUSED
exit -
exit_group -
fchmod EPERM EIO EROFS
flock ENOLCK EINTR
fsync EIO ENOSPC EDQUOT
futex -
geteuid -
getpid -
getppid -
getrandom EIO ENOSYS
getrusage EINVAL
getsockname ENOBUFS
getsockopt ENOPROTOOPT ENOMEM
fcntl EACCES ENOLCK
ioctl ENOTTY
kill EPERM
landlock_add_rule ENOMEM
landlock_create_ruleset ENOSYS EOPNOTSUPP ENOMEM
landlock_restrict_self EPERM E2BIG
lseek ESPIPE
madvise EINVAL
mmap ENOMEM
mprotect ENOMEM
munmap ENOMEM
newfstatat EIO EACCES ENOMEM
openat EACCES ENOENT EMFILE ENOSPC EIO EROFS ELOOP
pipe2 EMFILE ENFILE
poll ENOMEM EINTR
ppoll ENOMEM EINTR
prctl EINVAL
pread64 EIO
prlimit64 EPERM
read EIO EINTR
recvfrom ENOMEM
recvmmsg ENOMEM EINTR
recvmsg ENOBUFS
renameat2 EIO ENOSPC EXDEV EACCES
restart_syscall -
rseq -
rt_sigaction EINVAL
rt_sigprocmask EINVAL
sendmsg EPERM ENOBUFS ENETUNREACH EMSGSIZE EINTR
sendto ENOBUFS
set_robust_list -
set_tid_address -
setitimer -
setsockopt ENOPROTOOPT EPERM ENOMEM
signalfd4 EMFILE ENOMEM
socket EPERM EMFILE ENOBUFS EAFNOSUPPORT
umask -
uname EFAULT
unlinkat EIO
wait4 ECHILD
write ENOSPC EIO EDQUOT
LIST

# documented_status WHAT: 127 is the loader's, before there is a program, and it has a message.
documented_status() {
	case $status in
	0 | 71 | 73 | 75 | 77 | 78) assert_not_contains "$TEST_TMP/err" '^[^<]|^<[^346]' ;;
	127) assert_file_contains "$TEST_TMP/err" 'error while loading shared libraries|cannot ' ;;
	*) fail "$1: exit status $status; $(_show "$TEST_TMP/err")" ;;
	esac
}

# says_what_is_missing: a metric has it where no message has: 3 requests were to leave.
says_what_is_missing() {
	awk '$1 ~ /^nodecanary_(requests|unsent)_total/ { n = $NF }
		$1 ~ /^nodecanary_(discarded_rounds_total|last_run_success)/ { n = $NF }
		FILENAME == ARGV[1] { old[$1] = n; next }
		$1 ~ /^nodecanary_(requests|unsent)_total/ { peers += n - old[$1] }
		$1 ~ /^nodecanary_discarded_rounds_total/ { discarded += n - old[$1] }
		$1 == "nodecanary_last_run_success" { failed = n == 0 }
		END { exit !(peers == 3 || discarded > 0 || failed) }' /dev/fd/9 "$FILE"
}

# restarted WHAT ERRNO: the counters did, for it says so, or another user removed the file meanwhile.
restarted() {
	if grep -q 'counters start from zero' "$TEST_TMP/err"; then
		[[ $2 = @(EACCES|ELOOP) ]] || fail "$1: a passing error costs the counters"
		return 0
	fi
	[ "$2" = ENOENT ] && grep -q '"x\.prom".*INJECTED' "$TEST_TMP/trace.now"
}

# judge WHAT ERRNO
judge() {
	documented_status "$1"
	local lost=1
	restarted "$1" "$2" || { whole_file "$1" && lost=0; }
	if [ ! -s "$TEST_TMP/err" ]; then
		[ "$status" = 0 ] || fail "$1: exit status $status without a word"
		! [ /dev/fd/9 -ef "$FILE" ] || fail "$1: nothing published without a word"
		[ $lost = 1 ] || says_what_is_missing || fail "$1: requests are missing, without a word"
	fi
	if ! grep -q 'cannot remove' "$TEST_TMP/err"; then alone "$1"; fi
	if [ "${FULL:-0}" = 1 ] || ! [ /dev/fd/9 -ef "$FILE" ]; then goes_on "$1"; fi
}

# fail_at NAME WHEN ERRNO
fail_at() {
	if [ "$1 ${2%+}" = "mmap 1" ]; then return; fi # glibc's loader does not look
	local only=()
	# A message is written, too.
	if [[ $1 = write && $2 = *+ ]]; then only=(-P "$DOT"); fi
	traced "$1:error=$3:when=$2" --seccomp-bpf ${only[@]+"${only[@]}"}
	judge "$1 $2 with $3" "$3"
	tried=$((tried + 1))
}

# each_call FUNCTION: calls it with NAME, COUNT, and the errors that this call can have.
each_call() {
	local name count errors
	tried=0
	while read -r name count; do
		errors=$(awk -v name="$name" '$1 == name { $1 = ""; print }' "$TEST_TMP/errors")
		[ -n "$errors" ] || fail "a call that the table above has not: $name"
		# shellcheck disable=SC2086 # a list
		if [ "$errors" != " -" ]; then "$1" "$name" "$count" $errors; fi
	done <"$TEST_TMP/calls"
	echo "$tried failures tried"
}

fail_each() {
	local name=$1 count=$2 n errno
	shift 2
	for ((n = 1; n <= count; n++)); do
		if [ "${FULL:-0}" = 1 ] || ((n == 1 || (n == count && STRIDE == 1))); then
			for errno; do fail_at "$name" "$n" "$errno"; done
		elif is_chosen "$n" "$count"; then
			errno=${*:n / STRIDE % $# + 1:1}
			fail_at "$name" "$n" "$errno"
		fi
	done
}

behaviour "whichever system call fails: no crash, a documented status, a whole file, no silence"
each_call fail_each
assert_le "$(as_many 150 100)" "$tried" "failures tried"

# Who is interrupted tries again, for ever if need be.
fail_from() {
	local name=$1 from=$(($2 / 2 + 1)) errno
	shift 2
	for errno; do
		[ "$errno" != EINTR ] || continue
		fail_at "$name" "$from+" "$errno"
		if [ "$STRIDE" != 1 ]; then return; fi
	done
}

behaviour "the same holds where a call fails from some moment on"
each_call fail_from
assert_le "$(as_many 50 40)" "$tried" "failures tried"

# fail_shimmed FUNCTION:WHEN:ERROR: as fail_at, by preloading. liboping, inih and libc allocate too.
fail_shimmed() {
	exec 9<"$FILE"
	status=0
	JOURNAL_STREAM=$journal LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM=$1 \
		"$NC" -c "$INI" -o "$FILE" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
	# What glibc says itself in the child that looks names up, which it then aborts.
	sed '/: nss_database\.c:.* Assertion/d; /^Unexpected error\.$/d' "$TEST_TMP/err" >"$TEST_TMP/ours"
	cat "$TEST_TMP/ours" >"$TEST_TMP/err"
	judge "$1" "${1##*:}"
	tried=$((tried + 1))
}

behaviour "the same holds whichever allocation fails, or all from then on, and for short writes"
tried=0
LD_PRELOAD=$TOOLS/fault_shim.so FAULT_SHIM_COUNT=$TEST_TMP/counts "$NC" -c "$INI" -o "$FILE"
count=$(awk '$1 == "malloc" { print $2 }' "$TEST_TMP/counts")
for ((n = 1; n <= count; n++)); do
	is_chosen "$n" "$count" || continue
	fail_shimmed "malloc:$n:ENOMEM"
	if [ "${FULL:-0}" = 1 ] || ((STRIDE > 1 || n % 8 == 1)); then fail_shimmed "malloc:$n+:ENOMEM"; fi
done
for ((n = 1; n <= 2; n++)); do fail_shimmed "write:$n:SHORT"; done
echo "$tried failures tried"
assert_le "$(as_many 50 10)" "$tried" "failures tried"

done_testing
