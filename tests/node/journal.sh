#!/bin/bash
# The unit says in the journal what is wrong, and nothing otherwise.
# time-limit: 360
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a installed
node_new b
node_boot a
stop_timer a
quick() {
	configure a <<INI
[probe]
count = 2
interval = 10ms
${1:-}
[peers]
b = 10.77.0.2
INI
}

behaviour "twenty runs in a row: all succeed, none is refused, the journal is empty"
quick
for _ in {1..20}; do run_unit a; done
assert_eq 20 "$(runs a)" "runs"
assert_eq 0 "$(on a systemctl is-failed nodecanary.service >/dev/null && echo 1 || echo 0)"
journal_is_empty a

behaviour "a broken configuration: the journal names file and line, as errors"
counters a old
quick 'cuont = 5'
! run_unit a 2>/dev/null || fail "the run succeeded"
on a journalctl --quiet --no-pager -o cat -p err -u nodecanary.service _COMM=nodecanary >errors
assert_file_contains errors "^$INI_D/test.ini:4: .*cuont"
assert_eq 1 "$(wc -l <errors)" "errors"

behaviour "the unit shows status=78/CONFIG"
on a systemctl status --no-pager nodecanary.service >shown || true
assert_file_contains shown 'status=78/CONFIG'
assert_eq exit-code "$(unit a Result)"

behaviour "the file says that the run failed, and keeps the counters"
assert_eq 0 "$(metric a nodecanary_last_run_success)"
counters a new
diff old new
absent "$(prom_of a)" nodecanary_peer_up
clean_metrics "$(prom_of a)"
wait_until 10 serves a 'nodecanary_last_run_success 0'

behaviour "once it is mended, the next run succeeds and says nothing"
quick
on a journalctl --quiet --rotate
on a journalctl --quiet --vacuum-time=1us >/dev/null 2>&1
run_unit a
assert_eq 1 "$(metric a nodecanary_last_run_success)"
assert_eq 21 "$(runs a)" "runs"
assert_eq inactive "$(unit a ActiveState)"
journal_is_empty a

behaviour "a failed run does not stop the timer"
quick 'cuont = 5'
on a systemctl start nodecanary.timer
wait_until 40 is_state a failed
quick
wait_until 40 runs_reach a 22
stop_timer a

behaviour "a run by root leaves nothing that the service cannot replace"
on a nodecanary
assert_eq 23 "$(runs a)" "runs"
run_unit a
assert_eq 24 "$(runs a)" "runs"
assert_eq 'nodecanary:nodecanary 644' "$(on a stat -c '%U:%G %a' "$PROM")"
assert_eq nodecanary.prom "$(on a ls -A /var/lib/nodecanary)"

behaviour "runs do not overlap: one by hand is told so, and the unit's own goes on"
configure a <<'INI'
[probe]
count = 30
[peers]
b = 10.77.0.2
INI
on a systemctl start --no-block nodecanary.service
wait_until 5 test -e "$(root_of a)/var/lib/nodecanary/.nodecanary.prom.new"
assert_exit 75 on a nodecanary
wait_until 20 _is_idle a
assert_eq success "$(unit a Result)"
assert_eq 25 "$(runs a)" "runs"

behaviour "a run that is far too long ends at the start timeout, and publishes what it has"
on a journalctl --quiet --rotate
on a journalctl --quiet --vacuum-time=1us >/dev/null 2>&1
configure a <<'INI'
[collector]
deadline = 1m
[probe]
count = 1000
interval = 50ms
[peers]
b = 10.77.0.2
INI
n=$(metric a 'nodecanary_requests_total{group="default",peer="b"}')
start=$(_uptime_cs)
on a systemctl start --no-block nodecanary.service
wait_until 5 is_state a activating
wait_until 20 is_state a failed
assert_between 1250 $(($(_uptime_cs) - start)) 1500 "hundredths of a second that it took"
assert_eq timeout "$(unit a Result)"
assert_le $((n + 100)) "$(metric a 'nodecanary_requests_total{group="default",peer="b"}')" "requests"
assert_eq 26 "$(runs a)" "runs"
journal a log
assert_file_contains log 'start operation timed out'

done_testing
