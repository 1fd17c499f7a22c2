#!/bin/bash
# The dashboard is as Grafana's own types want it, and a real Prometheus answers each of its
# queries.
# shellcheck disable=SC2317,SC2016 # called by check; dollars are those of the dashboard
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/../packaging/lib.sh"
need_tools python3 jq npm curl promtool prometheus prometheus-node-exporter unshare

GRAFANA=$TOP/packaging/grafana
DASHBOARD=$GRAFANA/nodecanary.json
TYPES=$BUILD/grafana-types
NODECANARY=${NODECANARY:-$BUILD/nodecanary}
export NODECANARY

# The types are all that Grafana publishes of its schema; a compiler compares the dashboard with them.
fits_the_types() {
	mkdir -p "$TYPES"
	cp "$TOP"/tests/prometheus/grafana/package*.json "$TYPES/"
	(cd "$TYPES" && { [ -d node_modules ] || npm ci --silent --no-audit --no-fund; })
	"$TOP/tests/prometheus/grafana/typed" <"$DASHBOARD" >"$TYPES/dashboard.ts"
	(cd "$TYPES" && node_modules/.bin/tsc --strict --noEmit --skipLibCheck dashboard.ts)
}

# What the types say is to be seen: a word that is none of theirs does not compile.
refuses_what_is_wrong() {
	local wrong
	for wrong in 's/"drawStyle": "line"/"drawStyle": "lines"/' 's/"refresh": 2/"refresh": 7/' \
		's/"showLegend"/"legendShown"/' 's/"schemaVersion"/"schema"/'; do
		sed "$wrong" "$DASHBOARD" >"$TMP/wrong.json"
		! cmp -s "$DASHBOARD" "$TMP/wrong.json" || fail "$wrong changes nothing"
		"$TOP/tests/prometheus/grafana/typed" <"$TMP/wrong.json" >"$TYPES/wrong.ts"
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

# in_fleet SIMULATION COMMAND...: see tests/prometheus/grafana/fleet.
in_fleet() {
	rm -rf "$TMP/fleet"
	"$TOP/tests/prometheus/grafana/fleet" "$TMP/fleet" "$@" || {
		local status=$?
		[ "$status" -ne 77 ] || skip "no namespaces"
		return "$status"
	}
}

# In a fleet that is well, then in one whose node lost its counters: an alert fires, which the dashboard shows.
every_query_answers() {
	in_fleet "" bash -ec '
		"$0" "$PROMETHEUS" "$1"
		started() { sed -n "s/^nodecanary_counters_start_timestamp_seconds //p" a/nodecanary.prom 2>/dev/null || :; }
		before=$(started)
		# A run that is under way goes on from the file that it has read.
		for ((i = 0; i < 30; i++)); do
			rm -f a/nodecanary.prom
			sleep 2
			after=$(started)
			[ -z "$after" ] || [ "$after" = "$before" ] || break
		done
		"$0" "$PROMETHEUS" "$1" --quiet-too' "$TOP/tests/prometheus/dashboard-queries" "$DASHBOARD"
}

# ask ARGUMENT...: of dashboard-queries. In the test of a fleet, which is a function of this file.
ask() { "$TOP/tests/prometheus/dashboard-queries" "$PROMETHEUS" "$DASHBOARD" --patience 5 "$@"; }
# shown QUERY ARGUMENT...: "INSTANCE PEER VALUE", sorted, of the nodes 10.77.0.N and their peers.
shown() {
	ask --show "$@" | sed -E 's/^([^ ]+) (instance=10\.77\.0\.([0-9]+):9100)?( peer=node0*([0-9]+))?.*/\3 \5 \1/' | sort -n
}
export -f ask shown equal
export TOP DASHBOARD
LOSS='Loss: observers (rows) × peers (columns)'
MEAN='Mean round-trip time: observers × peers'
P99='99th percentile of the round-trip time: observers × peers'
export LOSS MEAN P99

dead_nodes() {
	in_fleet "5 12 --since 8 --storage 3 --targets 2 --fault dead:5 --fault timer:3 --fault unsent:4,2" bash -ec '
		ask
		equal "matrix" "$(printf "%s\n" "1 1 -2" "1 2 0" "1 3 0" "1 4 0" "1 5 1" "2 1 0" "2 2 -2" "2 3 0" \
			"2 4 0" "2 5 1" "3 1 -1" "3 2 -1" "3 3 -3" "3 4 -1" "3 5 -1" "4 1 0" "4 2 -5" "4 3 0" "4 4 -2" \
			"4 5 1" "5 5 -3")" "$(shown "$LOSS")"
		for matrix in "$MEAN" "$P99"; do
			equal "$matrix" "$(printf "%s\n" "1 5 -4" "2 5 -4" "3 3 -3" "4 5 -4" "5 5 -3")" \
				"$(shown "$matrix" | grep -E -- "-[345]$")"
		done
		equal "measure" 3 "$(ask --show "Nodes that measure" | xargs)"
		equal "do not" 2 "$(ask --show "Nodes that do not" | xargs)"
		equal "down" 1 "$(ask --show "Peers that are down" | xargs)"
		equal "table" "$(printf "%s\n" "1  1" "2  1" "3  0" "4  1" "5  0")" "$(shown Nodes/A)"
		dead="node=10.77.0.5:9100"
		equal "page of the dead" "$(printf "%s\n" "1  1" "2  1" "4  1")" \
			"$(shown "\$node as its observers see it/A" --set "$dead")"
		equal "measures" 0 "$(ask --show Measures --set "$dead" | xargs)"
		equal "pair of the dead" 1 "$(ask --show "Loss, both directions/\$peer → \$node" --set "$dead" \
			--set peer=node001 | cut -d" " -f1)"'
}

two_families() {
	in_fleet "4 8 --since 6 --both --fault cut6:1,2" bash -ec '
		ask
		equal "worse of both" "$(printf "%s\n" "1 2 1" "2 1 1")" "$(shown "$LOSS" | grep " 1$")"
		equal "ipv4 alone" "" "$(shown "$LOSS" --set family=ipv4 | grep " 1$")"
		equal "ipv6 alone" "$(printf "%s\n" "1 2 1" "2 1 1")" "$(shown "$LOSS" --set family=ipv6 | grep " 1$")"'
}

# What cannot be without histograms is empty, and nothing else.
no_histograms_of_pairs() {
	in_fleet "9 8 --since 6 --fanout 5 --histogram group --fault dead:7" bash -ec '
		ask --set node=10.77.0.1:9100 --set peer=node005 \
			--empty "\$node → \$peer/99th percentile" --empty "\$peer → \$node/99th percentile" \
			--empty "Peers as \$node sees them/D" --empty "\$node as its observers see it/C" \
			--empty "Latency of \$node/inbound 99th percentile" --empty "The worst peers/C"
		equal "its observers" "$(printf "%s\n" "2 7 1" "3 7 1" "4 7 1" "5 7 1" "6 7 1" "7 7 -3")" \
			"$(shown "$LOSS" | grep " 7 ")"
		equal "a row" "$(printf "%s\n" "1 1" "1 2" "1 3" "1 4" "1 5" "1 6")" \
			"$(shown "$MEAN" | sed -n "s/^\(1 .\) .*/\1/p")"'
}

check "the dashboard is as Grafana's types want it" fits_the_types
check "Grafana's types refuse what is wrong" refuses_what_is_wrong
check "panels do not overlap" no_overlap
check "variables are defined and used" variables
check "gauges of a run are shown only where it is fresh" gauges_prove_themselves
check "every query gives a result, in a Prometheus with two nodes" every_query_answers
check "a dead node and a dead timer are seen as such, and do not vanish" dead_nodes
check "of two families the worse one is shown, or the one that is chosen" two_families
check "with a histogram a group, and fanout, only percentiles of pairs are missing" no_histograms_of_pairs
finish
