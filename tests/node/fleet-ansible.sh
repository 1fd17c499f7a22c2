#!/bin/bash
# The Ansible role installs, configures and removes nodecanary over ssh on nodes that have never
# heard of it.
# check: no, one booted fleet is enough there
# time-limit: 1500
# nodes: 3
# shellcheck source-path=SCRIPTDIR source=ansible-lib.sh
. "$(dirname "$0")/ansible-lib.sh"

need ansible-playbook ssh-keygen
controlled a b c

# a and c have node_exporter as Debian has it; b as the role of the prometheus.prometheus collection does.
on b groupadd --system node-exp
on b install -d -g node-exp -m 775 /var/lib/node_exporter
echo 'ARGS="--collector.textfile.directory=/var/lib/node_exporter"' >"$(root_of b)/etc/default/prometheus-node-exporter"

cat >site.yml <<YAML
- hosts: nodecanary
  gather_facts: false
  tasks:
    - ansible.builtin.apt: {name: prometheus-node-exporter}
      tags: exporter
    - ansible.builtin.import_role: {name: nodecanary}
  vars:
    nodecanary_package_file: $DEB
YAML
inventory a b >inventory.yml

behaviour "check mode on fresh hosts says what would change, and changes nothing"
plays site.yml --check --diff
for name in a b; do
	[ "$(changes $name)" -ge 3 ] || fail "expected changes on $name; $(_show play.log)"
	[ ! -e "$(root_of $name)/etc/nodecanary" ] || fail "there is a configuration on $name"
	[ ! -e "$(root_of $name)/var/cache/nodecanary" ] || fail "there is a package on $name"
done
assert_file_contains play.log '^\+a = 10\.77\.0\.1$'

behaviour "the first run installs, configures and starts"
plays site.yml
for name in a b; do
	[ "$(changes $name)" -ge 4 ] || fail "expected changes on $name; $(_show play.log)"
	assert_eq active "$(on $name systemctl is-active nodecanary.timer)"
	assert_eq "$PROM" "$(on $name readlink "$TEXTFILES/nodecanary.prom")"
done
cmp "$(config_of a)" "$(config_of b)"
assert_eq "$PROM" "$(on b readlink /var/lib/node_exporter/nodecanary.prom)"

behaviour "the second run changes nothing, and check mode finds nothing to change"
plays site.yml
nothing_changes a b
plays site.yml --check --diff
nothing_changes a b

behaviour "in both layouts node_exporter serves the other node as up"
wait_until 40 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'
wait_until 40 serves b 'nodecanary_peer_up{group="default",peer="a"} 1'
assert_file_contains b/scrape '^node_textfile_scrape_error 0$'

# stays: the last play failed where it says, and everything is as it was.
stays() {
	grep -q "^TASK \[.*$1\]" play.log || fail "expected it to come to: $1; $(_show play.log)"
	[[ $(grep '^TASK' play.log | tail -n 1) = *"$1]"* ]] || fail "expected it to end with: $1; $(_show play.log)"
	for name in a b; do cmp "before.$name" "$(config_of $name)"; done
}
for name in a b; do cp "$(config_of $name)" before.$name; done

behaviour "a broken variable stops the play at validation, and the old configuration stays in use"
! play site.yml -t nodecanary_configure -e '{"nodecanary_probe": {"count": 0}}' || fail "it succeeded"
stays 'Write the configuration'
assert_file_contains play.log 'count = .0.'
n=$(runs a)
wait_until 40 runs_reach a $((n + 1))
assert_eq 1 "$(metric a nodecanary_last_run_success)"

behaviour "check mode, too, finds it"
! play site.yml --check -t nodecanary_configure -e '{"nodecanary_probe": {"count": 0}}' || fail "it succeeded"
stays 'Validate the configuration, in check mode'

behaviour "what is valid alone, and not with the drop-ins that are there, is not put in place"
configure b <<<$'[peers]\na = 10.77.0.99'
! play site.yml --limit b -t nodecanary_configure -e '{"nodecanary_collector": {"deadline": "9s"}}' || fail "it succeeded"
cmp before.b "$(config_of b)"
assert_file_contains play.log 'peer .a.: already in group'
rm "$(root_of b)$INI_D/test.ini"

