# shellcheck shell=bash
# What the tests of the rules share, besides tests/packaging/lib.sh.

# shellcheck source-path=SCRIPTDIR source=../packaging/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../packaging/lib.sh"
export PYTHONDONTWRITEBYTECODE=1

_judged() {
	python3 "$TOP/tests/prometheus/rules/judge.py" "$@" --jobs "$(nproc)" >"$TMP/judge" || :
	grep -q '^ok' "$TMP/judge" || { cat "$TMP/judge" && fail "nothing is judged"; }
}

# check_verdicts ARGUMENT...: of judge.py; each fault is a check of its own.
check_verdicts() {
	local line
	check "the rules are judged" _judged "$@"
	while IFS= read -r line; do
		check "${line#*ok - }" test "${line#not }" = "$line"
	done <"$TMP/judge"
}
