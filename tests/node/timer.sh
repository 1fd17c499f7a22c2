#!/bin/bash
# Of ten nodes each has its own phase of the timer, and none loses a run in three minutes.
# time-limit: 600
# nodes: 11
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=180
nodes=(n{1..10})
for name in "${nodes[@]}"; do
	node_new "$name" installed
	configure "$name" <<'INI'
[collector]
skip_self = no
[probe]
count = 1
warmup = 0
[peers]
lo = 127.0.0.1
INI
	# When each run begins, told by the unit itself.
	mkdir -p "$(root_of "$name")/etc/systemd/system/nodecanary.service.d"
	cat >"$(root_of "$name")/etc/systemd/system/nodecanary.service.d/test.conf" <<'UNIT'
[Service]
ExecStartPre=+/bin/sh -c 'date +%%s.%%N >>/var/log/starts'
ExecPaths=/
UNIT
done
# The phase comes from the names of machine and timer: on one more machine forty copies of the timer
# under other names, with nothing to start but the note, make up for forty more machines.
node_new many installed
copies=(copy{1..40})
for name in "${copies[@]}"; do
	units=$(root_of many)/etc/systemd/system
	cp "$(root_of many)/lib/systemd/system/nodecanary.timer" "$units/$name.timer"
	printf '%s\n' '[Service]' Type=oneshot LogLevelMax=notice \
		"ExecStart=/bin/sh -c 'date +%%s.%%N >>/var/log/$name'" >"$units/$name.service"
	mkdir -p "$units/timers.target.wants"
	ln -s "../$name.timer" "$units/timers.target.wants/"
done
starts() { echo "$(root_of "$1")/var/log/starts"; }
copy_starts() { echo "$(root_of many)/var/log/$1"; }
node_boot "${nodes[@]}" many

behaviour "the first run begins within 30 seconds of the boot"
for name in "${nodes[@]}"; do wait_until 32 test -s "$(starts "$name")"; done
for name in "${copies[@]}"; do wait_until 32 test -s "$(copy_starts "$name")"; done

# regular FILE: from its first line on, three minutes without a gap.
regular() {
	awk -v seconds="$seconds" '
		NR == 1 { first = $1 }
		NR > 1 && $1 < first + seconds + 4 {
			gap = $1 - last
			if (gap < 13 || gap > 17) { print "a gap of " gap " s before start " NR; bad = 1 }
			n++
		}
		{ last = $1 }
		END { print n " further starts"; exit bad || n != seconds / 15 }' "$1" >gaps ||
		fail "$1; $(_show gaps)"
}

behaviour "in three minutes no machine loses a run: 15 seconds from each start to the next"
end=$(($(_uptime_cs) + seconds * 100))
wait_until $((seconds + 10)) uptime_reaches $((end + 400))
for name in "${nodes[@]}"; do regular "$(starts "$name")"; done

behaviour "nor does any of forty copies of the timer with phases of their own"
for name in "${copies[@]}"; do regular "$(copy_starts "$name")"; done

# all_measured NAME: of the starts so far, while the next one has not begun.
# shellcheck disable=SC2317 # wait_until calls it
all_measured() {
	local begun measured
	_is_idle "$1" || return
	begun=$(wc -l <"$(starts "$1")")
	measured=$(runs "$1")
	echo "$begun starts, $measured runs that measured"
	[ "$begun" = "$measured" ]
}

behaviour "each start was a run that measured"
for name in "${nodes[@]}"; do
	wait_until 10 all_measured "$name"
	journal_is_empty "$name"
done

behaviour "each has a phase of its own, and keeps it"
for name in "${nodes[@]}"; do
	awk '{ p = $1 % 15; d = (NR == 1) ? 0 : (p - first + 22.5) % 15 - 7.5
		if (NR == 1) first = p
		if (d > 2 || d < -2) { print "phase " p " after " first; bad = 1 } }
		END { exit bad }' "$(starts "$name")" >kept || fail "phase of $name; $(_show kept)"
	head -n 1 "$(starts "$name")" | awk '{ printf "%d\n", $1 % 15 }'
done | sort -u >phases
assert_le 5 "$(wc -l <phases)" "different phases, in whole seconds"

done_testing
