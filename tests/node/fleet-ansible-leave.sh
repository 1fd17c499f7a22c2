#!/bin/bash
# The Ansible role removes nodecanary over ssh, with all that it brought and nothing else, and installs it again.
# check: no, one booted fleet is enough there
# time-limit: 1500
# nodes: 3
# shellcheck source-path=SCRIPTDIR source=ansible-lib.sh
. "$(dirname "$0")/ansible-lib.sh"

need ansible-playbook ssh-keygen
# a publishes by a link; b, and c without a link either, into the directory of node_exporter itself.
controlled a b c
cat >site.yml <<YAML
- hosts: nodecanary
  gather_facts: false
  roles:
    - role: nodecanary
  vars:
    nodecanary_package_file: $DEB
    nodecanary_groups:
      - name: default
        peers: [{name: a, address: 10.77.0.1}, {name: b, address: 10.77.0.2}, {name: c, address: 10.77.0.3}]
YAML
inventory a b c >inventory.yml
mkdir host_vars
echo "nodecanary_textfile: $TEXTFILES/nodecanary.prom" >host_vars/b.yml
cat >host_vars/c.yml <<'YAML'
nodecanary_textfile: /var/lib/node_exporter/nodecanary.prom
nodecanary_timer: {OnCalendar: '*:*:0/20'}
YAML
for name in a b c; do apt_on "$name" install prometheus-node-exporter; done
on c groupadd --system node-exp
on c install -d -g node-exp -m 775 /var/lib/node_exporter
echo 'ARGS="--collector.textfile.directory=/var/lib/node_exporter"' >"$(root_of c)/etc/default/prometheus-node-exporter"
on c systemctl restart prometheus-node-exporter
exporter_dir() { if [ "$1" = c ]; then echo /var/lib/node_exporter; else echo "$TEXTFILES"; fi; }
textfile() { if [ "$1" = a ]; then echo "$PROM"; else echo "$(exporter_dir "$1")/nodecanary.prom"; fi; }

# What others have beside ours.
for name in a b c; do
	root=$(root_of "$name")
	echo 'own_metric 1' >"$root$(exporter_dir "$name")/nodecanary-own.prom"
	mkdir -p "$root/etc/systemd/system/nodecanary-own.service.d" "$root/var/lib/nodecanary-own"
	echo '[Service]' >"$root/etc/systemd/system/nodecanary-own.service.d/own.conf"
	ln -s /nowhere "$root/etc/nodecanary-own"
done

# paths NAME: what is there, to whom it belongs, and who may change it, but for logs, caches, and what dpkg keeps.
paths() {
	on "$1" find / -xdev \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /tmp -o -path /var/tmp -o -path /root \) -prune -o \
		-printf '%p %y%m %u:%g %l\n' | sort
}
accounts() { on "$1" sort /etc/passwd /etc/group /etc/shadow; }
for name in a b c; do
	paths "$name" >"paths.$name"
	accounts "$name" >"accounts.$name"
done

# measures NAME: its node_exporter says so, and complains about nothing.
measures() {
	local peer=b
	[ "$1" != b ] || peer=a
	wait_until 120 serves "$1" "nodecanary_peer_up{group=\"default\",peer=\"$peer\"} 1"
	grep -qx 'own_metric 1' "$1/scrape"
	assert_file_contains "$1/scrape" '^node_textfile_scrape_error 0$'
}

# installs: and counters begin from zero.
installs() {
	local began
	began=$(date +%s)
	plays site.yml
	for name in a b c; do
		measures "$name"
		PROM=$(textfile "$name") metric "$name" nodecanary_counters_start_timestamp_seconds >since
		assert_le "$began" "$(cat since)" "beginning of the counters of $name"
	done
}

behaviour "the role installs it on three hosts, each of another layout"
installs

behaviour "in the directory of node_exporter a file that is root's is given to the service"
on b chown root:root "$(textfile b)"
plays site.yml
nothing_changes a c
measures b
n=$(PROM=$(textfile b) runs b)
PROM=$(textfile b) wait_until 120 runs_reach b $((n + 1))

behaviour "check mode says that it would go, and takes nothing away"
plays site.yml --check --diff -e nodecanary_state=absent
for name in a b c; do
	[ "$(changes "$name")" -ge 3 ] || fail "expected changes on $name; $(_show play.log)"
	assert_eq active "$(on "$name" systemctl is-active nodecanary.timer)"
	n=$(PROM=$(textfile "$name") runs "$name")
	PROM=$(textfile "$name") wait_until 120 runs_reach "$name" $((n + 1))
done

# nothing_left NAME: once the libraries have gone, too, which stay as the README of the role says, the host is as before.
nothing_left() {
	# shellcheck disable=SC2016 # dpkg's own format
	on "$1" dpkg-query -W -f '${db:Status-Status}\n' nodecanary >"status.$1" 2>&1 || true
	assert_not_contains "status.$1" 'installed|config-files'
	apt_on "$1" purge liboping0 libinih1
	paths "$1" >"now.$1"
	# Their backups, and what systemd and udev remember of themselves.
	diff "paths.$1" "now.$1" | grep '^[<>]' |
		grep -vE '/etc/(passwd|group|shadow|gshadow|subuid|subgid)- |/var/lib/systemd/|/etc/\.pwd\.lock ' >"left.$1" || true
	[ ! -s "left.$1" ] || fail "paths of $1 before and after differ; $(_show "left.$1")"
	accounts "$1" >"now.$1"
	diff "accounts.$1" "now.$1" >"left.$1" || fail "accounts of $1 differ; $(_show "left.$1")"
	on "$1" systemctl list-units --all --no-pager --no-legend 'nodecanary.*' >"left.$1"
	[ ! -s "left.$1" ] || fail "units of $1 are left; $(_show "left.$1")"
}

# shellcheck disable=SC2317 # wait_until calls it
serves_nothing_of_ours() {
	serves "$1" 'node_textfile_scrape_error 0' && ! grep '^nodecanary_' "$1/scrape" && grep -x 'own_metric 1' "$1/scrape"
}

behaviour "absent removes all that the package and the role brought, and nothing else"
plays site.yml -e nodecanary_state=absent
for name in a b c; do
	wait_until 10 serves_nothing_of_ours "$name"
	nothing_left "$name"
done

behaviour "once more it has nothing to remove"
plays site.yml -e nodecanary_state=absent
nothing_changes a b c

behaviour "installed again it measures, with counters that begin anew"
installs

done_testing
