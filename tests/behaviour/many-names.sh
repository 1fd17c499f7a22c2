#!/bin/bash
# More names than a run can look up: each has its turn, and what is known of the others stays.
# alone: it measures time
# time-limit: 300
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need mount

FILE=$TEST_TMP/textfiles/x.prom
mkdir textfiles

# write_ini PREFIX COUNT: these names, looked up again as soon as all have had their turn. A timeout of
# a second is half of the default, so this machine may be twice as slow.
write_ini() {
	printf '%s\n' '[collector]' "resolve_timeout = ${TIMEOUT:-1s}" 'resolve_every = 1ms' '[probe]' \
		'count = 1' 'warmup = 0' 'timeout = 2s' 'histogram = off' 'spacing = 0ms' '[peers]' >x.ini
	awk -v prefix="$1" -v count="$2" 'BEGIN { for (i = 1; i <= count; i++) print prefix i ".test =" }' >>x.ini
}

resolved() { grep -c '^nodecanary_peer_resolved{.*} 1$' "$FILE" || true; }
turn() { value "$FILE" nodecanary_last_resolve_timestamp_seconds; }

# converges COUNT RUNS: in so many runs at most all are resolved.
converges() {
	local run
	for ((run = 1; run <= $2; run++)); do
		"$NC" -c x.ini -o "$FILE" 2>err || fail "exit status $?; $(cat err)"
		[ "$(resolved)" -lt "$1" ] || return 0
	done
	fail "after $2 runs $(resolved) of $1 names are resolved"
}

# stays COUNT RUNS: no name is lost again while all are looked up anew.
stays() {
	local begin run turns=0 last
	last=$(turn)
	for ((run = 1; run <= $2; run++)); do
		"$NC" -c x.ini -o "$FILE" 2>err || fail "exit status $?; $(cat err)"
		begin=$(turn)
		[ "$begin" = "$last" ] || turns=$((turns + 1))
		last=$begin
		assert_le $(($1 - $(resolved))) 10 "names that are lost"
		assert_eq "$1" "$(grep -c '^nodecanary_peer_info{.*,address="127' "$FILE")" "addresses"
	done
	assert_le 1 "$turns" "turns of all names in $2 runs"
}

dns_start <<'ZONE'
slow[1-1000].test A 127.5.0.+
slow[1-1000].test delay=100ms
ZONE

behaviour "1,000 names at a server of 100 ms are all resolved after a few runs"
write_ini slow 1000
converges 1000 20

behaviour "and stay so while they are looked up again and again"
stays 1000 "$(as_many 20 10)"

HOSTS=$(as_many 5000 2000) # each lookup reads every line
behaviour "thousands of names of /etc/hosts are all resolved after a few runs"
awk -v count="$HOSTS" 'BEGIN { for (i = 1; i <= count; i++) printf "127.7.%d.%d host%d.test\n", i / 250, i % 250 + 1, i }' >>hosts
rm "$FILE"
write_ini host "$HOSTS"
converges "$HOSTS" 30

behaviour "and stay so, too"
stays "$HOSTS" "$(as_many 15 8)"
done_testing
