#!/bin/bash
# What a node spends on one start of a unit, the program and PID 1 together: CPU of the whole node.
#
#	START_COST=FILE tests/node/run tests/bench/start-cost.sh
#
# Two nodes take turns, one with the mounts that a Debian node has, one with 800, as a Kubernetes node has.
# FILE gets a line for each sample: MOUNTS UNIT MICROSECONDS.
# time-limit: 290
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=../node/lib.sh
. "$(dirname "$0")/../node/lib.sh"
: "${START_COST:?names the file of results}"
ROUNDS=5
STARTS=4 # in a sample
MOUNTS=800

UNITS=(bare nodecanary nodecanary-in-mounts)

cpu_us() { awk '$1 == "usage_usec" { print $2 }' "/sys/fs/cgroup/nodes/$TEST_NAME-$1/cpu.stat"; }

mounts_of() { on "$1" grep -c . /proc/self/mountinfo; }

# Nothing else is to happen on the node.
prepare() {
	local name=$1 units
	units=$(root_of "$name")/etc/systemd/system
	on "$name" systemctl stop nodecanary.timer prometheus-node-exporter.service
	{ echo '[peers]' && printf 'worker%d = 127.0.0.%d\n' {1..9}{,}; } | configure "$name"
	printf '%s\n' '[Unit]' 'StartLimitIntervalSec=0' '[Service]' Type=oneshot ExecStart=/usr/bin/true \
		LogLevelMax=notice >"$units/bare.service"
	cp "$(root_of "$name")/lib/systemd/system/nodecanary.service" "$units/nodecanary-in-mounts.service"
	mkdir "$units/nodecanary-in-mounts.service.d"
	cp "$TOP/systemd/mount-sandbox.conf" "$units/nodecanary-in-mounts.service.d/"
	on "$name" systemctl daemon-reload
}

# sample NAME UNIT
sample() {
	local before after
	before=$(cpu_us "$1")
	# shellcheck disable=SC2016 # the inner shell expands it
	on "$1" sh -c 'for i in $(seq "$1"); do systemctl start "$2.service" || exit; done' - "$STARTS" "$2"
	after=$(cpu_us "$1")
	echo "$(mounts_of "$1") $2 $(((after - before) / STARTS))" >>"$START_COST"
}

for name in a b; do node_new "$name" installed; done
node_boot a b
for name in a b; do prepare "$name"; done
# shellcheck disable=SC2016 # the inner shell expands it
on b sh -c 'i=$(grep -c . /proc/self/mountinfo)
	while [ "$i" -lt "$1" ]; do
		mkdir "/mnt/$i" && mount -t tmpfs -o size=64k none "/mnt/$i"
		i=$((i + 1))
	done' - "$MOUNTS"

behaviour "each unit is started on both nodes"
: >"$START_COST"
for _ in $(seq "$ROUNDS"); do
	for unit in "${UNITS[@]}"; do
		for name in a b; do sample "$name" "$unit"; done
	done
done
for name in a b; do assert_eq "$((2 * ROUNDS * STARTS))" "$(runs "$name")" "runs"; done

done_testing
