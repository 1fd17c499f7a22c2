# shellcheck shell=bash
# Checks of the queries in queries.md: each gives exactly what it should on a made-up fleet (promtool),
# and runs in a real Prometheus that scrapes a real file.
#
# The fleet is n1 to n4, all of them in the group "default" and well, with runs and scrapes every
# 15 s. A case changes what is wrong with it. Queries are evaluated after ten minutes; values are
# compared as rounded to 0.0001.

declare -A HEALTHY S E # series: values; labels: expected value; empty: not there
QUERY='' QUIET=''
ZONE=([1]=a [2]=a [3]=b [4]=b)

# The values of a counter or gauge: grows BY, keeps VALUE, breaks FROM TO at half time, ends.
grows() { echo "0+$1x40"; }
keeps() { echo "$1+0x40"; }
breaks() { echo "$1+0x19 $2+0x20"; }
stops() { echo "0+$1x19 $(($1 * 20))+0x20"; }
ends_after() { echo "$1+0x19 stale _x20"; }

node() { echo "instance=\"n$1:9100\",job=\"node\""; }
member() { echo "group=\"default\",$(node "$1")"; }
pair_of() { echo "$(member "$1"),peer=\"n$2\""; }

# set_pair METRIC FROM TO VALUES
set_pair() { S["nodecanary_$1{$(pair_of "$2" "$3")}"]=$4; }
set_node() { S["nodecanary_$1{$(node "$2")}"]=$3; }
set_member() { S["nodecanary_$1{$(member "$2")}"]=$3; }

healthy_pair() {
	local metric le labels
	for metric in requests_total replies_total rtt_seconds_count; do
		set_pair $metric "$1" "$2" "$(grows 5)"
	done
	set_pair unsent_total "$1" "$2" "$(keeps 0)"
	set_pair rtt_seconds_sum "$1" "$2" "$(grows 0.005)"
	set_pair peer_up "$1" "$2" "$(keeps 1)"
	set_pair peer_resolved "$1" "$2" "$(keeps 1)"
	set_pair reply_hop_limit "$1" "$2" "$(keeps 62)"
	for le in 0.001:0 0.0025:5 0.005:5 +Inf:5; do
		set_bucket "$1" "$2" "${le%:*}" "${le#*:}"
	done
	labels="$(pair_of "$1" "$2"),address=\"10.0.0.$2\",zone=\"${ZONE[$2]}\""
	S["nodecanary_peer_info{$labels}"]=$(keeps 1)
}

set_bucket() {
	S["nodecanary_rtt_seconds_bucket{$(pair_of "$1" "$2"),le=\"$3\"}"]=$(grows "$4")
}

healthy_node() {
	local reason
	S["up{$(node "$1")}"]=$(keeps 1)
	set_node runs_total "$1" "$(grows 1)"
	set_node last_run_success "$1" "$(keeps 1)"
	set_node last_run_timestamp_seconds "$1" "$(grows 15)"
	set_node receive_drops_total "$1" "$(keeps 0)"
	for reason in clock_step deadline interrupted receive_drops; do
		S["nodecanary_discarded_rounds_total{$(node "$1"),reason=\"$reason\"}"]=$(keeps 0)
	done
	set_member group_observers "$1" "$(keeps 3)"
	set_member peer_list_hash "$1" "$(keeps 150642259394132)"
	S["nodecanary_self_info{$(pair_of "$1" "$1")}"]=$(keeps 1)
}

build_fleet() {
	local from to key
	S=()
	for from in 1 2 3 4; do
		healthy_node "$from"
		for to in 1 2 3 4; do
			if [ "$from" != "$to" ]; then healthy_pair "$from" "$to"; fi
		done
	done
	for key in "${!S[@]}"; do HEALTHY[$key]=${S[$key]}; done
}

healthy_fleet() {
	local key
	S=()
	for key in "${!HEALTHY[@]}"; do S[$key]=${HEALTHY[$key]}; done
}

# query TITLE: begins a case on a healthy fleet. quiet: there it gives nothing.
query() {
	QUERY=$1 QUIET='' E=()
	healthy_fleet
}

quiet() {
	QUIET=1
}

expect_pair() { E["$(pair_of "$1" "$2")"]=$3; }

expect_pairs() {
	local from to
	for from in 1 2 3 4; do
		for to in 1 2 3 4; do
			if [ "$from" != "$to" ]; then expect_pair "$from" "$to" "$1"; fi
		done
	done
}

no_replies() {
	set_pair replies_total "$1" "$2" "$(stops 5)"
	set_pair peer_up "$1" "$2" "$(breaks 1 0)"
}

# Its timer is dead: what it published stays as it was.
timer_dead() {
	local key
	for key in "${!S[@]}"; do
		if [[ $key == *"n$1:9100"* && $key == *_total* ]]; then S[$key]=$(keeps 100); fi
	done
	set_node last_run_timestamp_seconds "$1" "$(keeps 150)"
}

