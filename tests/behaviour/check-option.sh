#!/bin/bash
# `-C` says what a run would amount to, and refuses what makes no sense.
# alone: it measures time

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

FILE=$TEST_TMP/x.prom

# write_ini LINE...: this node is the peer `me`, if there is one.
write_ini() {
	local self=
	case " $* " in *' me = '*) self='self = me' ;; esac
	printf '%s\n' '[collector]' "$self" '[probe]' "$@" >"$TEST_TMP/x.ini"
}

# check CODE: the summary is in $TEST_TMP/out.
check() { run_nc "$1" -C -c "$TEST_TMP/x.ini"; }

# summary REGEX: the last line.
summary() {
	tail -n 1 "$TEST_TMP/out" >"$TEST_TMP/summary"
	assert_file_contains "$TEST_TMP/summary" "$1"
}

estimate() { sed -n 's/.* \([0-9]*\) series on this node$/\1/p' "$TEST_TMP/out"; }

# estimate_holds [SPARE]: a numeric fleet that answers has exactly so many series, but for two errors
# and a trace (two series) that each peer might have had, or at most SPARE fewer.
estimate_holds() {
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	check 0
	series=$(($(grep -vc '^#' "$FILE") + 4 * $(grep -c '^nodecanary_peer_up' "$FILE")))
	assert_between "$series" "$(estimate)" $((series + ${1:-0})) "series"
}

quick=('warmup = 0' 'interval = 1ms' 'timeout = 200ms')

behaviour "it names files, groups, peers, packets and the time that a run takes at most"
mkdir "$TEST_TMP/x.ini.d"
printf '[peers g]\nb = 127.1.0.9\n' >"$TEST_TMP/x.ini.d/g.ini"
write_ini 'count = 5' 'warmup = 1' 'interval = 200ms' 'timeout = 1s' 'spacing = 0s' '[probe g]' \
	'timeout = 100ms' '[peers]' 'me = 127.1.0.1' 'a = 127.1.0.2' 'b = 127.1.0.3'
check 0
assert_eq "file $TEST_TMP/x.ini" "$(sed -n 1p "$TEST_TMP/out")"
assert_eq "file $TEST_TMP/x.ini.d/g.ini" "$(sed -n 2p "$TEST_TMP/out")"
assert_file_contains "$TEST_TMP/out" \
	'^group default: 3 peers, self me \(.self. names it\); 2 pinged, 72 packets per run, at most 8\.7 s, [0-9]+ series$'
assert_file_contains "$TEST_TMP/out" \
	'^group g: 1 peers, self not among them \(no peer has the name or an address of this host\); 1 pinged, 36 packets per run, at most 1\.7 s, '
summary '^2 groups, 4 peers, 78 packets per run, at most 8\.7 s, [0-9]+ series on this node$'
assert_eq 0 "$(stat -c %s "$TEST_TMP/err")" "bytes on standard error"
rm -r "$TEST_TMP/x.ini.d"

behaviour "it makes no file and needs no privilege"
write_ini "textfile = $FILE" '[peers]' 'me = 127.1.0.1' 'a = 127.1.0.2'
sed -i 's/^\[probe\]$//' "$TEST_TMP/x.ini"
check 0
[ ! -e "$FILE" ] || fail "there is a file"
if without_raw_sockets true 2>"$TEST_TMP/err"; then
	assert_exit 0 without_raw_sockets "$NC" -C -c "$TEST_TMP/x.ini"
fi

behaviour "an empty list of peers is valid"
write_ini '[peers]'
check 0
summary ' 0 peers, 0 packets per run, at most 0\.1 s, '

behaviour "names are neither looked up nor an error"
write_ini '[peers]' 'me = 127.1.0.1' 'nowhere.invalid ='
check 0
summary ' 2 peers, 36 packets per run, '

behaviour "where a lookup may make this node a member, it is estimated as one"
write_ini 'members_only = yes' '[collector]' 'trace = 0' '[peers]' 'a = 127.1.0.1' 'nowhere.invalid ='
check 0
summary ' 2 peers, 12 packets per run, '

behaviour "a run of which not all rounds fit the deadline is a warning"
write_ini 'count = 5' 'warmup = 1' 'timeout = 1s' '[collector]' 'deadline = 3s' '[peers]' \
	'me = 127.1.0.1' 'a = 127.1.0.2'
check 0
says 1 'group .default.: .* deadline = 3s'

behaviour "a run of which no measured round fits the deadline is an error"
write_ini 'count = 5' 'warmup = 4' 'timeout = 1s' '[collector]' 'deadline = 3s' '[peers]' \
	'me = 127.1.0.1' 'a = 127.1.0.2'
check 78
says 1 'group .default.: no measured round fits.*deadline = 3s'
write_ini 'count = 1' 'warmup = 0' '[collector]' 'deadline = 1s' 'resolve_timeout = 2s' '[peers]' \
	'me = 127.1.0.1' 'nowhere.invalid ='
