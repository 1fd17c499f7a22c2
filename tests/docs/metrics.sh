# shellcheck shell=bash disable=SC2016 # backticks are Markdown's
# Checks of metrics.md against what a run publishes.

# Runs whose last file has every metric: names, both families, both kinds of histogram, a wrong list;
# every second echo of some addresses is lost, and 127.0.1.0/24 and fd00:9::/64 are silent. The checks share this file.
EVERYTHING=$TMP/everything.prom
run_of_everything() {
	[ ! -e "$EVERYTHING" ] || return 0
	cat >"$TMP/scratch/x.ini" <<'INI'
[collector]
self = me
trace = 16
trace_every = 0s
deadline = 30s
[probe]
count = 3
warmup = 0
interval = 1ms
timeout = 400ms
mtu = 1500
mtu_every = 0s
[peers]
me = 127.0.0.9
a = 127.0.0.1 rack=r1
lossy = 127.0.0.5
unreachable = 198.51.100.1
[probe dual]
family = both
[peers dual]
me = 127.0.0.9
a = 127.0.0.2, ::1
b = localhost
unreachable = 198.51.100.1, fd00:8::1
[probe roam]
fanout = 1
roam = 4
[peers roam]
me = 127.0.0.9
a = 127.0.1.1
b = 127.0.1.2
c = 127.0.1.3
[probe roam-dual]
family = both
fanout = 1
roam = 4
[peers roam-dual]
me = 127.0.0.9
a = 127.0.1.1, fd00:9::1
b = 127.0.1.2, fd00:9::2
c = 127.0.1.3, fd00:9::3
[probe sum]
histogram = group
[peers sum]
me = 127.0.0.9
a = 127.0.0.3
[peers swapped]
me = 127.0.0.9
a = 192.0.2.1
INI
	cat >"$TMP/scratch/loss.nft" <<'NFT'
table inet loss {
	chain input {
		type filter hook input priority 0
		ip daddr { 127.0.0.2, 127.0.0.5 } icmp type echo-request numgen inc mod 2 0 drop
		ip6 daddr ::1 icmpv6 type echo-request numgen inc mod 2 0 drop
		ip daddr 127.0.1.0/24 drop
		ip6 daddr fd00:9::/64 drop
	}
}
NFT
	# Roaming lists a peer that is silent in two runs.
	isolated bash -c 'ip addr add 192.0.2.1/32 dev lo && ip route add local fd00:9::/64 dev lo &&
		nft -f "$1" && shift && for _ in 1 2 3; do "$@" || exit; done' - \
		"$TMP/scratch/loss.nft" "$NC" -c "$TMP/scratch/x.ini" -o "$EVERYTHING"
}

# The metrics of the page, a line each.
documented_metrics() {
	rows "$METRICS" metric | cut -f 1 | plain
}

# Names both ways; then types and meanings. UPDATE=1 writes the latter into the page.
metrics_are_published() {
	run_of_everything
	documented_metrics | sort >"$TMP/scratch/documented"
	sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$EVERYTHING" | sort >"$TMP/scratch/actual"
	same metrics "$TMP/scratch/documented" "$TMP/scratch/actual"
	awk -f tests/docs/metrics.awk "$EVERYTHING" "$METRICS" >"$TMP/scratch/page"
	if [ "${UPDATE:-0}" = 1 ]; then cat "$TMP/scratch/page" >"$METRICS"; fi
	same "types and meanings" "$METRICS" "$TMP/scratch/page"
}

# "METRIC LABEL,LABEL..." of each series; le and the user's rack are no labels of ours.
published_labels() {
	series "$EVERYTHING" |
		sed -E 's/_(bucket|sum|count)(\{|$)/\2/; s/(rack|le)="[^"]*",?//; s/="[^"]*"//g
			s/,?\}//; s/\{/ /'
}

