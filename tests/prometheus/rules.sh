#!/bin/bash
# In simulated fleets with faults exactly the alerts fire that should.
# A booted fleet tries them for real, in tests/node.
# shellcheck disable=SC2317,SC2016 # called by check; backticks are those of README
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/../packaging/lib.sh"
need_tools promtool python3 xargs

RULES=$TOP/packaging/prometheus
ALERTS=$RULES/nodecanary.alerts.yml
README=$RULES/README.md
# promtool collects more garbage than it must.
export GOGC=400

clean() { promtool check rules --lint=all --lint-fatal "$RULES"/*.yml; }

# "NAME FOR SEVERITY SUMMARY DESCRIPTION" of each alert, the last two as numbers of lines.
alerts() {
	awk '
		function end() { if (name) print name, wait, severity, summary, description }
		/^      - alert:/ { end(); name = $3; wait = "0m"; severity = "none"; summary = description = 0 }
		/^        for:/ { wait = $2 }
		/^          severity:/ { severity = $2 }
		/^          summary: ./ { summary++ }
		/^          description: ./ { description++ }
		END { end() }' "$ALERTS"
}

complete() {
	equal "alerts that lack something" "" \
		"$(alerts | grep -vE '^[A-Za-z]+ [0-9]+m (critical|warning|info) 1 1$')"
	equal "number of alerts" "$(grep -c 'alert:' "$ALERTS")" "$(alerts | wc -l)"
}

# Rows "| `NAME` | severity | for | ..." of the table.
in_readme() {
	equal "table of README" "$(alerts | awk '{ print $1, $3, $2 }' | sort)" \
		"$(sed -nE 's/^\| `(Nodecanary[A-Za-z]+)` \| ([a-z]+) \| ([0-9]+m) \|.*/\1 \2 \3/p' "$README" | sort)"
}

recorded() { sed -nE 's/^ +- record: (.*)/\1/p' "$RULES"/*.yml | sort -u; }

# Names in expressions, that is, outside of comments and texts.
names() {
	sed -E '/^ *#/d; /annotations:/,/^ *-|^$/d; /^ *- (record|alert|name):/d' "$RULES"/*.yml |
		grep -oE '([a-z]+:)?nodecanary[a-z0-9_]*(:[a-z0-9_]+)*' | sort -u
}

metric_names() {
	awk -F '[|`]' '/^\| `nodecanary_/ {
		print $3
		if ($5 ~ /histogram/) print $3 "_bucket\n" $3 "_sum\n" $3 "_count"
	}' "$RULES/metrics.md"
}

names_exist() {
	local unknown
	metric_names | grep -q '^nodecanary_rtt_seconds_bucket$' || fail "no names in metrics.md"
	unknown=$(comm -23 <(names) <({ metric_names && recorded; } | sort -u))
	equal "names that neither the program nor a rule gives" "" "$unknown"
}

# What is for dashboards is in README, the rest is used by other rules.
all_used() {
	local unused
	unused=$(comm -23 <(recorded | grep :) <({ names && grep -oE '`[^`]+`' "$README" | tr -d '`'; } | sort -u))
	equal "names that are of no use" "" "$unused"
}

prepare() {
	mkdir "$TMP"/{shipped,short,dc,texts}
	for place in shipped short dc texts; do cp "$RULES"/*.yml "$TMP/$place"; done
	sed -Ei 's/^( *for:) .*/\1 15s/' "$TMP/short/nodecanary.alerts.yml"
	(cd "$TMP/dc" && sh -e <<<"$(grep '^sed ' "$README")")
	cmp -s "$ALERTS" "$TMP/dc/nodecanary.alerts.yml" && fail "README's sed changes nothing"
	cp "$TOP"/tests/prometheus/rules/*.test.yml "$TMP/texts"
	PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/prometheus/rules/scenarios.py" "$TMP" >"$TMP/scenarios"
	cd "$TMP" || exit 1
	printf '%s\n' */*.test.yml | xargs -P "$(nproc)" -I '{}' sh -c \
		'cd "${1%/*}" && promtool test rules "${1##*/}" >"${1##*/}.log" 2>&1; echo $? >"${1##*/}.status"' - '{}'
}

# result FILE: what promtool found in it.
result() {
	cat "$TMP/$1.log"
	return "$(cat "$TMP/$1.status")"
}

# of_scenario FILE JOB: the same of one of its scenarios; promtool names the job in what it expected.
of_scenario() {
	local log=$TMP/$1.log
	[ "$(cat "$TMP/$1.status")" -ne 0 ] || return 0
	grep -qF "job=~" "$log" || { cat "$log" && return 1; }
	! grep -F -A 2 "job=~\\\"$2(" "$log"
}

# Each alert fires in a scenario of a fleet, as shipped, and does not before its time in texts.test.yml.
covered() {
	local name
	for name in $(alerts | cut -d' ' -f1); do
		grep -qF "alertname=\"$name\"" "$TMP"/shipped/*.test.yml || fail "$name fires in no scenario"
		awk -v name="$name" '
			/alertname:/ { ours = $3 == name }
			ours && /exp_alerts: \[\]/ { quiet = 1 }
			ours && /exp_labels:/ { fires = 1 }
			END { exit !(quiet && fires) }' "$TOP/tests/prometheus/rules/texts.test.yml" ||
			fail "$name is not seen quiet and firing in texts.test.yml"
	done
}

check "promtool has nothing to say about the rules" clean
check "every alert has a severity, a summary and a description" complete
check "the table of alerts in README lists all, with their severity and for" in_readme
check "every name in an expression is given by the program or by a rule" names_exist
check "every recorded series is described in README or used by another rule" all_used
check "the tests of the rules can be made" prepare
check "every alert has a test in which it fires, and one in which it does not" covered
while IFS=$'\t' read -r file job name; do
	[[ $file != short/* ]] || name="$name, with a for of 15 s"
	check "$name" of_scenario "$file" "$job"
done <"$TMP/scenarios"
for file in "$TMP"/texts/*.test.yml; do
	name=$(basename "$file")
	check "${name%.test.yml}: $(sed -n '1s/^# //p' "$file")" result "texts/$name"
done
finish