check 78
says 1 'no measured round fits'

# fleet N: so many numeric peers.
fleet() {
	local i
	for ((i = 1; i <= $1; i++)); do echo "p$i = 127.1.$((i / 250)).$((i % 250 + 1))"; done
}

behaviour "more than 10,000 series on a node are a warning that says what helps"
write_ini '[peers]' 'me = 127.2.0.1'
fleet 370 >>"$TEST_TMP/x.ini"
check 0
assert_le 10001 "$(estimate)" series
assert_file_contains "$TEST_TMP/err" 'series on this node: .*histogram = group or off'
write_ini 'histogram = group' '[peers]' 'me = 127.2.0.1'
fleet 370 >>"$TEST_TMP/x.ini"
check 0
assert_not_contains "$TEST_TMP/err" 'series on this node: '

behaviour "more than a million series of a mesh are a warning"
write_ini 'histogram = group' '[peers]' 'me = 127.2.0.1'
fleet 200 >>"$TEST_TMP/x.ini"
check 0
assert_eq 0 "$(stat -c %s "$TEST_TMP/err")" "bytes on standard error with histogram = group"
write_ini '[peers]' 'me = 127.2.0.1'
fleet 250 >>"$TEST_TMP/x.ini"
check 0
assert_file_contains "$TEST_TMP/err" 'if every peer runs this configuration'

behaviour "the number of series is that of the file, for every kind of histogram"
for histogram in peer group off; do
	write_ini "${quick[@]}" 'count = 2' "histogram = $histogram" '[peers]' 'me = 127.1.0.1' \
		'a = 127.1.0.2' 'b = 127.1.0.3'
	estimate_holds
done

behaviour "the number of series is that of the file, for both families and several groups"
write_ini "${quick[@]}" 'count = 2' '[probe g]' 'family = both' 'histogram = group' '[peers]' \
	'me = 127.1.0.1' 'a = 127.1.0.2' '[peers g]' 'me = 127.1.0.3' 'b = 127.1.0.4, ::1'
estimate_holds

behaviour "the series of a member, and of a second round, are what it may be too high by"
write_ini "${quick[@]}" 'count = 2' '[peers]' 'a = 127.1.0.2'
estimate_holds 2
write_ini "${quick[@]}" 'count = 1' '[peers]' 'me = 127.1.0.1' 'a = 127.1.0.2'
estimate_holds 1

behaviour "the wait for names holds up groups without names, too"
write_ini 'count = 5' 'warmup = 1' 'timeout = 1s' 'spacing = 0s' '[probe names]' \
	'timeout = 100ms' '[peers]' 'a = 127.1.0.1' '[peers names]' 'nowhere.invalid ='
check 0
summary ' packets per run, at most 10\.1 s,'

behaviour "no run lasts longer than its deadline and one round"
write_ini 'count = 100' 'warmup = 0' 'timeout = 1s' 'spacing = 0s' '[collector]' 'deadline = 3s' \
	'[peers]' 'a = 127.1.0.1'
check 0
summary ' packets per run, at most 4\.1 s,'

# holds DEVICE: a run sends no more packets, and takes no longer, than -C said.
holds() {
	local before packets seconds
	check 0
	packets=$(sed -n '$s/.*, \([0-9]*\) packets per run.*/\1/p' "$TEST_TMP/out")
	seconds=$(sed -n '$s/.*packets per run, at most \([0-9.]*\) s.*/\1/p' "$TEST_TMP/out")
	rm -f "$FILE"
	for _ in 1 2 3; do
		before=$(packets tx)
		run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
		assert_le $(($(packets tx) - before)) "$packets" "packets"
		assert_le "$(value "$FILE" nodecanary_last_run_duration_seconds)" "$seconds" "seconds"
	done
}

simnet_start - <<'PLAN'
10.1.0.1-10.1.0.100 delay=1ms
10.1.1.1-10.1.1.100 silent
PLAN

# numbered N NETWORK: so many peers.
numbered() { for ((i = 1; i <= $1; i++)); do echo "n$i = $2.$i"; done; }

behaviour "packets and time include what roaming asks, unresponsive peers again"
for net in 10.1.0 10.1.1; do
	write_ini "${quick[@]}" 'count = 2' 'fanout = 2' 'roam = 20' '[collector]' 'trace = 0' '[peers]'
	numbered 80 $net >>"$TEST_TMP/x.ini"
	holds
done

behaviour "packets and time include the rounds with large packets"
write_ini "${quick[@]}" 'count = 2' 'mtu = 1400' 'mtu_every = 0s' '[peers]'
numbered 50 10.1.0 >>"$TEST_TMP/x.ini"
holds

behaviour "packets and time include the traces"
write_ini "${quick[@]}" 'count = 2' '[collector]' 'trace = 8' 'trace_every = 0s' '[peers]'
numbered 16 10.1.1 >>"$TEST_TMP/x.ini"
holds

done_testing
