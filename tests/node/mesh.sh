#!/bin/bash
# Three nodes ping each other, and what each publishes agrees with the others.
# time-limit: 480
# nodes: 3
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

nodes=(a b c)
for name in "${nodes[@]}"; do
	node_new "$name" installed
	configure "$name" <<'INI'
[peers]
a = 10.77.0.1
b = 10.77.0.2
c = 10.77.0.3
INI
done
node_boot "${nodes[@]}"

up() { echo "nodecanary_peer_up{group=\"default\",peer=\"$1\"} $2"; }

# sees NODE PEER 0|1: after a run that began later than now.
sees() {
	local n
	n=$(runs "$1")
	wait_until 45 has_series "$1" "$(up "$2" "$3")"
	# One run may have been under way.
	assert_le $(($(runs "$1") - n)) 2 "runs until $1 says that $2 is $3"
}

# Each of the nodes named; from the last time on.
never_backwards() {
	local name
	for name; do
		counters "$name" "$name.new"
		if [ -e "$name.old" ]; then not_backwards "$name.old" "$name.new"; fi
		mv "$name.new" "$name.old"
	done
}

behaviour "each node pings the two others and not itself: node_exporter serves the full matrix"
for name in "${nodes[@]}"; do
	wait_until 45 serves "$name" 'nodecanary_last_run_success 1'
	for peer in "${nodes[@]}"; do
		if [ "$peer" = "$name" ]; then
			wait_until 5 serves "$name" "nodecanary_self_info{group=\"default\",peer=\"$peer\"} 1"
		else
			wait_until 20 serves "$name" "$(up "$peer" 1)"
			wait_until 5 serves "$name" "nodecanary_loss_ratio{group=\"default\",peer=\"$peer\"} 0"
		fi
	done
	assert_eq 2 "$(grep -c '^nodecanary_peer_up{' "$name/scrape")" "peers that $name pings"
done
assert_eq 1 "$(cat ./*/scrape | grep '^nodecanary_peer_list_hash{' | sort -u | wc -l)" "lists"
never_backwards a b c

behaviour "one is stopped: the others say so in the next run"
node_off c
node_network_down c
sees a c 0
sees b c 0
for name in a b; do
	metric "$name" 'nodecanary_loss_ratio{group="default",peer="c"}' >/dev/null
done
never_backwards a b

behaviour "the others still see each other without loss"
for pair in 'a b' 'b a'; do
	read -r name peer <<<"$pair"
	assert_eq "$(metric "$name" "nodecanary_requests_total{group=\"default\",peer=\"$peer\"}")" \
		"$(metric "$name" "nodecanary_replies_total{group=\"default\",peer=\"$peer\"}")" "replies"
	assert_eq 1 "$(metric "$name" "nodecanary_peer_up{group=\"default\",peer=\"$peer\"}")"
done

behaviour "it is back: they say so in the next run, and its own counters go on"
node_network_up c
node_boot c
sees a c 1
sees b c 1
n=$(runs c)
wait_until 45 runs_reach c $((n + 1))
never_backwards a b c

behaviour "a node whose power fails goes on with its counters, too"
node_crash c
node_boot c
n=$(runs c)
wait_until 45 runs_reach c $((n + 1))
wait_until 5 has_series c "$(up a 1)"
never_backwards a b c

behaviour "all the while the journals of the unit were empty"
for name in "${nodes[@]}"; do journal_is_empty "$name"; done

done_testing
