# shellcheck shell=bash disable=SC2034
# The library of the tests on booted nodes. A test is a file beside this one:
#
#	#!/bin/bash
#	# What it is about.
#	# time-limit: 300                          (seconds, if 120 are not enough)
#	# nodes: 1                                 (that it has in all, as there is room for so many)
#	. "$(dirname "$0")/lib.sh"
#	node_new a installed
#	node_boot a
#	behaviour "a run writes its file"
#	on a systemctl start nodecanary.service
#	assert_eq 1 "$(metric a nodecanary_last_run_success)"
#	done_testing
#
# tests/node/run gives it namespaces of its own, shared with the other tests (which run beside it),
# and
#
#	TEST_TMP  a fresh directory, also the working directory    TOP    the root of the repository
#	DEB       the package under test                           TOOLS  the directory of test tools
#	NODES     how many nodes it may have
#	IMAGES    root file systems: base, and `installed`, which has the package and node_exporter
#
# A test that is started by hand starts itself again through `run`.
#
# Behaviours, assertions and waiting are those of tests/lib/behaviours.sh.

if [ -z "${TEST_TMP:-}" ]; then exec "$(dirname "${BASH_SOURCE[0]}")/run" "$0"; fi
# shellcheck source-path=SCRIPTDIR source=../lib/behaviours.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/behaviours.sh"

TEST_NAME=$(basename "$0" .sh)
WAIT_PAUSE_MAX_CS=100 # many wait at once, and to ask a node takes some processes
PROM=/var/lib/nodecanary/nodecanary.prom
TEXTFILES=/var/lib/prometheus/node-exporter
INI_D=/etc/nodecanary/nodecanary.ini.d
SWITCH=$TEST_NAME-switch
declare -A NSPAWN=() LEADER=() NUMBER=()

# --- nodes ---

