#!/bin/bash
# A clock that jumps or is wrong, and a network that is not there yet at boot, do no harm.
# check: no, one booted node is enough there
# time-limit: 300
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a installed
node_new b
configure a <<'INI'
[collector]
resolve_every = 1h
[probe]
count = 5
interval = 200ms
[peers]
b = 10.77.0.2
named = named.test
INI
echo '10.77.0.22 named.test' >>"$(root_of a)/etc/hosts"
near b ip addr add 10.77.0.22/24 dev eth0
near b ip addr add 10.77.0.98/24 dev eth0
near b nft 'add table ip t; add chain ip t in { type filter hook input priority 0; };
	add rule ip t in ip daddr 10.77.0.98 drop'
count() { metric a "nodecanary_${1}_total{group=\"default\",peer=\"b\"}"; }
voided() { metric a "nodecanary_discarded_rounds_total{reason=\"clock_step\"}"; }

behaviour "the network is down at boot: runs take place, nothing counts as lost, and the unit is well"
node_network_down a
node_boot a
wait_until 45 has_run a
stop_timer a
assert_eq success "$(unit a Result)"
assert_eq 0 "$(count requests)" "requests"
assert_le 1 "$(count unsent)" "unsent"
absent "$(prom_of a)" 'nodecanary_loss_ratio{'
absent "$(prom_of a)" 'nodecanary_peer_up{'

behaviour "one warning a run says why, and no more"
journal a said
assert_eq 1 "$(wc -l <said)" "messages of one run"
assert_file_contains said '^[0-9]+ requests could not be sent: Network is unreachable; peers: '

behaviour "and the first run after it has come up measures"
node_network_up a
unsent=$(count unsent)
run_unit a
assert_eq 5 "$(count requests)" "requests"
assert_eq 5 "$(count replies)" "replies"
assert_eq "$unsent" "$(count unsent)" "unsent"

# A silent peer makes a round last its timeout, so nearly all the time one is under way.
printf '%s\n' '[probe silent]' 'interval = 1ms' 'timeout = 300ms' '[peers silent]' 'x = 10.77.0.98' \
	>"$(root_of a)$INI_D/silent.ini"
# A library of the test's that shifts the wall clock of the program alone.
cp "$TOOLS/clock_shim.so" "$(root_of a)/usr/lib/"
clock() {
	drop_in a nodecanary.service <<<"[Service]
Environment=LD_PRELOAD=/usr/lib/clock_shim.so $*"
}

for by in 3600000 -3600000; do
	behaviour "the clock jumps by $((by / 1000)) s in a run: its round is void, no loss is made up"
	requests=$(count requests) void=$(voided)
	clock CLOCK_SHIM_AT_MS=700 CLOCK_SHIM_BY_MS=$by
	run_unit a
	assert_le 1 $(($(voided) - void)) "void rounds"
	assert_between $((requests + 4)) "$(count requests)" $((requests + 5)) "requests"
	assert_eq "$(count requests)" "$(count replies)" "replies"
	assert_eq 1 "$(metric a nodecanary_last_run_success)"
done

behaviour "a clock that was a year ahead: the counters go on, and names are looked up again"
clock CLOCK_SHIM_STATIC_BY_MS=31536000000
run_unit a
counters a old
assert_le "$(date +%s)" "$(metric a nodecanary_last_run_timestamp_seconds)"
rm "$(root_of a)/etc/systemd/system/nodecanary.service.d/test.conf"
on a systemctl daemon-reload
run_unit a
counters a new
not_backwards old new
assert_le "$(metric a nodecanary_last_run_timestamp_seconds)" "$(date +%s).99" "end of the run"
assert_le "$(metric a nodecanary_last_resolve_timestamp_seconds)" "$(date +%s).99" "lookup"
assert_eq $(($(awk '$1 == "nodecanary_runs_total" { print $2 }' old) + 1)) "$(runs a)" "runs"

behaviour "none of this was worth another word in the journal"
journal a log
diff said log

done_testing
