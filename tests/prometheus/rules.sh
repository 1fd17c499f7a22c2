#!/bin/bash
# In simulated fleets with faults the alerts name the culprit, in time, and nobody else.
# judge.sh does the same with many seeds; booted fleets try it for real, in tests/node.
# shellcheck disable=SC2317,SC2016 # called by check; backticks are those of README
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_tools promtool python3 jsonnet

RULES=$TOP/packaging/prometheus
HERE=$TOP/tests/prometheus/rules
ALERTS=$RULES/nodecanary.alerts.yml
README=$RULES/README.md
# promtool collects more garbage than it must.
export GOGC=400

generated() {
	mkdir "$TMP/shipped"
	"$RULES/generate" "$TMP/shipped"
	diff "$RULES/nodecanary.rules.yml" "$TMP/shipped/nodecanary.rules.yml"
	diff "$ALERTS" "$TMP/shipped/nodecanary.alerts.yml"
}

# It has the table of alerts from README.
dashboard_generated() { "$TOP/packaging/grafana/generate" | diff "$TOP/packaging/grafana/nodecanary.json" -; }

clean() { promtool check rules --lint=all --lint-fatal "$RULES"/*.yml; }

# Labels that keep fleets apart stand beside `job` everywhere, and every metric has the selector.
parameters() {
	local all chosen
	mkdir "$TMP/dc"
	"$RULES/generate" "$TMP/dc" jobLabels=job,dc 'selector=x="y"'
	promtool check rules --lint=all --lint-fatal "$TMP"/dc/*.yml
	sed -E '/^ +(action|description): /!s/\(job([,)])/(job, dc\1/g' "$RULES"/nodecanary.{rules,alerts}.yml >"$TMP/expected"
	sed -E 's/x="y",//g; s/\{x="y"\}//g' "$TMP"/dc/nodecanary.{rules,alerts}.yml | diff "$TMP/expected" -
	all=$(sed -E '/^ *#|^ +(action|description): /d' "$TMP"/dc/*.yml |
		grep -oE '(^|[^:a-z_])(nodecanary_[a-z_]+|up)(\{[^}]*\}|[^-:a-z_]|$)' | grep -vE 'name: |_offset_seconds|[[:alnum:]]-')
	chosen=$(grep -v 'x="y"' <<<"$all" || :)
	equal "metrics without the selector" "" "$chosen"
	! "$RULES/generate" "$TMP/dc" frobnicate=1 || fail "an unknown parameter is taken"
}

alerts() { sed -nE 's/^ +- alert: (.*)/\1/p' "$ALERTS"; }

complete() {
	equal "alerts that lack something" "" "$(awk '
		function end() { if (name && (!severity || seen != 5)) print name }
		/^      - / { end(); name = ""; severity = seen = 0 }
		/^      - alert:/ { name = $3 }
		/^          severity: (critical|warning|info)$/ { severity = 1 }
		/^          (summary|description|action|console|runbook_url): ./ { seen++ }
		END { end() }' "$ALERTS")"
}

in_readme() {
	equal "table of README" "$(awk '/- alert:/ { name = $3 } /^          severity:/ { print name, $2 }' "$ALERTS" | sort)" \
		"$(sed -nE 's/^\| \[`(Nodecanary[A-Za-z]+)`\]\(runbook.md#nodecanary[a-z]+\) \| ([a-z]+) \|.*/\1 \2/p' "$README" | sort)"
}

# The address that an alert gives is that of a section, which has four parts.
in_runbook() {
	local name
	equal "sections" "$(alerts | sort)" "$(sed -n 's/^## //p' "$RULES/runbook.md" | sort)"
	equal "parts" "$(alerts | wc -l)" "$(grep -cE '^\* \*\*Meaning:\*\* ' "$RULES/runbook.md")"
	for name in Impact Diagnosis 'Usual causes'; do
		equal "$name" "$(alerts | wc -l)" "$(grep -c "^\* \*\*$name:\*\* " "$RULES/runbook.md")"
	done
	for name in $(alerts); do
		grep -qF "runbook.md#${name,,}" "$ALERTS" || fail "$name has the address of another section"
	done
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
	metric_names | grep -q '^nodecanary_rtt_seconds_bucket$' || fail "no names in metrics.md"
	equal "names that neither the program nor a rule gives" "" \
		"$(comm -23 <(names) <({ metric_names && recorded; } | sort -u))"
}

# What is for dashboards is in README, the rest is used by other rules or by texts.
all_used() {
	local used=$TMP/used
	{ names && grep -oE '`[^`]+`' "$README" | tr -d '`' && sed -nE 's/^ +description: .*printf "([a-z_:0-9]+).*/\1/p' "$ALERTS"; } |
		sort -u >"$used"
	equal "names that are of no use" "" "$(comm -23 <(recorded | grep :) "$used" | grep -v '^part:\|^peer:nodecanary_part')"
}

texts() {
	python3 "$HERE/texts.py" "$RULES" >"$TMP/texts"
	[ -z "${UPDATE:-}" ] || cp "$TMP/texts" "$HERE/texts.expected"
	diff "$HERE/texts.expected" "$TMP/texts"
	equal "alerts without a text here" "" "$(grep 'says nothing' "$TMP/texts")"
}

# Each alert fires in a fault of faults.py; in all others, and in a fleet that is well, it would be wrong.
covered() {
	local name fires
	fires=$(cd "$HERE" && python3 -c 'import faults
for fault in faults.ALL:
    if fault.bounded:
        print(*fault.expected, sep="\n")')
	for name in $(alerts); do
		grep -qE "^${name#Nodecanary}( |$)" <<<"$fires" || fail "$name fires in no fault of make check"
	done
}

# Prometheus 3 leaves the left end of a range out: as if ranges were a little shorter.
left_open() {
	mkdir "$TMP/open"
	cp "$RULES"/*.yml "$TMP/open"
	perl -pi -e 's/\[(\d+)([mhd])\]/"[" . ($1 * {m => 60, h => 3600, d => 86400}->{$2} - 1) . "s]"/ge' "$TMP"/open/nodecanary.*.yml
	! cmp -s "$ALERTS" "$TMP/open/nodecanary.alerts.yml" || fail "nothing is shorter"
	python3 "$HERE/judge.py" all --seeds 1 --rules "$TMP/open" --only "^a node is off" --only "^a pair is cut$" \
		--only "^a node loses a tenth" --only "^a healthy fleet" --only "^scrapes every 30 s: a pair is cut" \
		--only "^scrapes every 60 s: a node is off"
}

tested() { (cd "$TMP/shipped" && cp "$RULES"/nodecanary-compat.rules.yml "$HERE"/*.test.yml . && promtool test rules "$1"); }

check "the files are what mixin/ generates" generated
check "the dashboard is what its generator writes" dashboard_generated
check "promtool has nothing to say about the rules" clean
check "parameters change what they say, everywhere" parameters
check "every alert has a severity, all texts, and its links" complete
check "the table of alerts in README lists all, with their severity" in_readme
check "the runbook has a section with all parts for each alert" in_runbook
check "every name in an expression is given by the program or by a rule" names_exist
check "every recorded series is described in README or used by another rule" all_used
check "alerts say what they are meant to say" texts
check "every alert has a fault in which it fires, and some in which it does not" covered
for file in "$HERE"/*.test.yml; do
	check "$(basename "$file" .test.yml): $(sed -n '1s/^# //p' "$file")" tested "$(basename "$file")"
done
check_verdicts bounded
check "left-open ranges, as in Prometheus 3, change nothing" left_open
finish
