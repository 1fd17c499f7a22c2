#!/bin/bash
# systemd accepts the units, which start nothing here.
#
#     tests/packaging/systemd.sh

# Functions are called through `check`.
# shellcheck source=tests/packaging/lib.sh disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$TOP" || exit 1
need_tools systemd-analyze systemd-sysusers

service=systemd/nodecanary.service
timer=systemd/nodecanary.timer

# silent COMMAND...: it succeeds and says nothing, not even a warning.
silent() {
	"$@" >"$TMP/said" 2>&1 || fail "status $? of $*: $(cat "$TMP/said")"
	equal "output of $*" "" "$(cat "$TMP/said")"
}

# In a root directory of its own, where the program exists and the units are these alone, with what
# they refer to.
verify() {
	local units=$TMP/root/etc/systemd/system unit
	mkdir -p "$units" "$TMP/root/usr/sbin"
	cp "$service" "$timer" "$units"
	for unit in sysinit basic shutdown timers network nss-lookup time-set time-sync; do
		echo '[Unit]' >"$units/$unit.target"
	done
	echo '[Unit]' >"$units/system.slice"
	printf '[Mount]\nWhat=none\nWhere=/\n' >"$units/-.mount"
	printf '[Mount]\nWhat=none\nWhere=/tmp\n' >"$units/tmp.mount"
	echo '[Slice]' >"$units/-.slice"
	printf '#!/bin/sh\n' >"$TMP/root/usr/sbin/nodecanary"
	chmod 755 "$TMP/root/usr/sbin/nodecanary"
	silent systemd-analyze verify --man=no --root="$TMP/root" nodecanary.service nodecanary.timer
}

verify_finds_mistakes() {
	verify
	echo 'ProtectSytem=strict' >>"$TMP/root/etc/systemd/system/nodecanary.service"
	! (silent systemd-analyze verify --man=no --root="$TMP/root" nodecanary.service) ||
		fail "a key that does not exist is not found"
}

# The pages that they name are those that there are.
documentation() {
	local page
	sed -n 's/^Documentation=//p' "$service" "$timer" | tr ' ' '\n' >"$TMP/pages"
	[ -s "$TMP/pages" ] || fail "no documentation is named"
	while read -r page; do
		[[ $page =~ ^man:(.*)\(([58])\)$ ]] || fail "$page: expected a manual page"
		[ -f "packaging/man/${BASH_REMATCH[1]}.${BASH_REMATCH[2]}" ] || fail "$page: there is none"
	done <"$TMP/pages"
}

# PID 1 sets a mount namespace up by copying all mounts of the machine: systemd.exec(5), "Sandboxing".
no_mount_namespace() {
	! grep -nE '^(Protect(System|Home|Proc|Clock|ControlGroups|Hostname|Kernel[A-Za-z]+)|ProcSubset|Private[A-Za-z]+|(ReadWrite|ReadOnly|Inaccessible|Exec|NoExec|Bind[A-Za-z]*)Paths|TemporaryFileSystem|MountFlags|MountAPIVFS|Root[A-Za-z]+|DynamicUser|Load[A-Za-z]*Credential[A-Za-z]*)=' \
		"$service" || fail "this costs a start far more than the run itself"
}

# With all of it in place, systemd still has nothing to say.
drop_in_example() {
	mkdir -p "$TMP/root/etc/systemd/system/nodecanary.service.d"
	cp systemd/mount-sandbox.conf "$TMP/root/etc/systemd/system/nodecanary.service.d"
	verify
	has systemd/mount-sandbox.conf ProtectSystem=strict NoExecPaths=/ ProtectHome=yes
}

# has FILE LINE...
has() {
	local file=$1 line
	shift
	for line; do grep -qxF -e "$line" "$file" || fail "$file: expected the line $line"; done
}

# milliseconds FILE KEY: of a value such as 14s or 100ms.
milliseconds() {
	local value
	value=$(sed -n "s/^$2=//p" "$1")
	case $value in
	*[!0-9]ms | '') fail "$1: $2=$value" ;;
	*ms) echo "${value%ms}" ;;
	*s) echo $((${value%s} * 1000)) ;;
	*) fail "$1: $2=$value" ;;
	esac
}

