#!/bin/bash
# ICMP errors in any number never discard a round, and their peers are down.
# alone: replies must come in their time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip

{
	printf '%s\n' '[collector]' 'trace = 0' '[probe]' 'count = 5' 'warmup = 0' 'interval = 50ms' 'timeout = 250ms' '[peers]'
	add_peers /dev/stdout /dev/null unreachable 10.1 1000
} >all.ini
# Every tenth peer answers.
add_peers all.ini /dev/null up 10.2 100
sed '/^up/d' all.ini >errors.ini

# Without the right to exceed net.core.rmem_max: the buffer holds far fewer errors than arrive.
# shellcheck disable=SC2317 # assert_exit calls it
limited() { setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$NC" "$@"; }

simnet_start - <<'PLAN'
10.1.0.1-10.1.3.232 unreachable from=10.9.0.9
10.2.0.1-10.2.0.100 delay=5ms
PLAN

behaviour "with nothing but ICMP errors every round counts, as lost"
for run in 1 2 3 4; do
	assert_exit 0 limited -c errors.ini -o "$TEST_TMP/errors.prom"
	assert_eq 1 "$(wc -l <err)" "messages of run $run"
	assert_file_contains err 'an ICMP error: unreachable1 \(host_unreachable from 10.9.0.9\), .* and 9[0-9]* more$'
done
assert_eq 0 "$(sum errors.prom nodecanary_discarded_rounds_total)" "discarded rounds"
assert_eq 20000/0/0 "$(sum errors.prom nodecanary_requests_total)/$(
	sum errors.prom nodecanary_replies_total)/$(
	sum errors.prom nodecanary_unsent_total)" "requests/replies/unsent"

behaviour "peers that answer are up among a thousand ICMP errors"
assert_exit 0 limited -c all.ini -o "$TEST_TMP/all.prom"
assert_eq 0 "$(sum all.prom nodecanary_discarded_rounds_total)" "discarded rounds"
assert_eq 5500/500/0 "$(sum all.prom nodecanary_requests_total)/$(
	sum all.prom nodecanary_replies_total)/$(
	sum all.prom nodecanary_unsent_total)" "requests/replies/unsent"
simnet_stop

done_testing
