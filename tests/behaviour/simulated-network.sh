#!/bin/bash
# The simulated network does what its plan says, judged by fping: if it lies, no other test means
# anything.
#
#     fping -- 10.99.0.1, fd99::1 -- sim0 (TUN) -- simnet: 10.0.0.0/8, fd00::/8
#
# Upper limits of times are wide: they hold on a loaded machine. What simnet adds by itself is in
# late_mean_ns= of its totals.
# alone: replies must come in their time
# sandbox: no, the program takes no part

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need fping ip nft

# ask N ADDRESS [OPTION...]: N requests, one after the other; prints each one's time in ms, or `-`.
ask() {
	local n=$1 address=$2
	shift 2
	fping -q -C "$n" -p 20 -t 500 "$@" "$address" >"$TEST_TMP/fping.out" 2>&1 || true
	sed -n "s/^$address *: \(\([0-9.]\+\|-\)\( \|$\)\)/\1/p" "$TEST_TMP/fping.out"
}

# Each time as `+`, each loss as `-`: the pattern of what was answered.
pattern() { ask "$@" | sed 's/[0-9.]\+/+/g'; }

median() { tr ' ' '\n' | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

# counts ADDRESS: requests/replies/duplicates/other
counts() {
	local a=$1
	echo "$(simnet_count "$a" requests)/$(simnet_count "$a" replies)/$(
		simnet_count "$a" duplicates)/$(simnet_count "$a" other)"
}

# icmp_counter NAME: the kernel's own count, as InCsumErrors or InEchoReps.
icmp_counter() {
	awk -v name="$1" '
		$1 == "Icmp:" && column { print $column }
		$1 == "Icmp:" { for (i = 2; i <= NF; i++) if ($i == name) column = i }' /proc/net/snmp
}

simnet_start - -s 7 <<'PLAN'
# Lines for simulated-network.sh
10.1.0.1-10.1.11.184  delay=10ms            # 3,000 peers
10.2.0.1              delay=1ms
10.2.0.2              delay=10ms
10.2.0.3              delay=100ms
10.2.0.4
10.2.0.7              delay=5ms jitter=2ms
10.2.0.8              drop=1/5
10.2.0.9              loss=30%
10.2.0.10             dup=2
10.2.0.11             corrupt
10.2.0.12             wrong-ident
10.2.0.13             from=10.2.0.99
10.2.0.14             unreachable
10.2.0.15             silent
10.2.0.17             delay=100ms for=3 then delay=1ms for=2 then silent
10.2.0.18             ttl=60 also delay=0ms
10.2.0.19  foreign-copy=10.2.0.98 corrupt-copy wrong-ident-copy wrong-seq-copy wrong-payload-copy
10.2.0.20             wrong-seq
10.2.0.21             wrong-payload
10.2.0.22             delay=400ms
10.3.0.1-10.3.0.9     silent
10.3.0.5              delay=1ms             # a later line wins
fd00::1-fd00::1388    delay=10ms
fd00:2::8             drop=2/4
fd00:2::10            dup=1
fd00:2::12            wrong-ident
fd00:2::13            from=fd00:2::99
fd00:2::14            unreachable
PLAN

behaviour "a peer answers after its delay, and no sooner"
assert_between 1 "$(ask 15 10.2.0.1 | median)" 4 "median in ms"
assert_between 10 "$(ask 15 10.2.0.2 | median)" 13 "median in ms"
assert_between 100 "$(ask 5 10.2.0.3 -p 110 | median)" 103 "median in ms"
assert_between 0 "$(ask 15 10.2.0.4 | median)" 2 "median in ms"
for x in $(ask 10 10.2.0.2); do assert_le 10 "$x" "the delay of 10 ms"; done

behaviour "jitter stays in its bounds and varies"
times=$(ask 30 10.2.0.7)
for x in $times; do assert_le 3 "$x" "the least of 5 ms - 2 ms"; done
assert_between 4 "$(median <<<"$times")" 8 "median in ms"
assert_le 10 "$(tr ' ' '\n' <<<"$times" | sort -u | wc -l)" "different times"