# The node is off.
gone() {
	local key
	for key in "${!S[@]}"; do
		if [[ $key == *"n$1:9100"* ]]; then S[$key]=$(ends_after 100); fi
	done
	for key in 1 2 3 4; do
		if [ "$key" != "$1" ]; then no_replies "$key" "$1"; fi
	done
}

# Nothing comes in or out.
isolate() {
	local other
	for other in 1 2 3 4; do
		if [ "$other" != "$1" ]; then
			no_replies "$other" "$1"
			no_replies "$1" "$other"
		fi
	done
}

# The query that begins with the comment TITLE, in one line, for YAML.
query_text() {
	awk -v title="# $1" '
		/^```promql$/ { getline; inside = $0 == title; next }
		/^```$/ { inside = 0 }
		inside { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "%s ", $0 }' "$QUERIES"
}

query_titles() {
	awk '/^```promql$/ { getline; sub(/^# /, ""); print }' "$QUERIES"
}

# print_test LABELS...: one test of promtool, of the series in S.
print_test() {
	local key
	printf -- '- interval: 15s\n  input_series:\n'
	for key in "${!S[@]}"; do
		if [ -z "${S[$key]}" ]; then continue; fi
		printf "  - series: '%s'\n    values: '%s'\n" "$key" "${S[$key]}"
	done
	printf '  promql_expr_test:\n  - expr: "round((%s), 0.0001)"\n    eval_time: 10m\n' \
		"$(query_text "$QUERY")"
	printf '    exp_samples:\n'
	for key in "$@"; do
		if [ -z "${E[$key]}" ]; then continue; fi
		printf "    - labels: '{%s}'\n      value: %s\n" "$key" "${E[$key]}"
	done
}

run_case() {
	need promtool
	[ -n "$(query_text "$QUERY")" ] || fail "queries.md has no query of this title"
	{
		echo 'tests:'
		print_test "${!E[@]}"
		if [ -n "$QUIET" ]; then
			healthy_fleet
			print_test
		fi
	} >"$TMP/scratch/test.yml"
	promtool test rules "$TMP/scratch/test.yml"
}

# The case is complete.
end() {
	echo "$QUERY" >>"$TMP/queries"
	check "query: $QUERY" run_case
}

cases_of_loss_and_latency() {
	local from to k=0
	query 'Loss of the last five minutes, by pair of nodes.'
	set_pair replies_total 1 2 "$(grows 4)"
	set_pair requests_total 3 4 "$(keeps 0)"
	set_pair replies_total 3 4 "$(keeps 0)"
	expect_pairs 0
	expect_pair 1 2 0.2
	expect_pair 3 4 ''
	end
	query 'Loss of the last five minutes, by group.'
	set_pair replies_total 1 2 "$(grows 2)"
	E['group="default"']=0.05
	end
	query 'Pairs that lose more than one request in a hundred.'
	quiet
	set_pair replies_total 1 2 "$(grows 4)"
	expect_pair 1 2 0.2
	end
	query 'Mean round-trip time, by pair.'
	set_pair rtt_seconds_sum 1 2 "$(grows 0.05)"
	set_pair rtt_seconds_count 3 4 "$(keeps 7)"
	expect_pairs 0.001
	expect_pair 1 2 0.01
	expect_pair 3 4 ''
	end
	query '99th percentile of the round-trip time, by pair.'
	set_bucket 1 2 0.0025 0
	expect_pairs 0.0025
	expect_pair 1 2 0.005
	end
	query '99th percentile of the round-trip time, by group, with histogram = group.'
	for k in 0.001:0 0.0025:90 0.005:100 +Inf:100; do
		S["nodecanary_group_rtt_seconds_bucket{$(member 1),le=\"${k%:*}\"}"]=$(grows "${k#*:}")
	done
	E['group="default"']=0.0048
	end
	query 'The ten slowest pairs.'
	k=0
	for from in 1 2 3 4; do
		for to in 1 2 3 4; do
			if [ "$from" = "$to" ]; then continue; fi
			k=$((k + 1))
			set_pair rtt_seconds_sum "$from" "$to" "$(grows "0.$(printf %03d $((5 * k)))")"
			if [ "$k" -gt 2 ]; then expect_pair "$from" "$to" "0.$(printf %03d "$k")"; fi
		done
	done
	end
	query 'Mean round-trip time by a label of the peer, here its zone.'
	set_pair rtt_seconds_sum 1 2 "$(grows 0.05)"
	E['zone="a"']=0.0025 E['zone="b"']=0.001
	end
}