privilege() {
	has "$service" Type=oneshot User=nodecanary StateDirectory=nodecanary NoNewPrivileges=yes \
		AmbientCapabilities=CAP_NET_RAW CapabilityBoundingSet=CAP_NET_RAW \
		'ExecStart=/usr/sbin/nodecanary -o /var/lib/nodecanary/nodecanary.prom'
}

# Nothing enables or starts the service but the timer.
timer_alone() {
	! grep -n '^\[Install\]' "$service" || fail "the service can be enabled"
	has "$timer" WantedBy=timers.target
}

spelling() {
	has "$timer" 'OnCalendar=*:*:0/15' RandomizedDelaySec=14s FixedRandomDelay=yes AccuracySec=100ms
	equal "triggers" 1 "$(grep -c '^On' "$timer")"
}

calendar() {
	systemd-analyze calendar --iterations=5 --base-time='2026-01-01 00:00:01 UTC' \
		"$(sed -n 's/^OnCalendar=//p' "$timer")" >"$TMP/calendar"
	equal "starts" '00:15 00:30 00:45 01:00 01:15' \
		"$(grep 'UTC$' "$TMP/calendar" | grep -oE '[0-9]{2}:[0-9]{2} UTC' | cut -d ' ' -f 1 | sort -u | xargs)"
}

delays() {
	local sum
	sum=$(($(milliseconds "$timer" RandomizedDelaySec) + $(milliseconds "$timer" AccuracySec)))
	[ "$sum" -lt 15000 ] || fail "delay and accuracy: expected less than 15000 ms, actual $sum"
}

# The deadline, and a round that begins just before it; then time for SIGTERM.
timeouts() {
	local start stop
	start=$(milliseconds "$service" TimeoutStartSec)
	stop=$(milliseconds "$service" TimeoutStopSec)
	[ "$start" -gt 11000 ] || fail "TimeoutStartSec: expected more than 11000 ms, actual $start"
	[ $((start + stop)) -le 15000 ] || fail "expected at most 15000 ms, actual $start and $stop"
}

dry_run() {
	mkdir -p "$TMP/users/etc"
	systemd-sysusers --dry-run --root="$TMP/users" "$TOP/systemd/nodecanary.sysusers" >"$TMP/said" 2>&1
	grep -q "^Creating user 'nodecanary'" "$TMP/said" || fail "$(cat "$TMP/said")"
	[ ! -e "$TMP/users/etc/passwd" ] || fail "it was created"
}

account() {
	local user=nodecanary id='[1-9][0-9]{0,2}'
	mkdir -p "$TMP/account/etc"
	[ "$(id -u)" -eq 0 ] || skip "not root"
	systemd-sysusers --root="$TMP/account" "$TOP/systemd/nodecanary.sysusers"
	grep -E "^$user:[^:]*:$id:$id:[^:]*:/var/lib/nodecanary:/usr/sbin/nologin$" "$TMP/account/etc/passwd"
	grep "^$user:!" "$TMP/account/etc/shadow"
}

# Nothing in it is active, and what it would set has the form of sysctl.d(5).
sysctl_example() {
	local file=systemd/60-nodecanary-sysctl.conf
	! grep -nvE '^(#.*)?$' "$file" || fail "it sets something"
	[ "$(grep -cE '^#net\.[a-z0-9_.]+ = [0-9]+$' "$file")" -ge 8 ] || fail "it shows nothing"
	! grep -nE '^#[^ ]' "$file" | grep -vE '[0-9]+:#net\.[a-z0-9_.]+ = [0-9]+$' || fail "no setting"
}

check "systemd-analyze verify has nothing to say" verify
check "and has where there is a mistake" verify_finds_mistakes
check "the units name manual pages that exist" documentation
check "the service needs no mount namespace" no_mount_namespace
check "the example of a drop-in adds one, and systemd has nothing to say" drop_in_example
check "the service has the privilege that it needs, and a directory of its own" privilege
check "the service starts with its timer and nothing else" timer_alone
check "the timer is spelled as it was measured" spelling
check "it means every 15 seconds" calendar
check "delay and accuracy together stay below the interval" delays
check "a run of the longest default duration fits the timeouts, and these the interval" timeouts
check "a dry run of systemd-sysusers creates the user" dry_run
check "the account is that of a system user, and locked" account
check "the sysctl example changes nothing as it is" sysctl_example
finish