behaviour "a host that is added reaches every node"
inventory a b c >inventory.yml
plays site.yml
for name in a b c; do
	assert_file_contains "$(config_of $name)" '^c = 10\.77\.0\.3$'
	wait_until 40 has_series $name 'nodecanary_peers{group="default",state="probed"} 2'
done
wait_until 40 has_series a 'nodecanary_peer_up{group="default",peer="c"} 1'

# is_direct NAME FILE: the service writes it, and no link leads anywhere.
is_direct() {
	[ ! -e "$(prom_of "$1")" ] || fail "there is still $(prom_of "$1")"
	assert_eq 'regular file' "$(on "$1" stat -c %F "$2")"
	assert_eq "" "$(on "$1" find /var/lib -name nodecanary.prom -type l)"
}

behaviour "told to write into node_exporter's directory, the service does, and no counter falls"
for name in a b; do counters $name old.$name; done
mkdir host_vars
echo "nodecanary_textfile: $TEXTFILES/nodecanary.prom" >host_vars/a.yml
echo 'nodecanary_textfile: /var/lib/node_exporter/nodecanary.prom' >host_vars/b.yml
plays site.yml --limit a,b -t nodecanary_configure
is_direct a "$TEXTFILES/nodecanary.prom"
is_direct b /var/lib/node_exporter/nodecanary.prom
assert_eq 'root:nodecanary 1775' "$(on a stat -c '%U:%G %a' "$TEXTFILES")"
assert_eq 'root:node-exp 775' "$(on b stat -c '%U:%G %a' /var/lib/node_exporter)"
assert_eq active "$(on a systemctl is-active nodecanary.timer)"
assert_eq active "$(on b systemctl is-active nodecanary.timer)"
# moved_on NAME FILE: it has run there, and its counters are those of before, or more.
moved_on() {
	run_unit "$1"
	PROM=$2 counters "$1" "new.$1"
	not_backwards "old.$1" "new.$1"
	[ "$(PROM=$2 runs "$1")" -gt "$(awk '/^nodecanary_runs_total / { print $2 }' "old.$1")" ]
}
moved_on a "$TEXTFILES/nodecanary.prom"
moved_on b /var/lib/node_exporter/nodecanary.prom
wait_until 10 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'
assert_file_contains a/scrape '^node_textfile_scrape_error 0$'
wait_until 10 serves b 'nodecanary_peer_up{group="default",peer="a"} 1'
assert_file_contains b/scrape '^node_textfile_scrape_error 0$'

behaviour "an administrator's own run, as root, goes on with that file"
n=$(PROM=$TEXTFILES/nodecanary.prom runs a)
on a nodecanary
assert_eq $((n + 1)) "$(PROM=$TEXTFILES/nodecanary.prom runs a)"
run_unit a

behaviour "the next run changes nothing, and the package makes no link again"
plays site.yml --limit a,b -t nodecanary_configure
nothing_changes a b
on a dpkg-trigger --no-await "$TEXTFILES"
on b dpkg-trigger --no-await "$TEXTFILES"
on a dpkg --configure --pending
on b dpkg --configure --pending
is_direct a "$TEXTFILES/nodecanary.prom"
is_direct b /var/lib/node_exporter/nodecanary.prom

behaviour "and back to links, the counters go on"
for name in a b; do mv new.$name old.$name; done
rm -r host_vars
plays site.yml --limit a,b -t nodecanary_configure
for name in a b; do
	assert_eq "$PROM" "$(on $name readlink "$TEXTFILES/nodecanary.prom")"
	moved_on "$name" "$PROM"
done
assert_eq "$PROM" "$(on b readlink /var/lib/node_exporter/nodecanary.prom)"
wait_until 10 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'

behaviour "a host that is removed is gone from every node, with its series"
plays site.yml -t nodecanary_run --limit b -e nodecanary_enabled=false
assert_eq inactive "$(on b systemctl is-active nodecanary.timer || true)"
assert_eq disabled "$(on b systemctl is-enabled nodecanary.timer || true)"
inventory a c >inventory.yml
plays site.yml -t nodecanary_configure
for name in a c; do
	assert_not_contains "$(config_of $name)" '^b = '
	run_unit $name
	assert_not_contains "$(prom_of $name)" 'peer="b"'
done

done_testing
