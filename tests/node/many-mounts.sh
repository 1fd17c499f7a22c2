#!/bin/bash
# On a node with 800 mounts no start of five minutes is lost, and the journal stays empty.
# check: no, it takes five minutes
# time-limit: 420
# nodes: 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a installed
node_boot a
configure a <<'INI'
[peers]
a = 127.0.0.2
b = 127.0.0.3
INI
# shellcheck disable=SC2016 # the inner shell expands it
on a sh -c 'for i in $(seq 800); do mkdir "/mnt/$i" && mount -t tmpfs -o size=64k none "/mnt/$i"; done'
assert_le 800 "$(on a grep -c . /proc/self/mountinfo)" "mounts"
stop_timer a
run_unit a

behaviour "every 15 seconds there is a run, twenty times"
before=$(runs a)
on a systemctl start nodecanary.timer
# A timer that missed runs makes up for one at once; the next one is the first in its own phase.
wait_until 60 runs_reach a $((before + 2))
first=$(runs a)
start=$(_uptime_cs)
wait_until 320 runs_reach a $((first + 20))
assert_between 29800 $(($(_uptime_cs) - start)) 30200 "hundredths of a second for twenty intervals"

behaviour "nothing is lost"
assert_eq 1 "$(metric a nodecanary_last_run_success)"
assert_eq "$(metric a 'nodecanary_requests_total{group="default",peer="b"}')" \
	"$(metric a 'nodecanary_replies_total{group="default",peer="b"}')" "replies"

behaviour "and the journal is empty"
stop_timer a
journal_is_empty a

done_testing
