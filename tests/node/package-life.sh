#!/bin/bash
# The package installs, works, upgrades, is removed and purged on a node that has node_exporter.
# time-limit: 480
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a
node_new b # its network answers
node_boot a
apt_on a install prometheus-node-exporter

# Every path that could be left behind, but for logs, caches, and what dpkg keeps of packages.
paths() {
	on a find / -xdev \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /tmp -o -path /var/tmp -o -path /root \) -prune -o -print |
		sort
}
accounts() { on a sort /etc/passwd /etc/group /etc/shadow; }

paths >before.paths
accounts >before.accounts

behaviour "apt installs the package with what it depends on, and starts nothing but the timer"
install_deb a "$DEB"
assert_eq active "$(on a systemctl is-active nodecanary.timer)"
assert_eq enabled "$(on a systemctl is-enabled nodecanary.timer)"
assert_eq static "$(on a systemctl is-enabled nodecanary.service || true)"
if [ "$(timer a last)" -eq 0 ]; then
	assert_eq '' "$(unit a ExecMainStartTimestamp)" "time of a first run that no timer started"
fi
assert_file_contains a/apt 'Setting up nodecanary'
assert_not_contains a/apt '[Ff]ailed|[Ww]arning|nodecanary: '

behaviour "the user is a system user without login and without files of its own"
assert_eq nodecanary "$(on a id -gn nodecanary)"
assert_le "$(on a id -u nodecanary)" 999
on a getent passwd nodecanary | grep -q ':/usr/sbin/nologin$'

behaviour "node_exporter's directory has a link, and still belongs to root alone"
assert_eq "$PROM" "$(on a readlink "$TEXTFILES/nodecanary.prom")"
assert_eq 'root:root 755' "$(on a stat -c '%U:%G %a' "$TEXTFILES")"

behaviour "the configuration as shipped, without peers, is valid and silent"
on a nodecanary --check >check.out
wait_until 40 has_run a
assert_eq success "$(unit a Result)"
assert_eq 0 "$(unit a ExecMainStatus)"
journal_is_empty a
clean_metrics "$(prom_of a)"
wait_until 10 serves a 'node_textfile_scrape_error 0'

behaviour "a peer written into a drop-in is served by node_exporter within 20 seconds"
configure a <<'INI'
[peers]
b = 10.77.0.2 rack=r7
INI
wait_until 20 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'
grep -q '^nodecanary_peer_info{address="10.77.0.2",group="default",peer="b",rack="r7"} 1$' a/scrape
grep -q '^node_textfile_scrape_error 0$' a/scrape

behaviour "list-timers shows the last run and the next, a phase of this machine's own"
on a systemctl list-timers --no-pager >timers
assert_file_contains timers 'nodecanary\.timer +nodecanary\.service'
last=$(timer a last)
wait_until 20 has_started_since a "$last"
# same_phase TIME: as that of $last, both in microseconds.
same_phase() {
	assert_between -1500 $(((($1 - last) / 1000 % 15000 + 22500) % 15000 - 7500)) 1500 \
		"drift of the phase in ms"
}
same_phase "$(timer a last)"

behaviour "an upgrade keeps the counters and the configuration, and the timer goes on"
echo '; changed by the administrator' >>"$(root_of a)/etc/nodecanary/nodecanary.ini"
wait_until 20 runs_reach a 2
counters a old
deb_of_version next.deb 99.0-1
install_deb a next.deb
assert_eq 99.0-1 "$(on a dpkg-query -W -f "\${Version}" nodecanary)"
assert_file_contains "$(root_of a)/etc/nodecanary/nodecanary.ini" 'changed by the administrator'
assert_file_contains "$(root_of a)$INI_D/test.ini" '^b = 10.77.0.2'
assert_eq active "$(on a systemctl is-active nodecanary.timer)"
n=$(runs a)
wait_until 45 runs_reach a $((n + 1))
counters a new
not_backwards old new
journal_is_empty a

behaviour "a downgrade keeps them, too"
counters a old
cp "$DEB" "$(root_of a)/root/old.deb"
apt_on a --allow-downgrades install /root/old.deb
n=$(runs a)
wait_until 45 runs_reach a $((n + 1))
counters a new
not_backwards old new

behaviour "after a reboot the counters go on"
counters a old
node_reboot a
n=$(runs a)
wait_until 45 runs_reach a $((n + 1))
counters a new
not_backwards old new
journal_is_empty a

behaviour "and the phase is the same"
same_phase "$(timer a last)"

behaviour "remove takes the program, the units and the link, and leaves counters and configuration"
apt_on a remove nodecanary
assert_eq not-found "$(unit a LoadState)"
[ ! -L "$(root_of a)$TEXTFILES/nodecanary.prom" ] || fail "the link is still there"
[ ! -e "$(root_of a)/usr/sbin/nodecanary" ] || fail "the program is still there"
assert_file_contains "$(root_of a)$INI_D/test.ini" '^b = 10.77.0.2'
counters a new
not_backwards old new
wait_until 10 serves a 'node_textfile_scrape_error 0'

behaviour "purge leaves no user, link, unit, configuration or state"
apt_on a purge nodecanary
apt_on a autoremove --purge
paths >after.paths
accounts >after.accounts
# Their backups, and what systemd and udev remember of themselves.
diff before.paths after.paths | grep '^[<>]' |
	grep -vE '/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|/var/lib/systemd/(random-seed|catalog)|/etc/\.pwd\.lock' >left || true
[ ! -s left ] || fail "paths before and after differ; $(_show left)"
diff before.accounts after.accounts >left || fail "accounts before and after differ; $(_show left)"
on a systemctl list-units --all --no-pager --no-legend 'nodecanary*' >units
[ ! -s units ] || fail "units are left; $(_show units)"

done_testing
