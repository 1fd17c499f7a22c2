# shellcheck shell=bash
# The library of the tests in network namespaces. A test is a file beside this one:
#
#     #!/bin/bash
#     # What it is about.
#     # time-limit: 300                         (seconds, if 120 are not enough)
#     # alone: it measures time                 (if others would disturb it)
#     # sandbox: no, it needs root              (where it is left out: see `run`)
#     . "$(dirname "$0")/lib.sh"
#     simnet_start - <<'PLAN'
#     10.1.0.1-10.1.0.9 delay=50ms
#     PLAN
#     behaviour "a peer that answers is up"
#     run_nc 0 -c "$TEST_TMP/x.ini"
#     assert_eq 1 "$(value "$TEST_TMP/x.prom" 'nodecanary_peer_up{group="default",peer="a"}')"
#     done_testing
#
# tests/behaviour/run gives it namespaces of its own (network, mounts, processes), and
#
#     TEST_TMP  a fresh directory, also the working directory     TOP    the root of the repository
#     NC        the program under test                            TOOLS  the directory of test tools
#
# A test that is started by hand starts itself again through `run`.
#
# Behaviours, assertions and waiting are those of tests/lib/behaviours.sh.

if [ -z "${TEST_TMP:-}" ]; then exec "$(dirname "${BASH_SOURCE[0]}")/run" "$0"; fi
# shellcheck source-path=SCRIPTDIR source=../lib/behaviours.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/behaviours.sh"

SIMNET_PID=
SIMNET_STATS=$TEST_TMP/simnet.stats

# --- runs ---

# run_nc CODE ARGUMENT...: the program under test, with NC_WRAP (say, valgrind) before it.
run_nc() {
	local code=$1
	shift
	# shellcheck disable=SC2086 # a command and its arguments
	assert_exit "$code" ${NC_WRAP:-} "$NC" "$@"
}

# kilobytes FILE: the peak memory of the run that published it.
kilobytes() { echo $(($(value "$1" nodecanary_last_run_peak_memory_bytes) / 1024)); }

# median_kilobytes FILE ARGUMENT...: of nine runs that publish it, since which pages of libc come
# along depends on where it is loaded.
median_kilobytes() {
	local _ file=$1
	shift
	for _ in 1 2 3 4 5 6 7 8 9; do
		run_nc 0 -o "$file" "$@"
		kilobytes "$file"
	done | sort -n | sed -n 5p
}

# --- what make check bounds ---

# Of many similar calls, `make check` lets the first, the last and every tenth one fail.
STRIDE=10
if [ -n "${ALL:-}${FULL:-}" ]; then STRIDE=1; fi

# as_many MANY FEW: MANY with ALL=1, otherwise FEW.
as_many() { if [ "$STRIDE" = 1 ]; then echo "$1"; else echo "$2"; fi; }

# is_chosen N COUNT: whether call N of COUNT has its turn.
is_chosen() { (($1 == 1 || $1 == $2 || $1 % STRIDE == 0)); }

# --- the simulated network (tests/tools/simnet) ---

# simnet_start PLANFILE [ARGUMENT...]: PLANFILE may be `-`, standard input. Then 10.0.0.0/8 and
# fd00::/8 lie behind sim0, and we are 10.99.0.1 and fd99::1.
simnet_start() {
	local plan=$1
	shift
	if [ "$plan" = - ]; then
		plan=$TEST_TMP/simnet.plan
		cat >"$plan"
	fi
	(: <>/dev/net/tun) 2>/dev/null || skip "/dev/net/tun cannot be opened"
	[ -x "$TOOLS/simnet" ] || fail "$TOOLS/simnet is not built"
	_silence_ipv6
	rm -f "$TEST_TMP/simnet.ready" "$SIMNET_STATS"
	# shellcheck disable=SC2086 # the wrapper has arguments
	${SIMNET_WRAP:-} "$TOOLS/simnet" -i sim0 -p "$plan" -o "$SIMNET_STATS" -r "$TEST_TMP/simnet.ready" "$@" \
		2>"$TEST_TMP/simnet.err" &
	SIMNET_PID=$!
	wait_until 20 _simnet_settled
	[ -e "$TEST_TMP/simnet.ready" ] || fail "simnet did not start; $(_show "$TEST_TMP/simnet.err")"
	ip addr add 10.99.0.1/32 dev sim0
	ip route add 10.0.0.0/8 dev sim0
	if [ -e /proc/net/if_inet6 ]; then
		ip -6 addr add fd99::1/128 dev sim0 nodad
		ip -6 route add fd00::/8 dev sim0
	fi
}

# Ready, or ended.
_simnet_settled() {
	[ -e "$TEST_TMP/simnet.ready" ] || ! kill -0 "$SIMNET_PID"
}

