#!/bin/bash
# With a liboping that waits, sends or receives by other calls than this program replaces, a run
# fails within seconds and names the call.
# time-limit: 300
# sanitizers: no, a sanitized program takes no other liboping

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

library=$(ldd "$NC" | awk '$1 == "liboping.so.0" { print $3 }')
[ -e "$library" ] || skip "the program has no shared liboping"

ip link set lo up
cat >x.ini <<'INI'
[probe]
count = 2
warmup = 0
interval = 10ms
timeout = 200ms
[peers]
self4 = 127.0.0.1
down4 = 127.9.9.9
INI
ip route add unreachable 127.9.9.9 table local

# with_renamed FUNCTION COMMAND...: with a liboping that calls it by the name of oping_shim.c.
# shellcheck disable=SC2317 # assert_exit calls it
with_renamed() {
	local renamed=z${1:1}
	rm -rf lib
	mkdir lib
	# Within the table of strings: of the same length, between two ends of strings.
	LC_ALL=C sed "s/\x00$1\x00/\x00$renamed\x00/" "$library" >lib/liboping.so.0
	cmp -s "$library" lib/liboping.so.0 && fail "liboping does not call $1()"
	LD_LIBRARY_PATH=$TEST_TMP/lib LD_PRELOAD=$TOOLS/oping_shim.so "${@:2}"
}

# refuses FUNCTION: the run fails soon, says why, and publishes no measurement.
refuses() {
	local before
	before=$(_uptime_cs)
	assert_exit 71 with_renamed "$1" "$NC" -c x.ini -o "$TEST_TMP/$1.prom"
	assert_le $(($(_uptime_cs) - before)) 500 "hundredths of a second"
	assert_eq "nodecanary: liboping does not call $1(), which this program replaces" "$(cat err)"
	assert_eq 0/0/0 "$(value "$1.prom" nodecanary_last_run_success)/$(
		sum "$1.prom" nodecanary_requests_total)/$(series_count "$1.prom" nodecanary_peer_up)" \
		"success/requests/series of peer_up"
}

behaviour "the liboping of this system does as the program needs"
run_nc 0 -c x.ini -o "$TEST_TMP/own.prom"
assert_eq 2 "$(value own.prom 'nodecanary_replies_total{group="default",peer="self4"}')"

behaviour "a liboping that waits in another call is refused"
refuses select

behaviour "a liboping that sends by another call is refused"
refuses sendto

behaviour "a liboping that receives by another call is refused, though the call never returns"
refuses recvmsg

behaviour "a liboping that waits for ever, and hears no signal, is refused"
export OPING_SHIM=deaf
refuses select
unset OPING_SHIM

done_testing