# node_new NAME [IMAGE]: a node of IMAGE (base), not booted yet. It is number N of its test: it has
# eth0 with 10.77.0.N/24 and fd77::N/64 on the bridge of the test, and a machine-id from its name.
node_new() {
	local name=$1 image=${2:-base} dir=$TEST_TMP/$1 lower=$IMAGES/base number=$((${#NUMBER[@]} + 1))
	[ "$number" -le "$NODES" ] || fail "more nodes than its head says"
	[ "$image" = base ] || lower=$IMAGES/$image:$lower
	NUMBER[$name]=$number
	mkdir -p "$dir/upper" "$dir/work" "$dir/root"
	mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" "node-$name" "$dir/root"
	echo "$name" >"$dir/root/etc/hostname"
	echo "127.0.0.1 localhost" >"$dir/root/etc/hosts"
	node_machine_id "$name" >"$dir/root/etc/machine-id"
	node_network "$name"
}

node_machine_id() { echo "nodecanary $TEST_NAME $1" | md5sum | cut -c1-32; }

# The path of a file of the node, from outside.
root_of() { echo "$TEST_TMP/$1/root"; }

namespace_of() { echo "$TEST_NAME-$1"; }

node_network() {
	local name=$1 number=${NUMBER[$1]} namespace
	namespace=$(namespace_of "$1")
	if [ ! -e "/run/netns/$SWITCH" ]; then
		ip netns add "$SWITCH"
		ip -n "$SWITCH" link add br0 type bridge
		ip -n "$SWITCH" link set br0 up
	fi
	ip netns add "$namespace"
	ip -n "$SWITCH" link add "v$number" type veth peer name eth0 netns "$namespace"
	ip -n "$SWITCH" link set "v$number" master br0 up
	ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0
	ip -n "$namespace" link set lo up
	node_network_up "$name"
}

node_network_up() {
	local number=${NUMBER[$1]} namespace
	namespace=$(namespace_of "$1")
	ip -n "$namespace" link set eth0 up
	ip -n "$namespace" addr replace "10.77.0.$number/24" dev eth0
	ip -n "$namespace" -6 addr replace "fd77::$number/64" dev eth0 nodad
}

node_network_down() { ip -n "$(namespace_of "$1")" link set eth0 down; }

# node_start NAME: boots it; node_boot NAME... waits until they are up, too.
node_start() {
	local name=$1 group
	group=/sys/fs/cgroup/nodes/$TEST_NAME.$name
	mkdir -p "$group"
	# A process that moves itself before it becomes systemd-nspawn. Both need a cgroup of their own.
	# Its filter of system calls does not know Landlock by itself, and only with a network that it
	# has made itself may root in the node configure that.
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$group" \
		systemd-nspawn --quiet --register=no --keep-unit --machine="$name" \
		--network-namespace-path="/run/netns/$(namespace_of "$name")" --resolv-conf=off \
		--capability=CAP_NET_ADMIN \
		--system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self' \
		--timezone=off --link-journal=no --console=pipe -D "$(root_of "$name")" --boot \
		</dev/null >"$TEST_TMP/$name/console" 2>&1 &
	NSPAWN[$name]=$!
	LEADER[$name]=
}

node_boot() {
	local name
	for name; do node_start "$name"; done
	for name; do node_wait "$name"; done
}

# node_wait NAME: until it has booted.
node_wait() {
	wait_until 240 _node_is_up "$1" # many at once take their time
	LEADER[$1]=$(cat "$TEST_TMP/$1/leader")
}

_node_is_up() {
	local leader
	tail -n 20 "$TEST_TMP/$1/console" | tr -d '\0'
	ps -o pid,stat,wchan:24,args -p "${NSPAWN[$1]}" --ppid "${NSPAWN[$1]}"
	leader=$(pgrep -P "${NSPAWN[$1]}" -x systemd) || return 1
	[ "$leader" != "${LEADER[$1]}" ] || return 1
	echo "$leader" >"$TEST_TMP/$1/leader"
	_enter "$leader" systemctl is-system-running | tee /dev/stderr | grep -qEx 'running|degraded' ||
		{ _enter "$leader" systemctl --no-pager list-jobs && return 1; }
}

_enter() {
	local leader=$1
	shift
	nsenter -t "$leader" -m -u -i -n -p -r -w -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root "$@"
}

# on NAME COMMAND...: within the node, as root.
on() {
	local name=$1
	shift
	_enter "${LEADER[$name]}" "$@"
}

# near NAME COMMAND...: a program of this machine in the node's network.
near() {
	local name=$1
	shift
	ip netns exec "$(namespace_of "$name")" "$@"
}

# at_switch COMMAND...: the same in the network between the nodes. What `ip netns exec` does beside this, it
# would do for each question to Prometheus.
at_switch() { nsenter --net="/run/netns/$SWITCH" "$@"; }

# leave_for NAME TARGET: what `systemctl poweroff` or `reboot` do where there is no logind.
leave_for() {
	on "$1" systemctl --job-mode=replace-irreversibly --no-block start "$2.target" || true
}

node_off() {
	local name=$1
	leave_for "$name" poweroff
	wait_until 60 _is_gone "${NSPAWN[$name]}"
	unset "NSPAWN[$name]"
}

# node_crash NAME: the power fails.
node_crash() {
	kill -KILL "${LEADER[$1]}"
	wait_until 60 _is_gone "${NSPAWN[$1]}"
	unset "NSPAWN[$1]"
}

node_reboot() {
	leave_for "$1" reboot
	wait_until 60 _is_gone "${NSPAWN[$1]}" # systemd-nspawn leaves the second half to its own unit
	node_boot "$1"
}

_is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*zombie' "/proc/$1/status"; }

# --- what is on it ---

# configure NAME: standard input becomes the drop-in test.ini.
configure() { cat >"$(root_of "$1")$INI_D/test.ini"; }

prom_of() { echo "$(root_of "$1")$PROM"; }

# metric NAME SERIES: in the published file.
metric() { value "$(prom_of "$1")" "$2"; }

# has_series NAME LINE: series and value.
has_series() { grep -qxF -e "$2" "$(prom_of "$1")"; }

# scrape NAME FILE: what node_exporter of that node serves.
scrape() { near "$1" curl -fsS -o "$2" --max-time 10 http://127.0.0.1:9100/metrics; }

# serves NAME LINE: its node_exporter does.
serves() {
	scrape "$1" "$TEST_TMP/$1/scrape" && grep -qxF -e "$2" "$TEST_TMP/$1/scrape"
}

# unit NAME PROPERTY: of nodecanary.service.
unit() { on "$1" systemctl show nodecanary.service -P "$2"; }

# run_unit NAME: one run, now; returns its success.
run_unit() { on "$1" systemctl start nodecanary.service; }

# stop_timer NAME: runs begin when the test says so.
stop_timer() {
	on "$1" systemctl stop nodecanary.timer
	wait_until 20 _is_idle "$1"
}

_is_idle() { [[ $(unit "$1" ActiveState) = @(inactive|failed) ]]; }

# journal NAME FILE: all of the unit since the first boot.
journal() { on "$1" journalctl --quiet --no-pager -o cat -u nodecanary.service >"$2"; }

journal_is_empty() {
	journal "$1" "$TEST_TMP/$1/journal"
	[ ! -s "$TEST_TMP/$1/journal" ] || fail "journal of $1: expected nothing; $(_show "$TEST_TMP/$1/journal")"
}

# drop_in NAME UNIT: standard input is added to the unit.
drop_in() {
	local dir
	dir=$(root_of "$1")/etc/systemd/system/$2.d
	mkdir -p "$dir"
	cat >"$dir/test.conf"
	on "$1" systemctl daemon-reload
}

# install_deb NAME FILE: as an administrator does.
install_deb() {
	cp "$2" "$(root_of "$1")/root/nodecanary.deb"
	on "$1" apt-get install -y --no-install-recommends /root/nodecanary.deb \
		>"$TEST_TMP/$1/apt" 2>&1 || fail "apt-get install of $2; $(_show "$TEST_TMP/$1/apt")"
}

apt_on() {
	local name=$1
	shift
	on "$name" apt-get -y --no-install-recommends "$@" >"$TEST_TMP/$name/apt" 2>&1 ||
		fail "apt-get $*; $(_show "$TEST_TMP/$name/apt")"
}

uptime_reaches() { [ "$(_uptime_cs)" -ge "$1" ]; }

# timer NAME KEY: of nodecanary.timer; `next` and `last` are times in microseconds, 0 for never.
timer() {
	local list
	list=$(on "$1" systemctl list-timers --no-pager -o json nodecanary.timer)
	[[ $list =~ \"$2\":([0-9]+) ]] || fail "expected \"$2\" of nodecanary.timer in: $list"
	echo "${BASH_REMATCH[1]}"
}

runs() { grep -Eo '^nodecanary_runs_total [0-9]+' "$(prom_of "$1")" | cut -d ' ' -f 2; }

has_started_since() { [ "$(timer "$1" last)" -gt "$2" ]; }

is_state() { [ "$(unit "$1" ActiveState)" = "$2" ]; }

has_run() { [ "$(timer "$1" last)" -gt 0 ] && _is_idle "$1"; }

runs_reach() { [ "$(runs "$1")" -ge "$2" ]; }

# deb_of_version FILE VERSION: the package under test as if it were of that version.
deb_of_version() {
	dpkg-deb -R "$DEB" "$TEST_TMP/deb-$2"
	sed -i "s/^Version: .*/Version: $2/" "$TEST_TMP/deb-$2/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$TEST_TMP/deb-$2" "$1" >/dev/null
}

# counters NAME FILE: the series that must never fall, `name value` a line.
counters() {
	grep -E '^nodecanary_[a-z_]*(_total|_bucket|_sum|_count)[{ ]' "$(prom_of "$1")" >"$2"
}

# not_backwards OLD NEW: of two files of counters. Every one of OLD is in NEW, and not less.
not_backwards() {
	awk '
		{ v = $NF; sub(/ [^ ]*$/, "") }
		NR == FNR { old[$0] = v; next }
		{ new[$0] = v }
		END {
			for (s in old) {
				n++
				if (!(s in new)) { print s " is gone"; bad = 1 }
				else if (new[s] + 0 < old[s] + 0) {
					print s " fell from " old[s] " to " new[s]; bad = 1
				}
			}
			if (!n) { print "no counters to compare"; bad = 1 }
			exit bad
		}' "$1" "$2" >"$TEST_TMP/not_backwards.log" ||
		fail "counters went backwards; $(_show "$TEST_TMP/not_backwards.log")"
}