# far_start: another network namespace, of process FAR_PID. far COMMAND...: within it.
far_start() {
	unshare --net sleep infinity &
	FAR_PID=$!
	wait_until 5 _far_is_there
}

_far_is_there() {
	[ "$(readlink "/proc/$FAR_PID/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

far() { nsenter -t "$FAR_PID" -n "$@"; }

# No router solicitations, link-local addresses, or duplicate address detection on what comes.
_silence_ipv6() {
	local conf=/proc/sys/net/ipv6/conf/default setting
	[ -w "$conf/accept_ra" ] || return 0
	for setting in disable_ipv6=0 accept_ra=0 accept_dad=0 addr_gen_mode=1 \
		router_solicitations=0; do
		echo "${setting#*=}" >"$conf/${setting%=*}"
	done
}

# simnet_stats: the counts of this moment, in $SIMNET_STATS. Not in the middle of a measurement:
# with many peers the answers wait while the file is written.
simnet_stats() {
	rm -f "$SIMNET_STATS"
	kill -USR1 "$SIMNET_PID" || fail "simnet is gone; $(_show "$TEST_TMP/simnet.err")"
	wait_until 20 test -e "$SIMNET_STATS"
}

# simnet_stop: ends it; the final counts are in $SIMNET_STATS.
simnet_stop() {
	local status=0
	kill -TERM "$SIMNET_PID" || fail "simnet is gone; $(_show "$TEST_TMP/simnet.err")"
	wait "$SIMNET_PID" || status=$?
	SIMNET_PID=
	[ "$status" -eq 0 ] ||
		fail "simnet: expected exit status 0, actual $status; $(_show "$TEST_TMP/simnet.err")"
}

# simnet_count ADDRESS requests|replies|...: from the file of the last simnet_stats or simnet_stop.
# The ADDRESS `total` stands for the line of totals.
simnet_count() {
	local status=0 result
	result=$(awk -v address="$1" -v key="$2" '
		$1 == address || (address == "total" && $1 == "#") {
			for (i = 2; i <= NF; i++)
				if (index($i, key "=") == 1) { print substr($i, length(key) + 2); found = 1 }
			exit
		}
		END { exit !found }' "$SIMNET_STATS") || status=$?
	[ "$status" -eq 0 ] || fail "$SIMNET_STATS: expected $2= of $1; $(_show "$SIMNET_STATS")"
	echo "$result"
}

# compare_counts PROMFILE GROUP MAPFILE: nodecanary's requests and replies of each peer are exactly
# what the network counted in $SIMNET_STATS. MAPFILE has lines `peer address [family]`, where family
# is ipv4 or ipv6 for series with that label. Set warmup = 0: only the network sees those rounds.
compare_counts() {
	local status=0
	awk -v group="$2" -v stats="$SIMNET_STATS" -v map="$3" '
		function label(name,    from, rest) {
			from = index($0, name "=\"")
			if (from == 0) return ""
			rest = substr($0, from + length(name) + 2)
			return substr(rest, 1, index(rest, "\"") - 1)
		}
		function number(key,    i) {
			for (i = 2; i <= NF; i++)
				if (index($i, key "=") == 1) return substr($i, length(key) + 2)
		}
		function check(what, peer, shown, seen) {
			if (shown == seen) return
			if (++wrong <= 20) print what " of " peer ": the network saw " seen \
				", nodecanary says " (shown == "" ? "nothing" : shown)
		}
		FILENAME == stats { asked[$1] = number("requests"); sent[$1] = number("replies"); next }
		FILENAME == map && NF > 0 { address[$1 "/" $3] = $2; peers++ }
		FILENAME == map { next }
		/^nodecanary_(requests|replies)_total[{]/ && label("group") == group {
			key = label("peer") "/" label("family")
			if ($1 ~ /^nodecanary_requests/) requests[key] = $NF; else replies[key] = $NF
		}
		END {
			for (key in address) {
				check("requests", key, requests[key], asked[address[key]] + 0)
				check("replies", key, replies[key], sent[address[key]] + 0)
			}
			print peers + 0 " peers compared, " wrong + 0 " numbers wrong"
			exit peers == 0 || wrong > 0
		}' "$SIMNET_STATS" "$3" "$1" >"$TEST_TMP/compare_counts.log" || status=$?
	[ "$status" -eq 0 ] ||
		fail "nodecanary and the network count differently; $(_show "$TEST_TMP/compare_counts.log")"
}

# --- many peers ---

# add_peers INI MAP PREFIX NETWORK COUNT: appends the peers PREFIX1, PREFIX2 ... to the file INI
# and, for compare_counts, to MAP. NETWORK is as 10.1 (then 10.1.0.1, 10.1.0.2 ...) or as fd00:1::.
add_peers() {
	awk -v map="$2" -v prefix="$3" -v net="$4" -v count="$5" 'BEGIN {
		for (i = 1; i <= count; i++) {
			if (net ~ /:/) address = sprintf("%s%x", net, i)
			else address = sprintf("%s.%d.%d", net, int(i / 256), i % 256)
			print prefix i " = " address
			print prefix i, address >>map
		}
	}' >>"$1"
}

# sum FILE METRIC: over all its series.
sum() {
	awk -v name="$2" '
		/^#/ { next }
		substr($1, 1, length(name)) == name && substr($1, length(name) + 1) ~ /^([{]|$)/ {
			total += $NF
		}
		END { printf "%.17g\n", total }' "$1"
}

# series_count FILE REGEX (extended): lines that begin so.
series_count() { grep -Ec -e "^$2" "$1" || true; }

# --- the program in mid-run ---

NC_PID=

# nc_start ARGUMENT...: as run_nc, in the background.
nc_start() {
	# shellcheck disable=SC2086 # a command and its arguments
	${NC_WRAP:-} "$NC" "$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" &
	NC_PID=$!
}

_nc_ended() {
	local stat
	{ read -r stat <"/proc/$NC_PID/stat"; } 2>/dev/null || return 0
	[[ $stat = *') Z '* ]]
}

# nc_end CODE SECONDS: it ends within that time, with that status.
nc_end() {
	local status=0
	wait_until "$2" _nc_ended
	wait "$NC_PID" || status=$?
	[ "$status" -eq "$1" ] ||
		fail "exit status: expected $1, actual $status; $(_show "$TEST_TMP/err")"
}

# packets tx|rx [DEVICE]: that went to the simulated network, or came from it. Cheap, so also good
# in the middle of a measurement.
packets() {
	_count_packets "$@"
	echo "$_packets"
}

# packets_reach tx|rx N [DEVICE]
packets_reach() {
	_count_packets "$1" "${3-}"
	[ "$_packets" -ge "$2" ]
}

# Sets _packets. It starts no process, since wait_until calls it many times.
_count_packets() {
	local columns
	while read -ra columns; do
		[ "${columns[0]}" = "${2:-sim0}:" ] || continue
		if [ "$1" = rx ]; then _packets=${columns[2]}; else _packets=${columns[10]}; fi
	done </proc/net/dev
}

# --- published files ---

# nothing_beside FILE...: their directory holds nothing else, no dot-file above all.
nothing_beside() {
	local expected
	expected=$(printf '%s\n' "${@##*/}" | sort)
	assert_eq "$expected" "$(find "${1%/*}" -mindepth 1 -printf '%f\n' | sort)" "files of ${1%/*}"
}

# as_user UID COMMAND...: without any capability.
as_user() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# without_raw_sockets COMMAND...: as root, who may not open them.
without_raw_sockets() {
	setpriv --inh-caps=-net_raw --bounding-set=-net_raw "$@"
}

# is_sanitized: the program under test is built so. No memory limit holds then, and no preloading.
is_sanitized() {
	grep -q -e __asan_init -e __ubsan_ -e __tsan_init "$NC"
}

# --- names (tests/tools/dnsd) ---

# dns_start: names are looked up in $TEST_TMP/hosts and at a server of ours alone, whose zone is
# standard input; dns_zone gives it another one. $TEST_TMP/dns.log has a line `NAME TYPE` a query.
dns_start() {
	local file
	[ -x "$TOOLS/dnsd" ] || fail "$TOOLS/dnsd is not built"
	for file in resolv.conf nsswitch.conf hosts; do
		[ -f "/etc/$file" ] || skip "/etc/$file is not there to be covered"
	done
	echo 'nameserver 127.0.0.1' >"$TEST_TMP/resolv.conf"
	echo 'hosts: files dns' >"$TEST_TMP/nsswitch.conf"
	printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$TEST_TMP/hosts"
	for file in resolv.conf nsswitch.conf hosts; do
		mount --bind "$TEST_TMP/$file" "/etc/$file"
	done
	cat >"$TEST_TMP/zone"
	: >"$TEST_TMP/dns.log"
	"$TOOLS/dnsd" -z "$TEST_TMP/zone" -r "$TEST_TMP/dns.ready" -l "$TEST_TMP/dns.log" \
		2>"$TEST_TMP/dns.err" &
	DNS_PID=$!
	DNS_ZONES=1
	wait_until 10 _dns_has_read
}

dns_zone() {
	cat >"$TEST_TMP/zone"
	DNS_ZONES=$((DNS_ZONES + 1))
	kill -HUP "$DNS_PID"
	wait_until 10 _dns_has_read
}

_dns_has_read() { [ "$(cat "$TEST_TMP/dns.ready")" = "$DNS_ZONES" ]; }

# dns_queries [NAME]: how many there have been since the last dns_forget.
dns_queries() { awk -v name="${1:-}" 'name == "" || $1 == name' "$TEST_TMP/dns.log" | wc -l; }

dns_forget() { : >"$TEST_TMP/dns.log"; }
