# shellcheck shell=bash disable=SC2034
# The library of the tests of a fleet: booted nodes (tests/node/lib.sh) that ping each other, and a
# real Prometheus in the switch between them, with the rules and pages of packaging/prometheus.
#
#	#!/bin/bash
#	# What it is about.
#	# time-limit: 400
#	. "$(dirname "$0")/fleet-lib.sh"
#	fleet_start n1 n2 n3
#	fleet_is_well 120
#	behaviour "a node stops: one alert names it"
#	fault_begins
#	stop_node n3
#	fires "NodecanaryNodeDown peer=n3"
#	behaviour "it is back: the alert ends, and there was no other"
#	start_node n3
#	resolves
#	done_testing
#
# A file is a fleet of its own, and all of them run at the same time.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WAIT_PAUSE_MAX_CS=300 # questions to Prometheus are not cheap, and it evaluates every 5 s
PROMETHEUS_ADDRESS=10.77.0.254:9090
PROMETHEUS=http://$PROMETHEUS_ADDRESS
RULES=${RULES:-$TOP/packaging/prometheus}
FLEET=()

# --- the fleet ---

# fleet_start NAME...: boots nodes of one list of peers, and starts Prometheus.
fleet_start() {
	local name
	FLEET=("$@")
	for name; do node_new "$name" installed; done
	for name; do peers "$@" | configure "$name"; done
	ip -n "$SWITCH" link set lo up
	ip -n "$SWITCH" addr add 10.77.0.254/24 dev br0
	node_boot "$@"
	prometheus_start
}

# peers NAME...: a list of these nodes.
peers() {
	local name
	echo "[peers]"
	for name; do echo "$name = 10.77.0.${NUMBER[$name]}"; done
}

# --- Prometheus ---

# The rules are those that are shipped, with the scrapes that they are made for.
prometheus_start() {
	mkdir -p prometheus/rules
	cp "$RULES"/nodecanary.{rules,alerts}.yml prometheus/rules
	prometheus_config >prometheus/prometheus.yml
	at_switch prometheus --config.file=prometheus/prometheus.yml --log.level=warn \
		--storage.tsdb.path=prometheus/data --web.listen-address="$PROMETHEUS_ADDRESS" \
		--web.external-url="${EXTERNAL_URL:-$PROMETHEUS}" \
		--web.console.templates="$RULES/consoles" \
		--web.console.libraries="$RULES/consoles" >prometheus/log 2>&1 &
	wait_until 30 at_switch curl -fsS --max-time 5 "$PROMETHEUS/-/ready"
}

