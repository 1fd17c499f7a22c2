#!/bin/bash
# The dashboard: as Grafana's own types want it, and every query of it answered by a Prometheus that
# scrapes two small nodes.
# shellcheck disable=SC2317 # called by check
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"
need_tools python3 jq npm curl promtool prometheus prometheus-node-exporter unshare

GRAFANA=$TOP/packaging/grafana
DASHBOARD=$GRAFANA/nodecanary.json
TYPES=$BUILD/grafana-types
NODECANARY=${NODECANARY:-$BUILD/nodecanary}
export NODECANARY

generated() {
	"$GRAFANA/generate" >"$TMP/dashboard.json"
	diff "$DASHBOARD" "$TMP/dashboard.json"
}

# The types are all that Grafana publishes of its schema; a compiler compares the dashboard with them.
fits_the_types() {
	mkdir -p "$TYPES"
	cp "$TOP"/tests/grafana/package*.json "$TYPES/"
	(cd "$TYPES" && { [ -d node_modules ] || npm ci --silent --no-audit --no-fund; })
	"$TOP/tests/grafana/typed" <"$DASHBOARD" >"$TYPES/dashboard.ts"
	(cd "$TYPES" && node_modules/.bin/tsc --strict --noEmit --skipLibCheck dashboard.ts)
}

# What the types say is to be seen: a word that is none of theirs does not compile.
refuses_what_is_wrong() {
	local wrong
	for wrong in 's/"drawStyle": "line"/"drawStyle": "lines"/' 's/"refresh": 2/"refresh": 7/' \
		's/"showLegend"/"legendShown"/' 's/"schemaVersion"/"schema"/'; do
		sed "$wrong" "$DASHBOARD" >"$TMP/wrong.json"
		! cmp -s "$DASHBOARD" "$TMP/wrong.json" || fail "$wrong changes nothing"
		"$TOP/tests/grafana/typed" <"$TMP/wrong.json" >"$TYPES/wrong.ts"
		! (cd "$TYPES" && node_modules/.bin/tsc --strict --noEmit --skipLibCheck wrong.ts) ||
			fail "$wrong is accepted"
	done
}

no_overlap() {
	equal "panels that overlap, or leave the grid" "" "$(jq -r '
		[.panels[] | {id, x: .gridPos.x, y: .gridPos.y, w: .gridPos.w, h: .gridPos.h}] as $all
		| $all[] as $a | $all[] as $b
		| select($a.x + $a.w > 24 or ($a.id < $b.id and $a.x < $b.x + $b.w and $b.x < $a.x + $a.w
			and $a.y < $b.y + $b.h and $b.y < $a.y + $a.h))
		| "\($a.id) \($b.id)"' "$DASHBOARD")"
	equal "numbers that are there twice" "" "$(jq -r '.panels[].id' "$DASHBOARD" | sort | uniq -d)"
}

# What is named with a $ is a variable, and each variable is used.
variables() {
	jq -r '.templating.list[].name' "$DASHBOARD" | sort >"$TMP/defined"
	jq -r '.. | strings' "$DASHBOARD" | grep -oE '\$\{?[a-z]+' | grep -oE '[a-z]+' | sort -u >"$TMP/used"
	diff "$TMP/defined" "$TMP/used"
}

# Gauges of a run stay when its timer is dead.
gauges_prove_themselves() {
	equal "gauges without a proof of freshness" "" "$(jq -r '.panels[].targets[]?.expr' "$DASHBOARD" |
		grep -E 'nodecanary_(rtt_(min|mean|max|stddev)|jitter|reply_hop_limit|loss_ratio|peer_up|last_run_[a-z]*)_?(seconds|bytes)?\{' |
		grep -vE 'nodecanary:fresh:bool2m|last_run_timestamp')"
}

small_fleet() {
	mkdir "$TMP/fleet"
	"$TOP/tests/grafana/small-fleet" "$TMP/fleet" "$@" || {
		local status=$?
		[ "$status" -ne 77 ] || skip "no namespaces"
		return "$status"
	}
}

# In a fleet that is well, then in one whose node lost its counters: an alert fires, which the dashboard shows.
every_query_answers() {
	# shellcheck disable=SC2016 # the inner shell expands it
	small_fleet bash -ec '
		"$0" "$PROMETHEUS" "$1"
		rm a/nodecanary.prom
		firing() {
			curl -fsS "$PROMETHEUS/api/v1/query" --data-urlencode "query=ALERTS{alertstate=\"firing\"}" |
				jq -e ".data.result | length > 0" >/dev/null
		}
		for ((i = 0; i < 120; i++)); do ! firing || break; sleep 0.5; done
		"$0" "$PROMETHEUS" "$1" --quiet-too' "$TOP/tests/fleet/dashboard-queries" "$DASHBOARD"
}

check "the dashboard is what its generator writes" generated
check "the dashboard is as Grafana's types want it" fits_the_types
check "Grafana's types refuse what is wrong" refuses_what_is_wrong
check "panels do not overlap" no_overlap
check "variables are defined and used" variables
check "gauges of a run are shown only where it is fresh" gauges_prove_themselves
check "every query gives a result, in a Prometheus with two nodes" every_query_answers
finish
