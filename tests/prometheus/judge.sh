#!/bin/bash
# With random loss, many seeds and a day of background loss, alerts come in time and accuse nobody wrongly.
# check: no, it computes for half an hour; rules.sh has one seed of each fault
# shellcheck disable=SC2317 # called by check
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_tools promtool python3

README=$TOP/packaging/prometheus/README.md

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

check_verdicts all --table "$TMP/table"
check "README has the table of these faults" in_readme
finish
