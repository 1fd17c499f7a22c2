#!/bin/bash
# With random loss, many seeds and a day of background loss, alerts come in time and accuse nobody wrongly.
# check: no, it computes for half an hour; rules.sh has one seed of each fault
# shellcheck disable=SC2317 # called by check
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/../packaging/lib.sh"
need_tools promtool python3

README=$TOP/packaging/prometheus/README.md

judged() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/prometheus/rules/judge.py" all --jobs "$(nproc)" --table "$TMP/table" \
		>"$TMP/judge" || :
	grep -q '^ok' "$TMP/judge" || { cat "$TMP/judge" && fail "nothing is judged"; }
}

# With UPDATE=1 the table of README is written anew; it names the same faults in any case.
in_readme() {
	if [ -n "${UPDATE:-}" ]; then
		awk -v table="$TMP/table" '
			/^<!-- judge: begin -->/ { print; while ((getline line <table) > 0) print line; skip = 1; next }
			/^<!-- judge: end -->/ { skip = 0 }
			!skip' "$README" >"$TMP/README.md"
		cp "$TMP/README.md" "$README"
	fi
	equal "faults in README" "$(cut -d '|' -f 2,3 "$TMP/table")" \
		"$(sed -n '/^<!-- judge: begin/,/^<!-- judge: end/p' "$README" | grep '^|' | cut -d '|' -f 2,3)"
}

check "the rules are judged" judged
while IFS= read -r line; do
	check "${line#*ok - }" test "${line#not }" = "$line"
done <"$TMP/judge"
check "README has the table of these faults" in_readme
finish
