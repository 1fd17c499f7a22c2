# shellcheck shell=bash
# What suites of many small checks share. A suite sources this, calls `check`, and ends with `finish`.
#
# TMP is a directory of the suite, in which `scratch` is empty at the start of each check, SUITE the name of the suite (that of its file). COUNTS names a file to which
# `PASSED FAILED SKIPPED` is appended, V=1 shows output of what passes, too.

set -u
export LC_ALL=C
TMP=$(mktemp -d) || exit 1
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
SUITE=${SUITE:-$(basename "$0" .sh)}
passed=0 failed=0 skipped=0

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# check NAME COMMAND...: status 0 is a pass, 77 a skip whose reason is the last line.
check() {
	local name=$1 status
	shift
	rm -rf "$TMP/scratch"
	mkdir "$TMP/scratch"
	(
		set -e
		"$@"
	) >"$TMP/log" 2>&1
	status=$?
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] || [ "${V:-0}" = 1 ]; then
		tail -n 60 "$TMP/log" | sed 's/^/# /'
	fi
	case $status in
	0) echo "ok - $name" && passed=$((passed + 1)) ;;
	77) echo "ok - $name # SKIP $(tail -n 1 "$TMP/log")" && skipped=$((skipped + 1)) ;;
	*) echo "not ok - $name" && failed=$((failed + 1)) ;;
	esac
	return 0
}

finish() {
	if [ -n "${COUNTS:-}" ]; then echo "$passed $failed $skipped" >>"$COUNTS"; fi
	echo "$SUITE: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# need_tools TOOL...: without them the suite as a whole is skipped.
need_tools() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null && continue
		check "the tools are installed" skip "$tool is not"
		finish
	done
}

# equal WHAT EXPECTED ACTUAL
equal() {
	[ "$2" = "$3" ] || {
		diff -u --label "$1: expected" --label "$1: actual" <(echo "$2") <(echo "$3")
		exit 1
	}
}
