#!/bin/bash
# With `roam = r` a node visits r further peers in each run, so that every pair has its turn, and a
# pair that is broken is found although nobody watches it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PEERS=60 FANOUT=4 ROAM=5
simnet_start - <<PLAN
10.1.0.1-10.1.0.$PEERS delay=1ms
PLAN

# config SELF
config() {
	local i
	printf '%s\n' '[collector]' "self = node$1" 'fsync = no' 'trace = 0' '[probe]' 'count = 2' \
		'warmup = 0' 'interval = 1ms' 'timeout = 500ms' "fanout = $FANOUT" \
		"roam = $ROAM" '[peers]'
	for ((i = 1; i <= PEERS; i++)); do echo "node$i = 10.1.0.$i"; done
}

# run_as SELF
run_as() {
	config "$1" >x.ini
	run_nc 0 -c x.ini -o "$TEST_TMP/$1.prom"
}

# of METRIC: of the group.
of() { value 1.prom "nodecanary_$1{group=\"default\"}"; }

unresponsive() { sed -n 's/^nodecanary_roam_unresponsive{group="default",peer="\(.*\)"} 1$/\1/p' 1.prom; }

# Besides itself and four that are watched, 55 peers, 5 in each run.
TURN=$(((PEERS - 1 - FANOUT) / ROAM))

behaviour "every other peer is asked once in a turn, and the results are series of the group"
for ((run = 1; run <= TURN; run++)); do
	run_as 1
	assert_eq $((run * ROAM * 2))/$((run * ROAM * 2)) "$(of roam_requests_total)/$(of roam_replies_total)"
done
silent
assert_eq $FANOUT "$(grep -c '^nodecanary_requests_total' 1.prom)" "peers with series of their own"
simnet_stats
assert_eq $((PEERS - 1 - FANOUT)) "$(grep -c ' requests=2 replies=2 ' "$SIMNET_STATS")" \
	"peers that were asked in one run"

behaviour "a visited peer leaves nothing in the file"
assert_eq $FANOUT "$(grep -c '^# nodecanary-state 1 target' 1.prom)"

behaviour "a broken pair is listed after two visits, while all others are well"
simnet_stop
simnet_start - <<PLAN
10.1.0.1-10.1.0.49 delay=1ms
10.1.0.50 silent
10.1.0.51-10.1.0.$PEERS delay=1ms
PLAN
for ((run = 1; run <= TURN + 1; run++)); do
	run_as 1
	[ -z "$(unresponsive)" ] || break
done
assert_eq node50 "$(unresponsive)"
run_as 1
assert_eq node50 "$(unresponsive)"

behaviour "a name that does not resolve holds up none of the others"
{
	printf '%s\n' '[collector]' 'self = node1' 'trace = 0' 'resolve_timeout = 100ms' '[probe]' 'count = 1' \
		'warmup = 0' 'timeout = 100ms' 'fanout = 1' 'roam = 1' '[peers]'
	for ((i = 1; i <= 4; i++)); do echo "node$i = 10.1.0.$i"; done
	for ((i = 1; i <= 3; i++)); do echo "host$i.test ="; done
} >names.ini
# Six peers: one is watched, five are visited in five runs.
for run in 1 2 3 4 5; do run_nc 0 -c names.ini -o "$TEST_TMP/names.prom"; done
watched=$(grep -c '^nodecanary_peer_up{.*peer="node' names.prom || true)
assert_eq 3 $((watched + $(value names.prom 'nodecanary_roam_requests_total{group="default"}'))) "nodes that were asked"
assert_not_contains names.prom '^nodecanary_roam_unresponsive'

behaviour "the families of a peer are listed apart"
{
	printf '%s\n' '[collector]' 'self = node1' 'trace = 0' '[probe]' 'count = 1' 'warmup = 0' \
		'timeout = 100ms' 'family = both' 'fanout = 1' 'roam = 4' '[peers]'
	for ((i = 1; i <= 4; i++)); do echo "node$i = 10.1.0.$i, fd00:1::$i"; done
} >both.ini
for run in 1 2 3; do run_nc 0 -c both.ini -o "$TEST_TMP/both.prom"; done
assert_eq 2 "$(grep -c '^nodecanary_roam_unresponsive{.*,family="ipv6"} 1$' both.prom)"
assert_not_contains both.prom '^nodecanary_roam_unresponsive.*,family="ipv4"'
assert_eq "" "$(grep -v '^#' both.prom | sort | uniq -d)"

behaviour "a peer with an address of this host is not visited"
ip addr add 10.1.0.2/32 dev sim0
ip addr add 10.1.0.3/32 dev sim0
{
	printf '%s\n' '[collector]' 'self = node1' 'trace = 0' '[probe]' 'count = 1' 'warmup = 0' \
		'timeout = 100ms' 'fanout = 1' 'roam = 9' '[peers]'
	for ((i = 1; i <= 9; i++)); do echo "node$i = 10.1.0.$i"; done
} >local.ini
run_nc 0 -c local.ini -o "$TEST_TMP/local.prom"
watched=$(grep -c '^nodecanary_peer_up' local.prom || true)
assert_eq 6 $((watched + $(value local.prom 'nodecanary_roam_requests_total{group="default"}'))) \
	"nodes that were asked"

behaviour "a node whose chosen peers have its own addresses measures nobody, but for those that it visits"
ip addr add 10.1.0.21/32 dev sim0
printf '%s\n' '[collector]' 'self = node21' 'trace = 0' '[probe]' 'count = 1' 'warmup = 0' \
	'fanout = 1' '[peers]' 'node21 = 10.1.0.21' 'node22 = 10.1.0.22' 'node23 = 10.1.0.23' \
	'node24 = 10.1.0.24' >chosen.ini
run_nc 0 -c chosen.ini -o "$TEST_TMP/chosen.prom"
watched=$(sed -n 's/^nodecanary_peer_up{.*peer="node\(.*\)"} 1$/\1/p' chosen.prom)
ip addr add "10.1.0.$watched/32" dev sim0
run_nc 0 -c chosen.ini -o "$TEST_TMP/chosen.prom"
says 1 'group .default.: this node pings no peer: all peers that .fanout. chose have an address of this host$'
assert_eq 0 "$(value chosen.prom nodecanary_last_run_success)"
sed -i 's/^fanout = 1$/&\nroam = 3/' chosen.ini
run_nc 0 -c chosen.ini -o "$TEST_TMP/chosen.prom"
silent
assert_eq 1 "$(value chosen.prom nodecanary_last_run_success)"
assert_eq 2 "$(value chosen.prom 'nodecanary_roam_replies_total{group="default"}')"
done_testing
