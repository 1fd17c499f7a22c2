#!/bin/bash
# Other programs that ping the same 3,000 peers with the same idents never get or give a reply that
# is not theirs.
# reply-matching.sh has fping to other addresses; two runs at once and a run beside -C are in
# one-run-at-a-time.sh.
# time-limit: 150
# alone: replies must come in their time
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip nft fping oping

peers=1500 # of each family

# A third each answers, is unresponsive, and answers every second request: so what is answered to one program
# is lost to another.
awk -v n=$peers 'BEGIN {
	for (i = 1; i <= n; i++) {
		if (i % 3 == 2) continue
		what = "delay=50ms" (i % 3 ? "" : " loss=50%")
		printf "10.1.%d.%d %s\n", int(i / 256), i % 256, what
		printf "fd00:1::%x %s\n", i, what
	}
}' >plan
cat >head.ini <<'INI'
[collector]
deadline = 20s
trace = 0
[probe]
count = 3
warmup = 0
timeout = 3s
histogram = off
INI
printf '[peers]\n' >peers.ini
add_peers peers.ini x.map a 10.1 $peers
add_peers peers.ini x.map b fd00:1:: $peers
awk '{ print $2 }' x.map >addresses
# By its length the kernel tells whose a packet is: requests and replies are equally long.
cat head.ini - peers.ini <<<'size = 72' >one.ini
cat head.ini - peers.ini <<<'size = 88' >two.ini

# The kernel's own count of echo requests and replies: by address, for packets of one.ini and two.ini.
count_packets() {
	local name size
	{
		echo 'table inet company {'
		for name in one two; do
			size=$([ $name = one ] && echo 72 || echo 88)
			for set in out4_$name in4_$name; do
				echo "set $set { type ipv4_addr; size 4096; flags dynamic; counter; }"
			done
			for set in out6_$name in6_$name; do
				echo "set $set { type ipv6_addr; size 4096; flags dynamic; counter; }"
			done
			cat <<NFT
chain output_$name {
    type filter hook output priority 0
    icmp type echo-request ip length $((size + 28)) update @out4_$name { ip daddr }
    icmpv6 type echo-request ip6 length $((size + 8)) update @out6_$name { ip6 daddr }
}
chain input_$name {
    type filter hook input priority 0
    icmp type echo-reply ip length $((size + 28)) update @in4_$name { ip saddr }
    icmpv6 type echo-reply ip6 length $((size + 8)) update @in6_$name { ip6 saddr }
}
NFT
		done
		echo '}'
	} >company.nft
	nft delete table inet company 2>/dev/null || true
	nft -f company.nft 2>nft.err || skip "no nft sets that count: $(head -n 1 nft.err)"
}

# counted NAME: what the kernel counted of NAME's packets, in the form of the simulated network.
counted() {
	local family way
	for way in out in; do
		for family in 4 6; do
			nft list set inet company ${way}${family}_"$1"
		done | grep -oE '[0-9a-f.:]+ counter packets [0-9]+' | awk -v way=$way '{ print way, $1, $4 }'
	done | awk '
		$1 == "out" { requests[$2] = $3 }
		$1 == "in" { replies[$2] = $3 }
		END { for (a in requests) print a, "requests=" requests[a], "replies=" replies[a] + 0 }'
}

# Names end in their number: those that are 2 modulo 3 are unresponsive, those that are 1 are not.
wrong_gauges() {
	awk -v peers=$((2 * peers)) '
		/^nodecanary_peer_up[{]/ {
			n++
			match($1, /[0-9]+"[}]$/)
			rest = substr($1, RSTART, RLENGTH - 2) % 3
			if (rest == 1 && $NF != 1 || rest == 2 && $NF != 0) print
		}
		END { if (n != peers) print n + 0, "gauges instead of", peers }' "$1" | head -n 5
}

# together NAME COMMAND...: the run NAME.ini, in the background.
together() {
	rm -f "$1.prom"
	"${@:2}" "$NC" -c "$1.ini" -o "$TEST_TMP/$1.prom" >"$1.out" 2>"$1.err" &
}

# right NAME: that run has ended well, and believes what the kernel counted for it.
right() {
	assert_eq "" "$(cat "$1.err")" "messages of $1"
	assert_eq "" "$(wrong_gauges "$1.prom")" "wrong gauges of $1"
	counted "$1" >"$1.counts"
	SIMNET_STATS=$TEST_TMP/$1.counts compare_counts "$1.prom" default x.map
	assert_eq $((2 * peers * 3)) "$(sum "$1.prom" nodecanary_requests_total)" "requests of $1"
	assert_between $((2 * peers + 1)) "$(sum "$1.prom" nodecanary_replies_total)" \
		$((2 * peers * 2 - 1)) "replies to $1"
}

# A sanitizer does not let anything be preloaded: there the idents are those of chance.
same=(env)
if ! is_sanitized; then same=(env LD_PRELOAD="$TOOLS/idents_shim.so"); fi

behaviour "beside another run, oping and fping to the same 3,000 peers, with the same idents, every reply is credited to whom it was sent"
# A busy machine may discard a round, whose requests are counted by the kernel only: then it is tried again.
for _ in 1 2 3; do
	count_packets
	simnet_start plan
	before=$(packets tx)
	fping -q -C 5 -i 0.1 -p 1000 -t 900 -f addresses >fping.out 2>&1 &
	fping=$!
	"${same[@]}" oping -c 5 -i 1 -w 0.9 -f addresses >oping.out 2>&1 &
	oping=$!
	# All of them are at it.
	wait_until 20 packets_reach tx $((before + 3000))
	together one "${same[@]}"
	one=$!
	together two "${same[@]}"
	two=$!
	wait $one || fail "one: exit status $?; $(_show one.err)"
	wait $two || fail "two: exit status $?; $(_show two.err)"
	wait $fping || true # some are unresponsive
	wait $oping || true
	simnet_stop
	discarded=$(($(sum one.prom nodecanary_discarded_rounds_total) + $(sum two.prom nodecanary_discarded_rounds_total)))
	if [ $discarded = 0 ]; then break; fi
done
assert_eq 0 "$discarded" "discarded rounds"
right one
right two
ours=$(($(sum one.prom nodecanary_requests_total) + $(sum two.prom nodecanary_requests_total)))
others=$(($(simnet_count total requests) - ours))
echo "$ours requests of two runs, $others of fping and oping"
assert_le $ours $others "requests of others"

done_testing
