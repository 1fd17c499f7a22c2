#!/bin/bash
# Five nodes: the whole matrix, what shows it, and a node that dies.
# time-limit: 1500
# nodes: 5
# shellcheck source-path=SCRIPTDIR source=fleet-lib.sh
. "$(dirname "$0")/fleet-lib.sh"

fleet_start n1 n2 n3 n4 n5

behaviour "within a minute the matrix of five nodes is complete: 20 pairs, all up"
wait_until 60 query_is 'count(nodecanary_peer_up == 1)' 20
query 'nodecanary_peer_up == 1' | jq -r '.[].metric | "\(.instance) \(.peer)"' | sort >pairs
for name in "${FLEET[@]}"; do
	for peer in "${FLEET[@]}"; do
		[ "$name" = "$peer" ] || echo "$name:9100 $peer"
	done
done | diff - pairs

behaviour "the console page has a row and a column for each of them"
page=$PROMETHEUS/consoles/nodecanary.html
assert_eq 200 "$(at_switch curl -sS --max-time 20 -o page.html -w '%{http_code}' "$page")" "status"
for name in "${FLEET[@]}"; do
	assert_file_contains page.html "$name:9100"
	assert_file_contains page.html "[^[:alnum:]]${name}[^[:alnum:]:]"
done

behaviour "nothing is wrong: no alert"
fleet_is_well 60

if [ -x "$TOP/tests/prometheus/dashboard-queries" ]; then
	behaviour "every query of the dashboard gives a result"
	at_switch "$TOP/tests/prometheus/dashboard-queries" "$PROMETHEUS" "$TOP/packaging/grafana/nodecanary.json" \
		>queries.log 2>&1 || fail "dashboard-queries; $(_show queries.log)"
fi

behaviour "n3 is shut down: one alert, and it names n3"
fault_begins
stop_node n3
fires "NodecanaryNodeDown peer=n3"

behaviour "n3 is back: the alert ends, and there was no other"
start_node n3
resolves

done_testing