behaviour "drop=1/5 leaves each fifth request without an answer"
assert_eq "+ + + + - + + + + - + +" "$(pattern 12 10.2.0.8 -t 15)"
simnet_stats
assert_eq 12/10/0/0 "$(counts 10.2.0.8)"

behaviour "random loss is near its rate"
first=$(pattern 100 10.2.0.9 -p 10 -t 8)
lost=${first//[^-]/}
assert_between 15 "${#lost}" 45 "of 100"

behaviour "extra copies of a reply are counted as duplicates"
before=$(icmp_counter InEchoReps)
assert_eq "+ + +" "$(pattern 3 10.2.0.10)"
simnet_stats
assert_eq 3/3/6/0 "$(counts 10.2.0.10)"
assert_eq $((before + 9)) "$(icmp_counter InEchoReps)" "echo replies that the kernel saw"

behaviour "wrong replies are not replies"
before=$(icmp_counter InCsumErrors)
ask 3 10.2.0.11 >/dev/null
assert_eq $((before + 3)) "$(icmp_counter InCsumErrors)" "bad checksums that the kernel saw"
assert_eq "-" "$(pattern 1 10.2.0.12 -t 50)" "another ident"
assert_eq "-" "$(pattern 1 10.2.0.20 -t 50)" "another sequence number"
ask 1 10.2.0.21 >/dev/null
fping -C 1 -t 50 10.2.0.13 >"$TEST_TMP/fping.out" 2>&1 || true
assert_file_contains "$TEST_TMP/fping.out" '<- 10\.2\.0\.99'
simnet_stats
assert_eq 3/0/0/3 "$(counts 10.2.0.11)"
for i in 12 13 20 21; do assert_eq 1/0/0/1 "$(counts 10.2.0.$i)" "counts of 10.2.0.$i"; done

behaviour "noise goes before the right reply and is not counted as one"
before=$(icmp_counter InCsumErrors)
ask 1 10.2.0.19 >/dev/null
simnet_stats
assert_eq 1/1/0/5 "$(counts 10.2.0.19)"
assert_eq $((before + 1)) "$(icmp_counter InCsumErrors)" "bad checksums that the kernel saw"

behaviour "an unreachable peer is reported as such"
assert_eq "-" "$(pattern 1 10.2.0.14 -t 50)"
fping -C 1 -t 50 10.2.0.14 >"$TEST_TMP/fping.out" 2>&1 || true
assert_file_contains "$TEST_TMP/fping.out" 'ICMP Host Unreachable from 10\.2\.0\.14 for ICMP Echo'
simnet_stats
assert_eq 2/0/0/2 "$(counts 10.2.0.14)"

behaviour "phases follow each other, counted in requests"
times=$(ask 7 10.2.0.17 -p 150 -t 140)
read -r a b c d e f g <<<"$times"
for x in "$a" "$b" "$c"; do assert_between 100 "$x" 140 "first phase"; done
for x in "$d" "$e"; do assert_between 1 "$x" 90 "second phase"; done
assert_eq "- -" "$f $g" "third phase"

behaviour "an address in no line is silent and counted, a silent one too"
assert_eq "- -" "$(pattern 2 10.77.0.1 -t 15)"
assert_eq "- -" "$(pattern 2 10.2.0.15 -t 15)"
simnet_stats
assert_eq 2/0/0/0 "$(counts 10.77.0.1)"
assert_eq 2/0/0/0 "$(counts 10.2.0.15)"
assert_not_contains "$SIMNET_STATS" '^10\.77\.0\.2 '

behaviour "a later line wins for the addresses that it names, and only for these"
assert_eq "+" "$(pattern 1 10.3.0.5)"
assert_eq "-" "$(pattern 1 10.3.0.4 -t 15)"

behaviour "the last request's size, marks and source are shown"
ip addr add 10.99.0.2/32 dev sim0
ask 1 10.2.0.4 -b 100 -O 0x28 -H 33 -S 10.99.0.2 >/dev/null
ask 1 fd00::1 -b 100 -H 33 >/dev/null
simnet_stats
for key in bytes=100 tos=40 ttl=33 src=10.99.0.2; do
	assert_eq "${key#*=}" "$(simnet_count 10.2.0.4 "${key%=*}")" "$key"
done
for key in bytes=100 tos=0 ttl=33 src=fd99::1; do
	assert_eq "${key#*=}" "$(simnet_count fd00::1 "${key%=*}")" "$key"
done

behaviour "replies have the TTL of the plan"
nft -f - <<'NFT'
table inet seen {
    counter sixty { }
    counter other { }
    chain in {
        type filter hook input priority 0
        ip saddr 10.2.0.18 ip ttl 60 counter name sixty
        ip saddr 10.2.0.18 ip ttl != 60 counter name other
    }
}
NFT
ask 2 10.2.0.18 >/dev/null
for name in sixty other; do nft list counter inet seen $name >"$TEST_TMP/$name"; done
assert_file_contains "$TEST_TMP/sixty" 'packets 2 '
assert_file_contains "$TEST_TMP/other" 'packets 0 '

behaviour "IPv6 peers behave alike"
assert_between 10 "$(ask 15 fd00::1388 | median)" 13 "median in ms"
assert_eq "+ + - - + +" "$(pattern 6 fd00:2::8 -t 15)"
assert_eq "-" "$(pattern 1 fd00:2::12 -t 50)"
for i in 10 13 14; do ask 1 fd00:2::$i -t 50 >/dev/null; done
simnet_stats
assert_eq 15/15/0/0 "$(counts fd00::1388)"
assert_eq 6/4/0/0 "$(counts fd00:2::8)"
assert_eq 1/1/1/0 "$(counts fd00:2::10)"
for i in 12 13 14; do assert_eq 1/0/0/1 "$(counts fd00:2::$i)" "counts of fd00:2::$i"; done

# burst NAME COUNT: one request to each of the addresses in the file, 10 us apart; all are answered.
burst() {
	local before after
	simnet_stats
	before=$(simnet_count total requests)
	fping -q -c 1 -i 0.01 -p 1000 -t 1000 <"$1" >"$TEST_TMP/fping.out" 2>&1 ||
		fail "$1: $(grep -c '= 1/0/' "$TEST_TMP/fping.out") without an answer"
	simnet_stats
	after=$(simnet_count total requests)
	assert_eq "$2" "$((after - before))" "requests seen"
	assert_eq 0/0 "$(simnet_count total lost_requests)/$(simnet_count total lost_replies)"
}

behaviour "a burst to 3,000 IPv4 and 5,000 IPv6 peers loses nothing"
for ((i = 1; i <= 3000; i++)); do echo "10.1.$((i / 256)).$((i % 256))"; done >"$TEST_TMP/ipv4"
for ((i = 1; i <= 5000; i++)); do printf 'fd00::%x\n' "$i"; done >"$TEST_TMP/ipv6"
burst "$TEST_TMP/ipv4" 3000
burst "$TEST_TMP/ipv6" 5000
assert_eq 3000 "$(grep -Ec '^10\.1\..* requests=1 replies=1 ' "$SIMNET_STATS")"

behaviour "the counts are sorted by family and number, and complete"
sed -n 's/^\(10\.[0-9.]*\) .*/\1/p' "$SIMNET_STATS" >"$TEST_TMP/shown"
sort -t. -k1,1n -k2,2n -k3,3n -k4,4n "$TEST_TMP/shown" | cmp - "$TEST_TMP/shown"
assert_eq 3000 "$(grep -c '^10\.1\.' "$TEST_TMP/shown")"
assert_eq 5000 "$(grep -c '^fd00::' "$SIMNET_STATS")"
assert_eq fd00:2::14 "$(awk 'END { print $1 }' "$SIMNET_STATS")" "the last line"

behaviour "answers that find the device down are lost and counted"
ask 1 10.2.0.22 -t 20 >/dev/null
ip link set sim0 down
# shellcheck disable=SC2317 # wait_until calls it
undelivered() { simnet_stats && [ "$(simnet_count total undelivered)" -eq 1 ]; }
wait_until 5 undelivered
ip link set sim0 up
ip route add 10.0.0.0/8 dev sim0
assert_eq "+" "$(pattern 1 10.2.0.4)" "afterwards"

behaviour "packets leave on time"
simnet_stop
assert_le "$(simnet_count total late_mean_ns)" 1000000 "mean delay beyond the plan's, in ns"

behaviour "the same seed loses the same requests, another one others"
echo "10.2.0.9 loss=30%" >"$TEST_TMP/plan"
simnet_start "$TEST_TMP/plan" -s 7
assert_eq "$first" "$(pattern 100 10.2.0.9 -p 10 -t 8)"
simnet_stop
simnet_start "$TEST_TMP/plan" -s 8
[ "$first" != "$(pattern 100 10.2.0.9 -p 10 -t 8)" ] || fail "seed 8 is like seed 7"
simnet_stop

behaviour "a mistake in the plan is reported with its line"
while IFS='|' read -r line message; do
	printf '# one\n%s\n' "$line" >"$TEST_TMP/plan"
	assert_exit 1 "$TOOLS/simnet" -i sim9 -p "$TEST_TMP/plan" -o "$TEST_TMP/stats"
	assert_file_contains "$TEST_TMP/err" "plan:2: $message"
done <<'LINES'
10.1.0|not an address: '10.1.0'
10.1.0.9-10.1.0.1|the range's end lies before its beginning
10.1.0.1-fd00::1|not an address of the same family
10.1.0.1 delay=5|unknown word or bad value: 'delay=5'
10.1.0.1 dealy=5ms|unknown word or bad value: 'dealy=5ms'
10.1.0.1 drop=6/5|unknown word or bad value
10.1.0.1 loss=101%|unknown word or bad value
10.1.0.1 from=fd00::1|unknown word or bad value
10.1.0.1 silent then delay=1ms|a phase before 'then' needs for=N
10.1.0.1 delay=1ms for=3|the last phase lasts
LINES

# refuses COMMAND...: an assertion of lib.sh that must fail.
refuses() {
	(
		_failed=$TEST_TMP/.refused
		"$@"
	) >/dev/null 4>&1 3>&1 && fail "$* did not fail"
	return 0
}

behaviour "the library reads metrics exactly and compares counts"
cat >"$SIMNET_STATS" <<'STATS'
# total requests=14 replies=7
10.0.0.1 requests=7 replies=7 duplicates=0 other=0
10.0.0.2 requests=7 replies=0 duplicates=0 other=0
STATS
cat >"$TEST_TMP/x.prom" <<'PROM'
# TYPE nodecanary_requests_total counter
nodecanary_requests_total{group="g",peer="a"} 7
nodecanary_requests_total{group="g",peer="a b"} 7
nodecanary_requests_total{group="h",peer="a"} 3
nodecanary_replies_total{group="g",peer="a"} 7
nodecanary_replies_total{group="g",peer="a b"} 0
PROM
printf 'a 10.0.0.1\n' >"$TEST_TMP/map"
assert_eq 3 "$(value "$TEST_TMP/x.prom" 'nodecanary_requests_total{group="h",peer="a"}')"
refuses value "$TEST_TMP/x.prom" 'nodecanary_requests_total{group="g",peer="b"}'
absent "$TEST_TMP/x.prom" 'nodecanary_peer_up{'
refuses absent "$TEST_TMP/x.prom" 'nodecanary_replies_total{'
compare_counts "$TEST_TMP/x.prom" g "$TEST_TMP/map"
refuses compare_counts "$TEST_TMP/x.prom" h "$TEST_TMP/map"
printf 'b 10.0.0.2\n' >>"$TEST_TMP/map"
refuses compare_counts "$TEST_TMP/x.prom" g "$TEST_TMP/map"
refuses assert_le nothing 1
refuses assert_between 1 2.5e3 2
assert_between 1 1.5 2e0

done_testing