# A group with series of both families, in which all of n2's IPv6 is down.
families() {
	local from family metric labels
	for from in 1 3 4; do
		for family in ipv4 ipv6; do
			labels="group=\"dual\",$(node "$from"),peer=\"n2\",family=\"$family\""
			for metric in requests_total replies_total; do
				S["nodecanary_$metric{$labels}"]=$(grows 5)
			done
		done
		S["nodecanary_replies_total{$labels}"]=$(stops 5)
		S["nodecanary_group_observers{group=\"dual\",$(node "$from")}"]=$(keeps 3)
	done
}

cases_of_what_is_broken() {
	query 'Peers that were down in the last run, by observer.'
	quiet
	timer_dead 3
	set_pair peer_up 1 2 "$(keeps 0)"
	set_pair peer_up 3 4 "$(keeps 0)"
	expect_pair 1 2 0
	end
	query 'Peers that nobody reaches, although at least half of their observers ping them.'
	quiet
	gone 4
	families
	set_pair requests_total 1 9 "$(grows 5)"
	set_pair replies_total 1 9 "$(keeps 0)"
	E['group="default",peer="n4"']=0
	E['group="dual",peer="n2",family="ipv6"']=0
	end
	query 'Nodes that are themselves the problem: they lose more than half of the peers that others reach.'
	quiet
	isolate 1
	E["$(member 1 | sed 's/,job=.*//')"]=1
	end
	query 'Broken pairs: this node gets no answer from a peer that others reach.'
	quiet
	gone 4
	no_replies 1 2
	no_replies 2 1
	expect_pair 1 2 0
	expect_pair 2 1 0
	end
	query 'The same nodes by their names as peers.'
	quiet
	isolate 1
	E["$(member 1 | sed 's/,job=.*//'),peer=\"n1\""]=1
	end
	query 'Peers to or from which the route changed in the last hour.'
	quiet
	timer_dead 3
	set_pair reply_hop_limit 1 2 "$(breaks 62 61)"
	set_pair reply_hop_limit 3 4 "$(breaks 62 61)"
	expect_pair 1 2 1
	end
	query 'Members of a group that nobody pings.'
	quiet
	set_pair requests_total 1 4 ''
	set_pair requests_total 2 4 ''
	set_pair requests_total 3 4 ''
	expect_pair 4 4 1
	end
}

cases_of_the_measurement() {
	query 'Nodes whose runs have stopped, or send nothing although they have peers.'
	quiet
	timer_dead 3
	E["$(node 3)"]=0
	end
	query 'Nodes whose last run failed.'
	quiet
	set_node last_run_success 3 "$(keeps 0)"
	E["$(node 3)"]=0
	end
	query 'Nodes without a run for five minutes: is the timer stopped?'
	quiet
	timer_dead 3
	E["$(node 3)"]=450
	end
	query 'Nodes that have a node_exporter (here of the job "node"), but no series of nodecanary.'
	quiet
	set_node runs_total 3 ''
	E["$(node 3)"]=1
	end
	query 'Nodes whose list of peers differs from that of most others.'
	quiet
	set_member peer_list_hash 3 "$(keeps 4711)"
	E["$(member 3)"]=4711
	end
	query 'Unsent requests per second.'
	quiet
	set_pair unsent_total 1 2 "$(grows 5)"
	expect_pair 1 2 0.3333
	end
	query 'Discarded rounds of the last 15 minutes, by reason.'
	quiet
	S["nodecanary_discarded_rounds_total{$(node 1),reason=\"clock_step\"}"]=$(breaks 0 2)
	E["$(node 1),reason=\"clock_step\""]=2
	end
	query 'Replies dropped at full receive buffers of a node: raise its net.core.rmem_max.'
	quiet
	set_node receive_drops_total 1 "$(grows 3)"
	E["$(node 1)"]=0.2
	end
	query 'Names that do not resolve.'
	quiet
	timer_dead 3
	set_pair peer_resolved 1 2 "$(keeps 0)"
	set_pair peer_resolved 3 4 "$(keeps 0)"
	expect_pair 1 2 0
	end
}

every_query_has_a_case() {
	query_titles | sort >"$TMP/scratch/documented"
	sort "$TMP/queries" >"$TMP/scratch/actual"
	same queries "$TMP/scratch/documented" "$TMP/scratch/actual"
}

# Titles of queries that give something in a real Prometheus: see prometheus.sh.
in_prometheus() {
	need prometheus promtool prometheus-node-exporter
	query_titles | while read -r title; do
		printf '%s\t%s\n' "$title" "$(query_text "$title" | sed 's/\\"/"/g')"
	done >"$TMP/scratch/queries"
	isolated bash tests/docs/prometheus.sh "$NC" "$TMP/scratch"
}

promql_checks() {
	: >"$TMP/queries"
	build_fleet
	cases_of_loss_and_latency
	cases_of_what_is_broken
	cases_of_the_measurement
	check "every query in queries.md has a case" every_query_has_a_case
	check "the queries run in a Prometheus that scrapes real files" in_prometheus
}
