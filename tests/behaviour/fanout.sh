#!/bin/bash
# With `fanout = k` each node pings a few others, and all nodes agree who.
# time-limit: 240
# shellcheck disable=SC2119 # dns_queries without a name counts all

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need python3

# fleet N FANOUT: a list of N peers, of which the letters of some are large.
fleet() {
	local i
	printf '%s\n' '[collector]' 'fsync = no' '[probe]' "fanout = $2" 'histogram = off' 'count = 2' \
		'warmup = 0' 'interval = 1ms' 'timeout = 3s' '[peers]'
	for ((i = 1; i <= $1; i++)); do
		if ((i % 3)); then echo -n node; else echo -n Node; fi
		echo "$i.example = 127.$((i / 62500 + 1)).$((i / 250 % 250)).$((i % 250 + 1))"
	done
}

# shares: of lines "group observer peer", how many peers have how many observers.
shares() { cut -d' ' -f3 | sort | uniq -c | awk '{ n[$1]++ } END { for (i in n) print i, n[i] }' | sort -n; }

behaviour "an implementation of the description alone chooses the same, whatever the order of the list"
fleet 300 5 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -l --all
cut -d' ' -f2- "$TEST_TMP/out" | sort >"$TEST_TMP/pairs"
sed -n '/^\[peers\]/,$s/ = .*//p' "$TEST_TMP/x.ini" | "$TOP/tests/behaviour/rings.py" 5 | sort |
	diff - "$TEST_TMP/pairs"
{
	sed '/^\[peers\]/q' "$TEST_TMP/x.ini"
	sed '1,/^\[peers\]/d' "$TEST_TMP/x.ini" | tac
} >"$TEST_TMP/y.ini"
run_nc 0 -c "$TEST_TMP/y.ini" -l --all
cut -d' ' -f2- "$TEST_TMP/out" | sort | diff - "$TEST_TMP/pairs"

MANY=$(as_many 12000 3000) # choosing for all of them takes the square of it
behaviour "of thousands each pings 8, and each is pinged by 8 but for some 60 by one more or less"
fleet "$MANY" 8 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -l --all
assert_eq "8 $MANY" "$(awk '{ print $1, $3, $2 }' "$TEST_TMP/out" | shares)" "peers of each"
shares <"$TEST_TMP/out" | tee "$TEST_TMP/shares"
assert_eq "$MANY" "$(awk '{ n += $2 } END { print n }' "$TEST_TMP/shares")" "peers that are watched"
assert_between $((MANY - 200)) "$(awk '$1 == 8 { print $2 }' "$TEST_TMP/shares")" "$MANY" "peers watched by 8"

behaviour "of thousands everybody is reached from everybody, by way of others"
cut -d' ' -f2- "$TEST_TMP/out" | sort >"$TEST_TMP/pairs"
# reached FROM TO: columns of the pairs, the direction to go in.
reached() {
	awk -v from="$1" -v to="$2" '
		{ peers[$from] = peers[$from] " " $to }
		END {
			queue[n = 1] = $from
			seen[$from]
			for (head = 1; head <= n; head++) {
				count = split(peers[queue[head]], next_ones, " ")
				for (i = 1; i <= count; i++)
					if (!(next_ones[i] in seen)) {
						seen[next_ones[i]]
						queue[++n] = next_ones[i]
					}
			}
			print n
		}' "$TEST_TMP/pairs"
}
assert_eq "$MANY $MANY" "$(reached 1 2) $(reached 2 1)" "reached along the pairs, and against them"

behaviour "of thousands one that leaves changes some 16 pairs of others"
gone=node$((MANY / 2)).example
sed -i "/^$gone /Id" "$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -l --all
cut -d' ' -f2- "$TEST_TMP/out" | sort | comm -3 "$TEST_TMP/pairs" - |
	grep -viw -e "$gone" >"$TEST_TMP/changed"
assert_between 8 "$(wc -l <"$TEST_TMP/changed")" 40 "pairs"

behaviour "200 nodes, each by itself, ping whom the list of all says, and no other"
fleet 200 8 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -l --all
cut -d' ' -f2- "$TEST_TMP/out" | sort >"$TEST_TMP/expected"
sed '1,/^\[peers\]/d; s/ = .*//' "$TEST_TMP/x.ini" >"$TEST_TMP/names"
# shellcheck disable=SC2317 # xargs calls it
node() {
	mkdir "$1.d"
	printf '%s\n' '[collector]' "self = $1" >"$1.d/self.ini"
	"$NC" -c "$TEST_TMP/x.ini" -d "$1.d" -o "$PWD/$1.prom"
}
export -f node
export NC
mkdir "$TEST_TMP/nodes"
cd "$TEST_TMP/nodes" || exit 1
# shellcheck disable=SC2016 # the inner shell expands it
xargs -P 8 -I{} bash -c 'node "$1"' - {} <"$TEST_TMP/names" >"$TEST_TMP/out" 2>"$TEST_TMP/err"
silent
grep -H '^nodecanary_replies_total' ./*.prom |
	sed -E 's,^\./(.*)\.prom:.*peer="([^"]*)"\} 2$,\1 \2,' | sort | diff "$TEST_TMP/expected" -
assert_eq 1600 "$(wc -l <"$TEST_TMP/expected")" "pairs"
sed 's/^/default /' "$TEST_TMP/expected" | shares | tee "$TEST_TMP/shares"
assert_eq 200 "$(awk '$1 >= 5 { n += $2 } END { print n }' "$TEST_TMP/shares")" "peers watched"
# k(k-1)/2 successors are taken already on the average: each leaves one peer a observer short, and
# gives another one more.
assert_between 144 "$(awk '$1 == 8 { print $2 }' "$TEST_TMP/shares")" 200 "peers watched by 8"

behaviour "they agree on the list, and say how many watch each, and how many they leave to others"
assert_eq 1 "$(grep -h '^nodecanary_peer_list_hash' ./*.prom | sort -u | wc -l)" "hashes"
assert_eq 'nodecanary_group_observers{group="default"} 8' \
	"$(grep -h '^nodecanary_group_observers' ./*.prom | sort -u)" "observers"
assert_eq 191 "$(value node1.example.prom 'nodecanary_peers{group="default",state="unselected"}')"
assert_eq 8 "$(value node1.example.prom 'nodecanary_peers{group="default",state="probed"}')"
cd "$TEST_TMP" || exit 1

behaviour "of names only those are looked up that are pinged, and again only when it is time"
dns_start <<<'host[1-9] A 127.5.0.+'
{
	printf '%s\n' '[collector]' 'self = host1' '[probe]' 'fanout = 2' 'count = 1' 'warmup = 0' \
		'family = ipv4' 'timeout = 3s' '[peers]'
	for i in 1 2 3 4 5 6 7 8 9; do echo "host$i ="; done
} >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$TEST_TMP/names.prom"
silent
assert_eq 2 "$(grep -c '^nodecanary_peer_up{.*} 1$' "$TEST_TMP/names.prom")" "peers that answered"
assert_between 2 "$(dns_queries)" 3 "queries: two peers, and oneself"
: >"$TEST_TMP/dns.log"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$TEST_TMP/names.prom"
silent
assert_eq 0 "$(dns_queries)" "queries"
done_testing