labels_are_published() {
	local metric labels
	run_of_everything
	published_labels | sort -u >"$TMP/scratch/published"
	while IFS=$'\t' read -r metric _ _ labels _; do
		metric=$(plain <<<"$metric")
		labels=$(sed 's/, and yours//; s/ //g; s/^-$//' <<<"$labels")
		printf '%s %s\n' "$metric" "${labels//,(family)/}"
		if [[ $labels == *'(family)'* ]]; then
			printf '%s %s\n' "$metric" "${labels//(family)/family}"
		fi
	done < <(rows "$METRICS" metric) | sed 's/ $//' | sort -u >"$TMP/scratch/documented"
	# Only group dual has a name.
	sed -i '/^nodecanary_peer_resolved group,peer$/d' "$TMP/scratch/documented"
	same labels "$TMP/scratch/documented" "$TMP/scratch/published"
}

# No document names a metric that does not exist.
metrics_are_known() {
	local file metric
	documented_metrics >"$TMP/scratch/known"
	for file in "${DOCUMENTS[@]}" packaging/man/*; do
		case $file in packaging/ansible/*) continue ;; esac # variables of the role
		while read -r metric; do
			grep -qx -e "$metric" "$TMP/scratch/known" ||
				grep -qx -e "$(sed -E 's/_(bucket|sum|count)$//' <<<"$metric")" \
					"$TMP/scratch/known" || fail "$file: $metric is not in metrics.md"
		done < <(grep -ohE '(^|[^:a-z])nodecanary_[a-z_]+\b([^:a-z_*]|$)' "$file" |
			grep -oE 'nodecanary_[a-z_]+' | sort -u)
	done
}

# The series of a node with COUNT peers whose value is VALUE (%d: its number).
series_of() {
	local i
	{
		printf '[probe]\nhistogram = %s\n[peers]\n' "$1"
		# shellcheck disable=SC2059 # the format is the caller's
		for ((i = 1; i <= $2; i++)); do printf "p$i = $3\n" "$i"; done
	} >"$TMP/scratch/series.ini"
	"$NC" -C -c "$TMP/scratch/series.ini" | sed -n 's/.* \([0-9]*\) series on this node$/\1/p'
}

# pair MODE VALUE: what one peer more costs.
pair() {
	echo $(($(series_of "$1" 5 "$2") - $(series_of "$1" 4 "$2")))
}

series_of_a_pair() {
	local numeric named none nodes pairs peer group rows=0
	numeric=$(pair peer 10.9.9.%d) named=$(pair peer host%d.example) none=$(pair off 10.9.9.%d)
	[ "$none" = "$(pair group 10.9.9.%d)" ]
	grep -F "A pair has $numeric series ($named if the peer has a host name), $none with" \
		"$METRICS" || fail "a pair has $numeric, $named, $none series"
	while IFS=$'\t' read -r nodes pairs peer group; do
		nodes=${nodes//,/} pairs=${pairs//,/} peer=${peer//,/} group=${group//,/}
		[ "$pairs" -eq $((nodes * (nodes - 1))) ] || fail "$nodes nodes: $pairs"
		[ "$peer" -eq $((pairs * numeric)) ] || fail "$nodes nodes: $peer"
		[ "$group" -eq $((pairs * none)) ] || fail "$nodes nodes: $group"
		rows=$((rows + 1))
	done < <(rows "$METRICS" nodes)
	[ "$rows" -ge 3 ]
}

limits_of_sources() {
	grep -qE '^#define ESTIMATE_NODE_SERIES_MAX 10000$' collector/estimate.h
	grep -qE '^#define ESTIMATE_MESH_SERIES_MAX 1000000$' collector/estimate.h
	grep -qF 'warns above 10,000 series on a node and above 1,000,000 of a' "$METRICS"
	grep -qE '^#define ROUND_CLOCK_TOLERANCE_NS 100000$' collector/ping/probe.h
	grep -qF 'more than 0.1 ms' "$METRICS"
}
