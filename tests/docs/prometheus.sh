#!/bin/bash
# Real runs, the real node_exporter, a real Prometheus: prometheus.sh PROGRAM DIRECTORY, in network
# namespaces of its own. DIRECTORY/queries has a title, a tab and a query on each line. All must
# be answered, and those for which this one node has something to say with something.
set -eu
program=$1 dir=$2
mkdir -p "$dir/textfile" "$dir/data"

# dead: a route over loopback to an address that nobody has, so requests leave and get lost.
# nowhere: no route. missing: no such name.
cat >"$dir/x.ini" <<'INI'
[collector]
self = me
resolve_timeout = 100ms
[probe]
count = 2
warmup = 0
interval = 1ms
timeout = 50ms
[peers]
me = 127.0.0.9
good = 127.0.0.1 zone=z1
dead = 192.0.2.1 zone=z2
nowhere = 198.51.100.1
missing = nobody.invalid
[probe sum]
histogram = group
[peers sum]
me = 127.0.0.9
good = 127.0.0.2
INI
cat >"$dir/prometheus.yml" <<'YML'
global:
  scrape_interval: 500ms
scrape_configs:
- job_name: node
  static_configs:
  - targets: [127.0.0.1:9100]
YML
something='Loss of the last five minutes, by pair of nodes.
Loss of the last five minutes, by group.
Pairs that lose more than one request in a hundred.
Mean round-trip time, by pair.
99th percentile of the round-trip time, by pair.
99th percentile of the round-trip time, by group, with histogram = group.
The ten slowest pairs.
Mean round-trip time by a label of the peer, here its zone.
Peers that were down in the last run, by observer.
Members of a group that nobody pings.
Unsent requests per second.
Names that do not resolve.'

ip route add 192.0.2.1 dev lo
prometheus-node-exporter --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$dir/textfile" --web.listen-address=127.0.0.1:9100 \
	>"$dir/exporter.log" 2>&1 &
exporter=$!
prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
	--web.listen-address=127.0.0.1:9090 >"$dir/prometheus.log" 2>&1 &
prometheus=$!
trap 'kill "$exporter" "$prometheus"; wait' EXIT

ask() {
	promtool query instant http://127.0.0.1:9090 "$1" 2>&1
}

run() {
	"$program" -q -c "$dir/x.ini" -o "$dir/textfile/nodecanary.prom"
	sleep 0.2
}

# answers QUERY: runs until the answer is not empty, which may take long on a busy machine.
answers() {
	until answer=$(ask "$1") && [ -n "$answer" ]; do
		[ "$SECONDS" -lt 400 ] || return 1
		run
	done
}

answers 'rate(nodecanary_unsent_total{peer="nowhere"}[2m]) > 0' || {
	tail -n 20 "$dir"/*.log
	exit 1
}
status=0 count=0
while IFS=$'\t' read -r title query; do
	count=$((count + 1))
	if grep -qxF -e "$title" <<<"$something"; then
		answers "$query" || {
			echo "$title: nothing: $answer"
			status=1
		}
	elif ! answer=$(ask "$query"); then
		echo "$title: $answer"
		status=1
	fi
done <"$dir/queries"
[ "$count" -gt 10 ] || status=1
exit "$status"
