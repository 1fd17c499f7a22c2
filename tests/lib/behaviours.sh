# shellcheck shell=bash
# What the tests of behaviours share, in network namespaces and on booted nodes.
#
# Everything after `behaviour NAME` belongs to it, until the next one or done_testing: then it
# prints `ok - NAME`. A failed assertion, or any command that fails (set -e), prints what was
# expected and `not ok - NAME` and ends the test. Assertions work inside $(...) too.

set -euE
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Messages go to the real output even where a test redirects or captures.
exec 3>&1 4>&2
_results=3 _messages=4

_behaviour=
_failed=$TEST_TMP/.failed

# --- behaviours ---

behaviour() {
	_end_behaviour
	_behaviour=$1
}

done_testing() {
	_end_behaviour
	exit 0
}

_end_behaviour() {
	if [ -e "$_failed" ]; then exit 1; fi
	if [ -n "$_behaviour" ]; then echo "ok - $_behaviour" >&3; fi
	_behaviour=
}

_on_error() {
	local status=$?
	if [ ! -e "$_failed" ]; then
		: >"$_failed"
		echo "command failed with status $status: $BASH_COMMAND" >&4
		echo "    at $(_where)" >&4
	fi
}

_on_exit() {
	local status=$?
	trap - EXIT ERR
	set +e
	if [ "$status" -eq 0 ] && [ -n "$_behaviour" ]; then
		echo "the test ended without done_testing" >&4
		status=1
	fi
	if [ -e "$_failed" ] && [ "$status" -eq 0 ]; then status=1; fi
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		echo "not ok - ${_behaviour:-set-up of ${0##*/}}" >&3
	fi
	_kill_background
	exit "$status"
}

_kill_background() {
	local pids
	pids=$(jobs -p)
	if [ -n "$pids" ]; then
		# shellcheck disable=SC2086 # a list of words
		kill -KILL $pids 2>/dev/null
		{ wait; } 2>/dev/null
	fi
}

trap _on_error ERR
trap _on_exit EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# --- assertions ---

# assert_eq EXPECTED ACTUAL [WHAT]
assert_eq() {
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$1', actual '$2'"
}

_compare() {
	local x
	for x in "$1" "$3"; do
		[[ $x =~ ^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$ ]] || return 1
	done
	# Most values are integers. Bash compares these without starting a process.
	if [[ "$1 $3" =~ ^(0|[1-9][0-9]{0,15})\ (0|[1-9][0-9]{0,15})$ ]]; then
		x="$1 $2 $3"
		return $((x ? 0 : 1))
	fi
	awk -v a="$1" -v b="$3" "BEGIN { exit !(a + 0 $2 b + 0) }"
}

# assert_le A B [WHAT]: decimals.
assert_le() {
	_compare "$1" '<=' "$2" || fail "${3:-value}: expected at most '$2', actual '$1'"
}

# assert_between LO X HI [WHAT]: decimals, both ends included.
assert_between() {
	{ _compare "$1" '<=' "$2" && _compare "$2" '<=' "$3"; } ||
		fail "${4:-value}: expected between '$1' and '$3', actual '$2'"
}

# assert_file_contains FILE REGEX (extended)
assert_file_contains() {
	grep -E -e "$2" "$1" >/dev/null || fail "$1: expected a line that matches '$2'; $(_show "$1")"
}

# assert_not_contains FILE REGEX (extended)
assert_not_contains() {
	[ -r "$1" ] || fail "$1: cannot be read"
	if grep -Eq -e "$2" "$1"; then
		fail "$1: expected no line that matches '$2', found: $(grep -Em3 -e "$2" "$1")"
	fi
}

# assert_exit CODE COMMAND...: its output goes to $TEST_TMP/out and $TEST_TMP/err.
assert_exit() {
	local expected=$1 status=0
	shift
	"$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
	[ "$status" -eq "$expected" ] ||
		fail "exit status of $*: expected $expected, actual $status; $(_show "$TEST_TMP/err")"
}

# says N REGEX: the last one's messages are N lines, one of which matches.
says() {
	assert_eq "$1" "$(wc -l <"$TEST_TMP/err")" "lines of: $(cat "$TEST_TMP/err")"
	assert_file_contains "$TEST_TMP/err" "$2"
}

# silent: the last assert_exit or run_nc had nothing to say.
silent() {
	[ ! -s "$TEST_TMP/out" ] || fail "expected no output; $(_show "$TEST_TMP/out")"
	[ ! -s "$TEST_TMP/err" ] || fail "expected no message; $(_show "$TEST_TMP/err")"
}

# --- metrics ---

# value FILE 'metric{label="x"}': of exactly that series, labels in the order of the file.
value() {
	local status=0 result
	result=$(SERIES=$2 awk '
		/^#/ { next }
		substr($0, 1, length($0) - length($NF) - 1) == ENVIRON["SERIES"] { n++; v = $NF }
		END { if (n != 1) exit 1; print v }' "$1") || status=$?
	[ "$status" -eq 0 ] || fail "$1: expected exactly one series $2; $(_similar "$1" "$2")"
	echo "$result"
}

_similar() {
	echo "there are:"
	grep -F -m5 -e "${2%%\{*}" "$1" || echo "none like it"
}

# absent FILE 'metric{label=': no series begins so.
absent() {
	[ -r "$1" ] || fail "$1: cannot be read"
	SERIES=$2 awk 'index($0, ENVIRON["SERIES"]) == 1 { exit 1 }' "$1" ||
		fail "$1: expected no series that begins with $2; $(_similar "$1" "$2")"
}

# clean_metrics FILE...: promtool has nothing to say about them.
clean_metrics() {
	local file status
	for file; do
		status=0
		promtool check metrics <"$file" >"$TEST_TMP/promtool.log" 2>&1 || status=$?
		{ [ "$status" -eq 0 ] && [ ! -s "$TEST_TMP/promtool.log" ]; } ||
			fail "$file: promtool ends with $status; $(_show "$TEST_TMP/promtool.log")"
	done
}

# --- waiting ---

_uptime_cs() {
	_read_uptime
	echo "$_now_cs"
}

# Sets _now_cs, without a process.
_read_uptime() {
	local up _
	read -r up _ </proc/uptime
	_now_cs=${up/./}
}

# wait_until SECONDS COMMAND...: on a clock that nobody sets. Asks every 20 ms, and less and less often,
# so that who waits long leaves the CPU to whom it waits for: at most every WAIT_PAUSE_MAX_CS.
WAIT_PAUSE_MAX_CS=10
wait_until() {
	local seconds=$1 begin waited pause
	shift
	_read_uptime
	begin=$_now_cs
	[ -p "$TEST_TMP/.silence" ] || mkfifo "$TEST_TMP/.silence"
	until "$@" >"$TEST_TMP/wait_until.log" 2>&1; do
		_read_uptime
		waited=$((_now_cs - begin))
		if [ "$waited" -ge $((seconds * 100)) ]; then
			fail "waited $seconds s in vain for: $*; $(_show "$TEST_TMP/wait_until.log")"
		fi
		pause=$((waited / 10))
		pause=$((pause < 2 ? 2 : pause > WAIT_PAUSE_MAX_CS ? WAIT_PAUSE_MAX_CS : pause))
		printf -v pause '%d.%02d' $((pause / 100)) $((pause % 100))
		read -rt "$pause" <>"$TEST_TMP/.silence" || true # nobody writes to it: this sleeps, without a process
	done
}
