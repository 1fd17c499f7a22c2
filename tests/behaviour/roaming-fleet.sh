#!/bin/bash
# In a fleet of 200 nodes, two nodes that do not watch each other cannot reach each other: roaming
# finds it at both ends, and nowhere else.
# check: no, it takes 2,600 runs
# time-limit: 900

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NODES=200 FANOUT=8 ROAM=16
# Every other peer has been visited after this many runs, and an unresponsive one is visited again in the next run.
RUNS=$(((NODES - 1 - FANOUT + ROAM - 1) / ROAM + 1))

for ((node = 1; node <= NODES; node++)); do
	printf '%s\n' '[collector]' "self = node$node" 'fsync = no' 'trace = 0' '[probe]' 'count = 1' 'warmup = 0' \
		"fanout = $FANOUT" "roam = $ROAM" '[peers]' >$node.ini
	for ((i = 1; i <= NODES; i++)); do echo "node$i = 10.1.0.$i"; done >>$node.ini
done

# network [NODE]: every node answers except NODE.
network() {
	{
		echo "10.1.0.1-10.1.0.$NODES delay=1ms"
		if [ $# -gt 0 ]; then echo "10.1.0.$1 silent"; fi
	} >plan
	simnet_start plan
}

# runs_of NODE: until it has visited every other peer.
runs_of() {
	local run
	for ((run = 1; run <= RUNS; run++)); do
		"$NC" -q -c "$1.ini" -o "$TEST_TMP/$1.prom" 2>err || fail "node$1: exit status $?; $(_show err)"
	done
}

# Lines `GROUP FROM TO`; chosen are the first two nodes of which neither watches the other.
run_nc 0 -c 1.ini -l --all
read -r one other < <(awk -v nodes=$NODES '
	{ watched[$2 " " $3] }
	END {
		for (i = 2; i <= nodes; i++) for (j = i + 1; j <= nodes; j++)
			if (!(("node" i " node" j) in watched) && !(("node" j " node" i) in watched)) { print i, j; exit }
	}' out)
echo "the broken pair: node$one, node$other"

behaviour "a node that reaches all others lists no unresponsive peer"
network
for ((node = 1; node <= NODES; node++)); do
	if [ $node != "$one" ] && [ $node != "$other" ]; then runs_of $node; fi
done
assert_eq "" "$(grep -l '^nodecanary_roam_unresponsive' ./*.prom || true)" "files with an unresponsive peer"

behaviour "the nodes together count as many requests as the network saw"
simnet_stats
assert_eq "$(awk '/^nodecanary_(roam_)?requests_total/ { n += $NF } END { print n }' ./*.prom)" \
	"$(sed -n 's/^# total requests=\([0-9]*\) .*/\1/p' "$SIMNET_STATS")" "requests"

behaviour "each node of the broken pair lists the other, and no other peer"
simnet_stop
network "$other"
runs_of "$one"
simnet_stop
network "$one"
runs_of "$other"
assert_eq "node$other node$one" "$(sed -n 's/^nodecanary_roam_unresponsive{.*peer="\(.*\)"} 1$/\1/p' \
	"$one.prom" "$other.prom" | tr '\n' ' ' | sed 's/ $//')"

behaviour "all peers that the two nodes watch are up"
assert_eq 0 "$(cat "$one.prom" "$other.prom" | grep -c '^nodecanary_peer_up{.*} 0$' || true)" "peers that are down"

done_testing
