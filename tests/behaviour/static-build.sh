#!/bin/bash
# The program linked with `make STATIC=1` works like the shared one.
# sandbox: no, it is about another program

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need readelf

is_sanitized && skip "a sanitizer wants its shared library"
dynamic=$NC
NC=${STATIC_NC:-$TOP/build/static/nodecanary}
[ -x "$NC" ] || skip "$NC has not been built"
FILE=$TEST_TMP/x.prom

# without_values FILE: what is not measured anew in each run.
without_values() { sed -E '/^#/!s/ [^ ]*$//; /^# nodecanary-state/d' "$1"; }

behaviour "it needs no shared library and no dynamic linker, and is hardened"
readelf -lW "$NC" >"$TEST_TMP/segments"
assert_not_contains "$TEST_TMP/segments" 'INTERP'
assert_file_contains "$TEST_TMP/segments" 'GNU_RELRO'
readelf -hdW "$NC" >"$TEST_TMP/dynamic"
assert_not_contains "$TEST_TMP/dynamic" 'NEEDED'
assert_file_contains "$TEST_TMP/dynamic" 'Type: *DYN'
assert_file_contains "$TEST_TMP/dynamic" 'BIND_NOW'

behaviour "9 peers need at most 1.1 MB, with musl 0.45 MB"
{
	echo '[peers]'
	for i in 1 2 3 4 5 6 7 8 9; do echo "worker$i = 127.0.0.$i"; done
} >"$TEST_TMP/x.ini"
nine=$(median_kilobytes "$FILE" -c "$TEST_TMP/x.ini")
echo "VmHWM at 9 peers: $nine kB"
assert_le "$nine" "${STATIC_LIMIT:-1126}" "kB"

behaviour "it publishes the series that the other one does, and each takes the other's counters over"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
without_values "$FILE" >"$TEST_TMP/static.series"
NC=$dynamic run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
without_values "$FILE" | diff "$TEST_TMP/static.series" -
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq 60 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="worker9"}')"

behaviour "it finds names in /etc/hosts and in DNS"
dns_start <<'ZONE'
worker.test A 127.5.0.1
worker.test AAAA ::1
ZONE
echo '127.5.0.2 local.test' >"$TEST_TMP/hosts"
mount --bind "$TEST_TMP/hosts" /etc/hosts
printf '%s\n' '[probe]' 'family = both' '[peers]' 'worker.test =' '[peers local]' \
	'local.test =' '[probe local]' 'family = ipv4' >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq 3 "$(grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE")" "names that were found"
assert_eq 3 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$FILE")" "peers that answered"
done_testing
