#!/bin/bash
# With the firewall rules of nodecanary(8) the pings of a node are not in its table of connections.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft

printf '%s\n' '[probe]' 'count = 2' 'warmup = 0' 'interval = 10ms' 'timeout = 250ms' '[peers]' >x.ini
add_peers x.ini x.map four 10.1 20
add_peers x.ini x.map six fd00:1:: 20
connections() { cat /proc/sys/net/netfilter/nf_conntrack_count; }

# A firewall that accepts nothing but replies to what it knows.
nft -f - <<'NFT' || skip "the kernel has no connection tracking"
table inet firewall {
	chain input {
		type filter hook input priority filter + 1; policy drop;
		ct state established,related,untracked accept
	}
}
NFT
simnet_start - <<'PLAN'
10.1.0.1-10.1.0.20 delay=1ms
fd00:1::1-fd00:1::14 delay=1ms
PLAN

behaviour "without the rules each peer is in the table"
run_nc 0 -c x.ini -o "$TEST_TMP/x.prom"
assert_le 40 "$(connections)" "connections"
assert_eq 80 "$(sum x.prom nodecanary_replies_total)" "replies"

behaviour "with the rules none is, and all replies are accepted"
awk '/^table inet nodecanary/ { on = 1 } /^\.Ed/ { on = 0 } on' \
	"$TOP/packaging/man/nodecanary.8" >rules.nft
nft -f rules.nft
before=$(connections)
sed -i 's/10\.1\./10.2./g; s/fd00:1:/fd00:2:/g' x.ini simnet.plan
simnet_stop
simnet_start simnet.plan
run_nc 0 -c x.ini -o "$TEST_TMP/y.prom"
assert_le "$(connections)" "$before" "connections"
assert_eq 80 "$(sum y.prom nodecanary_replies_total)" "replies"
simnet_stop

done_testing