prometheus_config() {
	local name
	cat <<-'YAML'
		global: {scrape_interval: 15s, evaluation_interval: 15s}
		rule_files: [rules/*.yml]
		scrape_configs:
		  - job_name: node
		    static_configs:
	YAML
	for name in "${FLEET[@]}"; do
		echo "      - {targets: ['10.77.0.${NUMBER[$name]}:9100'], labels: {instance: '$name:9100'}}"
	done
}

# query EXPRESSION: the vector that Prometheus answers, in JSON.
query() {
	at_switch curl -fsS --max-time 10 "$PROMETHEUS/api/v1/query" --data-urlencode "query=$1" |
		jq -e '.data.result'
}

# query_is EXPRESSION VALUE: it is one number, this one.
query_is() { query "$1" | jq -e --arg value "$2" 'length == 1 and .[0].value[1] == $value'; }

# --- alerts ---

# The vector or matrix of alerts EXPRESSION, `NAME label=value ...` a line. Labels that are the same in
# the whole fleet are left out.
alerts() {
	local answer
	answer=$(query "$1") || return
	jq -r "$ALERT_LINE"' .[].metric | line' <<<"$answer" | sort -u
}

# shellcheck disable=SC2016 # jq expands it
ALERT_LINE='def line: .alertname as $name
	| del(.__name__, .alertname, .alertstate, .job, .group, .severity)
	| [$name] + (to_entries | map("\(.key)=\(.value)"))
	| join(" ");'

alerts_now() { alerts 'ALERTS'; }
alerts_firing() { alerts 'ALERTS{alertstate="firing"}'; }
no_alert() { alerts_now >now && cat now && [ ! -s now ]; }

fault_begins() {
	no_alert || fail "expected no alert before the fault; $(_show now)"
	FAULT_CS=$(_uptime_cs)
}

fault_seconds() { echo $((($(_uptime_cs) - FAULT_CS) / 100 + 1)); }

# All that were pending or firing since fault_begins, if for one evaluation.
alerts_since() { alerts "ALERTS[$(fault_seconds)s]"; }

# For people: the same with states, and how many seconds ago they began and were seen last.
alert_history() {
	query "ALERTS[$(fault_seconds)s]" | jq -r "$ALERT_LINE"' now as $now
		| def ago: ($now - .[0]) | floor | tostring + " s";
		.[] | "\(.metric | line) \(.metric.alertstate) from \(.values[0] | ago) to \(.values[-1] | ago) ago"'
}

# fires LINE...: exactly these alerts, as alerts() writes them, come to fire. Until then and until the
# fault has ended no other may be even pending. The windows of the rules make some slow: this is
# bounded by the time limit of the file.
fires() {
	printf '%s\n' "$@" | sort >expected
	wait_until 900 fires_as_expected
	echo "it takes $(fault_seconds) s"
}

fires_as_expected() {
	no_other_alert
	alerts_firing | diff expected -
}

no_other_alert() {
	alerts_since >since || return
	[ -z "$(comm -13 expected since)" ] ||
		fail "expected only: $(cat expected); since the fault began: $(alert_history)"
}

# resolves: the fault has ended, and so do its alerts.
resolves() {
	wait_until 1500 no_alert
	no_other_alert
	echo "it takes $(fault_seconds) s from the beginning of the fault"
}

# fleet_is_well SECONDS: it has been for so long: Prometheus knows loss and latency of every pair, all
# are up, and no alert is even pending. A fault in a fleet without a past would be found sooner.
fleet_is_well() {
	local pairs=$((${#FLEET[@]} * (${#FLEET[@]} - 1)))
	wait_until $((90 + $1)) query_is "count(
		pair:nodecanary_loss:ratio_rate5m offset $1s == 0 and
		pair:nodecanary_rtt_seconds:mean_rate5m and
		nodecanary_peer_up == 1)" "$pairs"
	wait_until 60 no_alert
}

# --- faults ---

stop_node() {
	node_off "$1"
	node_network_down "$1"
}

start_node() {
	node_network_up "$1"
	node_boot "$1"
}

# between A B VERDICT...: the switch does this, in nft's words, to what passes between two nodes.
between() {
	local a=${NUMBER[$1]} b=${NUMBER[$2]}
	shift 2
	at_switch nft "add table bridge faults
		add chain bridge faults pass { type filter hook forward priority 0; }
		add rule bridge faults pass iifname v$a oifname v$b $*
		add rule bridge faults pass iifname v$b oifname v$a $*"
}

heal() { at_switch nft delete table bridge faults; }

# slow NODE MILLISECONDS [ADDRESS]: from now on its echoes take that much longer (only those to and
# from ADDRESS). Its cable is cut, and the delay put between.
slow() {
	local name=$1 one_way_us=$(($2 * 500)) number=${NUMBER[$1]} cable=$TEST_NAME-cable-$1
	ip netns add "$cable"
	ip -n "$SWITCH" link set "v$number" netns "$cable"
	ip -n "$SWITCH" link add "v$number" type veth peer name switch netns "$cable"
	ip -n "$SWITCH" link set "v$number" master br0 up
	ip -n "$cable" link set "v$number" up
	ip -n "$cable" link set switch up
	ip netns exec "$cable" "$TOOLS/delay" "v$number" switch "$one_way_us" ${3+"$3"} &
	DELAY_PID[$name]=$!
}

declare -A DELAY_PID=()

unslow() {
	local name=$1 number=${NUMBER[$1]} cable=$TEST_NAME-cable-$1
	kill "${DELAY_PID[$name]}"
	ip -n "$SWITCH" link del "v$number"
	ip -n "$cable" link set "v$number" netns "$SWITCH"
	ip -n "$SWITCH" link set "v$number" master br0 up
	ip netns del "$cable"
}
