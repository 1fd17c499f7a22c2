#!/bin/bash
# The Ansible role as files: linters accept it, and it makes the right configurations.
# Booted nodes try it for real, in tests/node.
# shellcheck disable=SC2317,SC2016 # called by check; backticks are those of README
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"
need_tools ansible-playbook ansible-lint yamllint jq python3

ANSIBLE=$TOP/packaging/ansible
ROLE=$ANSIBLE/roles/nodecanary
NC=$BUILD/nodecanary
NODES=$TOP/tests/packaging/kubernetes-nodes.json
export LC_ALL=C.UTF-8 HOME=$TMP ANSIBLE_ROLES_PATH=$ANSIBLE/roles ANSIBLE_NOCOLOR=true NO_COLOR=1 \
	ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_FAILED=true ANSIBLE_FORKS=4

lint() { (cd "$ANSIBLE" && ansible-lint --offline -q --strict); }
yaml() { (cd "$ANSIBLE" && yamllint --strict .); }
syntax() {
	local file
	for file in "$ANSIBLE"/*playbook*.yml; do
		ansible-playbook -i "$ANSIBLE/inventory.yml" --syntax-check "$file"
	done
}

# Each default stands in argument_specs with the same value and a type that it has; besides there
# are variables of hosts, whose defaults a role cannot give.
specs() {
	python3 - "$ROLE" <<-'PYTHON'
		import sys, yaml
		role = sys.argv[1]
		defaults = yaml.safe_load(open(role + "/defaults/main.yml"))
		options = yaml.safe_load(open(role + "/meta/argument_specs.yml"))["argument_specs"]["main"]["options"]
		types = {"str": str, "path": str, "bool": bool, "list": list, "dict": dict}
		assert len(defaults) > 10
		for name, value in defaults.items():
		    assert "default" in options[name], f"{name} has no default in argument_specs"
		    assert options[name]["default"] == value, f"{name}: defaults has {value!r}, argument_specs {options[name]['default']!r}"
		    assert isinstance(value, types[options[name].get("type", "str")]), f"{name} is of another type"
		assert list(defaults) == [name for name in options if name in defaults], "another order"
		others = sorted(set(options) - set(defaults))
		assert others == ["nodecanary_address", "nodecanary_labels", "nodecanary_peer_name"], others
		for name in others:
		    assert "default" not in options[name], name
	PYTHON
}

# Every variable of the role is explained in its README, and no other.
readme() {
	equal variables "$(sed -nE 's/^      (nodecanary_[a-z_]+):$/\1/p' "$ROLE/meta/argument_specs.yml" | sort)" \
		"$(sed -nE 's/^\| `(nodecanary_[a-z_]+)` .*/\1/p' "$ROLE/README.md" | sort)"
}

# --- configurations ---

cat >"$TMP/render.yml" <<'YAML'
- hosts: nodecanary
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.import_role: {name: nodecanary, tasks_from: render}
    - ansible.builtin.copy:
        content: "{{ _nodecanary_configuration }}"
        dest: "{{ out }}/{{ inventory_hostname }}.ini"
        mode: "0644"
YAML

# render INVENTORY [VARIABLES]: the files of its hosts, in $TMP/out. A file of variables, or JSON.
render() {
	rm -rf "$TMP/out"
	mkdir "$TMP/out"
	ansible-playbook -i "$1" "$TMP/render.yml" -e "out=$TMP/out" ${2+-e "$2"} ${3+-e "$3"}
}

# refused INVENTORY VARIABLES: nothing is made for w1; what is wrong goes to $TMP/wrong, a line each.
refused() {
	! render "$1" "@$2" >"$TMP/said" 2>&1 || fail "it was accepted"
	equal files "" "$(ls "$TMP/out")"
	sed -n 's/^fatal: \[w1\]: FAILED! => //p' "$TMP/said" | jq -r '.msg[]' >"$TMP/wrong" || fail "$(cat "$TMP/said")"
}

# wrong N TEXT: so many lines have it.
wrong() { equal "lines with $2" "$1" "$(grep -cF -e "$2" "$TMP/wrong")"; }

# expected FILE: what standard input says is what is made, and the program accepts it.
expected() {
	diff -u - "$1"
	"$NC" -C -c "$1"
}

cat >"$TMP/inventory.yml" <<'YAML'
nodecanary:
  hosts:
    w2: {ansible_host: 10.0.0.2}
    w1: {ansible_host: 192.0.2.1, nodecanary_address: [10.0.0.1, "fd00::1"], nodecanary_labels: {rack: r1, text: "two words;# one"}}
    w3.example.net: {eth: {v4: {address: 10.0.0.3}}, nodecanary_peer_name: third}
YAML

by_default() {
	render "$TMP/inventory.yml"
	expected "$TMP/out/w1.ini" <<-'INI'
		; Ansible managed

		; The same on every node, which recognises itself in it.

		[peers]
		w1 = 10.0.0.1, fd00::1 rack="r1" text="two words;# one"
		w2 = 10.0.0.2
		third = w3.example.net
	INI
	cmp "$TMP/out/w1.ini" "$TMP/out/w3.example.net.ini"
}

# Facts have dots, YAML has other words for `no` and `off`, and a list of one file stays one line.
everything() {
	cat >"$TMP/vars.yml" <<-'YAML'
		nodecanary_collector: {deadline: 8s, fsync: no, resolve_every: null}
		nodecanary_probe: {count: 3, histogram: off, buckets: [1ms, 10ms], mark: 0x10}
		nodecanary_textfile: /srv/textfile/nodecanary.prom
		nodecanary_groups:
		  - name: default
		    address_vars: [eth.v4.address, ansible_host]
		    probe: {members_only: yes, source: ["10.0.0.1", "fd00::1"], fanout: all}
		    labels: {zone: eu-1a, text: !unsafe '{{ 1 }} {# #}'}
		  - name: out
		    inventory_group: nodecanary
		    address_vars: [nodecanary_address, inventory_hostname]
		    peers:
		      - {name: dns, address: "192.0.2.53,2001:db8::53", labels: {n: 1, empty: ""}}
		      - {name: www.example.net}
	YAML
	render "$TMP/inventory.yml" "@$TMP/vars.yml"
	expected "$TMP/out/w1.ini" <<-'INI'
		; Ansible managed

		[collector]
		deadline = 8s
		fsync = no
		textfile = /srv/textfile/nodecanary.prom

		[probe]
		buckets = 1ms 10ms
		count = 3
		histogram = off
		mark = 16

		[probe default]
		fanout = all
		members_only = yes
		source = 10.0.0.1 fd00::1

		; The same on every node, which recognises itself in it.

		[peers]
		w1 = 192.0.2.1 rack="r1" text="two words;# one"
		w2 = 10.0.0.2
		third = 10.0.0.3

		[labels default]
		text = "{{ 1 }} {# #}"
		zone = "eu-1a"

		[peers out]
		w1 = 10.0.0.1, fd00::1 rack="r1" text="two words;# one"
		w2 =
		third = w3.example.net
		dns = 192.0.2.53, 2001:db8::53 empty="" n="1"
		www.example.net =
	INI
}

# keys SECTION: those that the program knows.
keys() {
	printf '[%s]\nno_such_key = 1\n' "$1" >"$TMP/keys.ini"
	"$NC" -C -c "$TMP/keys.ini" 2>&1 | sed -n 's/.*expected one of //p' | tr -d ' ' | tr , '\n' | grep -vx textfile
}

every_key() {
	local section
	for section in collector probe; do
		keys "$section" | jq -R . | jq -s "{nodecanary_$section: (map({(.): \"x-\\(.)\"}) | add)}"
	done | jq -s add >"$TMP/vars.json"
	[ "$(jq 'map(length) | add' "$TMP/vars.json")" -ge 20 ] || fail "the program told few keys"
	render "$TMP/inventory.yml" "@$TMP/vars.json"
	for section in collector probe; do
		equal "keys of $section" "$(keys "$section" | sed 's/.*/& = x-&/' | sort)" \
			"$(sed -n "/^\[$section\]/,/^\$/p" "$TMP/out/w1.ini" | grep ' = ' | sort)"
	done
}

# All that would be read as something that nobody wrote: a second line, a comment, another label.
hostile() {
	cat >"$TMP/vars.json" <<-'JSON'
		{"nodecanary_collector": {"a": "x\n[peers]\nx = 10.0.0.9", "b": "x\r", "c": "x\ty\u000b", "d": "\u007f", "e": "x ;y",
			"f": ";", "g": "x\n", "h": "fine # one", "i=1 ;": "x", "J": "x"},
		"nodecanary_probe": {"a": "x\n[peers]\nx = 10.0.0.9", "b": ["1ms", "2ms ;"], "c": "fine"},
		"nodecanary_groups": [
			{"name": "default", "probe": {"a": "x\ny = z", "b": "fine"},
				"labels": {"a": "b\nc = d", "b": "x\" y=\"z", "c": "x ;y", "d": "\t;", "e": "x\n", "f g": "x", "h\ni": "x", "j": "fine; ='"}},
			{"name": "x] ;", "peers": []},
			{"name": "x\n[peers", "peers": []},
			{"name": "names", "peers": [{"name": "x\n[y]"}, {"name": "x=1 ;"}, {"name": "# x"}, {"name": "; x"}, {"name": "[probe]"},
				{"name": "a b"}, {"name": "a:b"}, {"name": ""}, {"name": "x\n"}, {"name": "fine-1.example.net"}]},
			{"name": "hosts", "peers": [{"name": "x1", "address": "10.0.0.9\nx = 10.0.0.8"}, {"name": "x2", "address": "10.0.0.9 a=b"},
				{"name": "x3", "address": "10.0.0.9;"}, {"name": "x4", "address": ["10.0.0.9", "a=b"]}, {"name": "x5", "address": "\""},
				{"name": "fine", "address": "fe80::1%eth0"}]},
			{"name": "labels", "peers": [{"name": "x1", "labels": {"a": "b\nc = d"}}, {"name": "x2", "labels": {"a": "b\" c=\"d"}},
				{"name": "x3", "labels": {"a": "b ;c"}}, {"name": "x4", "labels": {"a=b c": "d"}}, {"name": "fine", "labels": {"a": "b;c # d"}}]}]}
	JSON
	refused "$TMP/inventory.yml" "$TMP/vars.json"
	! grep -i fine "$TMP/wrong" || fail "what is fine was refused"
}
hostile_values() {
	wrong 9 '["collector"]: '
	wrong 2 '["probe"]: '
	wrong 1 '["probe default"]: '
}
hostile_names() {
	wrong 2 'cannot be the name of a group'
	wrong 9 'cannot be the name of a peer'
}
hostile_peers() {
	wrong 5 'group hosts: peer x'
	wrong 4 'group labels: peer x'
	wrong 7 'group default: label '
}

missing() {
	cat >"$TMP/lacking.yml" <<-'YAML'
		nodecanary: {hosts: {w1: {nodecanary_address: 10.0.0.1}, w2: {}, w3: {nodecanary_address: 127.0.0.1}, w4: {nodecanary_address: "::1"}}}
		empty: {}
	YAML
	cat >"$TMP/vars.json" <<-'JSON'
		{"nodecanary_address_vars": ["eth.v4.address", "nodecanary_address"],
		"nodecanary_groups": [{"name": "default"}, {"name": "s", "inventory_group": "storage"}, {"name": "e", "inventory_group": "empty"}]}
	JSON
	refused "$TMP/lacking.yml" "$TMP/vars.json"
	wrong 1 'group default: "w2" has none of the variables ["eth.v4.address", "nodecanary_address"]'
	wrong 1 'group s: the inventory has no hosts in a group "storage"'
	wrong 1 'group e: the inventory has no hosts in a group "empty"'
	wrong 2 'which every host takes for itself'
	wrong 5 ''
}

# As group_vars have them: true is not Python's True, a list is its items, null is no label.
yaml_labels() {
	cat >"$TMP/labelled.yml" <<-'YAML'
		nodecanary:
		  hosts:
		    w1: {ansible_host: 10.0.0.1, nodecanary_labels: {virtual: true, spare: false, zones: [a, true, 3], note: null, none: [], rack: 7, text: "", "no": "no"}}
		    w2: {ansible_host: 10.0.0.2, nodecanary_labels: null}
	YAML
	render "$TMP/labelled.yml" '{"nodecanary_groups": [{"name": "default", "labels": {"managed": true, "teams": ["x", "y"], "gone": null}}]}'
	expected "$TMP/out/w1.ini" <<-'INI'
		; Ansible managed

		; The same on every node, which recognises itself in it.

		[peers]
		w1 = 10.0.0.1 no="no" rack="7" spare="false" text="" virtual="true" zones="a,true,3"
		w2 = 10.0.0.2

		[labels default]
		managed = "true"
		teams = "x,y"
	INI
}

reasons() {
	cat >"$TMP/odd.yml" <<-'YAML'
		nodecanary: {hosts: {w1: {ansible_host: 10.0.0.1, nodecanary_labels: {"rack-id": 7, map: {a: b}}}, "fd00::2": {}}}
	YAML
	echo '{}' >"$TMP/vars.json"
	refused "$TMP/odd.yml" "$TMP/vars.json"
	wrong 1 'group default: peer w1: label "rack-id" cannot have this name: expected letters, digits and _'
	wrong 1 'group default: peer w1: label map cannot be '
	wrong 1 '"fd00::2" cannot be the name of a peer'
	wrong 1 'set nodecanary_peer_name'
}

# From ansible-core 2.19 on a macro without output is None, and `| trim` makes that text. No
# template has one; and with macros that do so, a host without an address stops the play as well.
none_is_no_address() {
	! grep -rn '{%-\? *macro' "$ROLE/templates" || fail "a macro"
	mkdir -p "$TMP/semantics"
	cat >"$TMP/semantics/sitecustomize.py" <<-'PYTHON'
		import jinja2.runtime
		invoke = jinja2.runtime.Macro._invoke
		jinja2.runtime.Macro._invoke = lambda *arguments: invoke(*arguments).strip() or None
	PYTHON
	cat >"$TMP/lacking.yml" <<-'YAML'
		nodecanary: {hosts: {w1: {nodecanary_address: 10.0.0.1}, w2: {nodecanary_address: null}, w3: {nodecanary_address: [null]}}}
	YAML
	echo '{"nodecanary_address_vars": ["nodecanary_address"]}' >"$TMP/vars.json"
	PYTHONPATH=$TMP/semantics refused "$TMP/lacking.yml" "$TMP/vars.json"
	wrong 2 'has none of the variables'
	wrong 0 'None'
}

one_list() {
	mkdir -p "$TMP/differ/host_vars"
	cp "$TMP/inventory.yml" "$TMP/differ/hosts.yml"
	echo 'nodecanary_groups: [{name: default, probe: {device: eth7}}]' >"$TMP/differ/host_vars/w2.yml"
	render "$TMP/differ/hosts.yml"
	equal "what differs" '> [probe default]|> device = eth7|> ' \
		"$(diff "$TMP/out/w1.ini" "$TMP/out/w2.ini" | grep '^[<>]' | paste -sd '|')"
	echo 'nodecanary_groups: [{name: default, labels: {a: b}}]' >"$TMP/differ/host_vars/w2.yml"
	! render "$TMP/differ/hosts.yml" >"$TMP/said" 2>&1 || fail "two lists in one fleet"
	grep -q 'differ from those of other hosts' "$TMP/said"
	[ ! -e "$TMP/out/w2.ini" ] || fail "it was made"
}

# The variables of the example playbook, on the hosts of the example inventory.
example() {
	python3 -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1]))[0]["vars"]))' "$ANSIBLE/playbook.yml" >"$TMP/vars.json"
	render "$ANSIBLE/inventory.yml" "@$TMP/vars.json"
	"$NC" -C -c "$TMP/out/worker1.ini" >"$TMP/summary"
	grep -q '^group default: 4 peers' "$TMP/summary"
	grep -q '^group storage: 3 peers' "$TMP/summary"
	grep -q '^group outside: 2 peers' "$TMP/summary"
	equal "different files" 1 "$(md5sum "$TMP"/out/*.ini | cut -d ' ' -f 1 | sort -u | wc -l)"
}

# --- Kubernetes ---

nodes() { jq -n -f "$ANSIBLE/kubernetes/inventory.jq" "$NODES" 2>"$TMP/said"; }

# Not ready, cordoned: watched. Deleted, taken down, labelled: not. No address: said so.
filter() {
	nodes >"$TMP/nodes.json"
	equal "hosts and addresses" 'cp-1 10.20.0.10, fd20::10
worker-1 10.20.0.11, fd20::11
worker-2 fd20::12, 10.20.0.12
worker-3 10.20.0.13
worker-4 10.20.0.14' "$(jq -r '.nodecanary.hosts | to_entries[] | "\(.key) \(.value.nodecanary_address)"' "$TMP/nodes.json")"
	equal message '["DEBUG:","worker-8 has no InternalIP: left out"]' "$(cat "$TMP/said")"
	render "$TMP/nodes.json" '{"nodecanary_probe": {"family": "both"}}'
	expected "$TMP/out/worker-1.ini" <<-'INI'
		; Ansible managed

		[probe]
		family = both

		; The same on every node, which recognises itself in it.

		[peers]
		cp-1 = 10.20.0.10, fd20::10 instance_type="m4" role="control-plane" zone="eu-1a"
		worker-1 = 10.20.0.11, fd20::11 instance_type="m4" zone="eu-1a"
		worker-2 = fd20::12, 10.20.0.12 instance_type="m4" role="ingress,worker" zone="eu-1b"
		worker-3 = 10.20.0.13 instance_type="m4" zone="eu-1b"
		worker-4 = 10.20.0.14 zone="eu-1b"
	INI
}

# An answer without nodes must not become a rollout that takes all peers out.
no_nodes() {
	local answer
	for answer in '{"items": []}' '{}' '' '{"kind": "Status", "status": "Failure"}'; do
		! jq -n -e -f "$ANSIBLE/kubernetes/inventory.jq" <<<"$answer" >"$TMP/nodes.json" 2>/dev/null ||
			fail "accepted: $answer"
		[ ! -s "$TMP/nodes.json" ] || fail "$(cat "$TMP/nodes.json")"
	done
}

# The arguments of the manifest, with its mounts, serve what is in /var/lib/nodecanary of the host.
daemonset() {
	need_exporter
	python3 - "$ANSIBLE/kubernetes/node-exporter.yaml" >"$TMP/exporter" <<-'PYTHON'
		import shlex, sys, yaml
		pod = yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]
		container, = pod["containers"]
		volumes = {v["name"]: v["hostPath"]["path"] for v in pod["volumes"]}
		assert pod["hostNetwork"] and {"operator": "Exists"} in pod["tolerations"]
		for mount in container["volumeMounts"]:
		    print("mkdir -p", mount["mountPath"])
		    print("mount --rbind", volumes[mount["name"]], mount["mountPath"])
		    assert mount["readOnly"]
		print("exec prometheus-node-exporter", *map(shlex.quote, container["args"]))
	PYTHON
	cat >"$TMP/host" <<-'SH'
		set -e
		mount -t tmpfs tmpfs /var/lib
		mkdir /host 2>/dev/null || mount -t tmpfs tmpfs /host
		mount -t tmpfs tmpfs /host
		mkdir -p /var/lib/nodecanary
		ip link set lo up
		"$1" -q -c "$2" -o /var/lib/nodecanary/nodecanary.prom
		sh -e "$3" 2>"$3.log" &
		for try in $(seq 100); do
			curl -fsS http://127.0.0.1:9100/metrics >"$3.out" 2>/dev/null && break
			sleep 0.1
		done
		kill %1
	SH
	isolated bash "$TMP/host" "$NC" "$TOP/conf/loopback.ini" "$TMP/exporter"
	grep -qx 'node_textfile_scrape_error 0' "$TMP/exporter.out" || fail "$(cat "$TMP/exporter.log")"
	grep -qx 'nodecanary_peer_up{group="default",peer="loopback1"} 1' "$TMP/exporter.out"
	grep -q '^node_filesystem_size_bytes' "$TMP/exporter.out"
}
need_exporter() { command -v prometheus-node-exporter >/dev/null || skip "prometheus-node-exporter is not installed"; }

check "ansible-lint has nothing to say, with its profile production" lint
check "yamllint has nothing to say" yaml
check "the example playbooks have no error of syntax" syntax
check "argument_specs has the defaults, with their values and types" specs
check "README of the role explains every variable" readme
check "peers come from the inventory, and the file is the same for all hosts" by_default
check "groups, labels, targets and keys of every kind become a valid file" everything
check "every key that the program knows can be set" every_key
check "what would be read as something else stops the play" hostile
check "such a value of a key does" hostile_values
check "such a name of a group or a peer does" hostile_names
check "such an address or label does" hostile_peers
check "a group without hosts, a host without an address and loopback stop the play" missing
check "labels are what YAML means: booleans, lists and nulls" yaml_labels
check "what cannot be a label or a name says why" reasons
check "a host without an address is none in the newest Ansible, either" none_is_no_address
check "hosts may differ in how they probe, not in whom" one_list
check "the example makes a valid file" example
check "the nodes of a Kubernetes cluster become peers, but for those that leave" filter
check "an answer without nodes makes no inventory" no_nodes
check "node_exporter with the arguments of the DaemonSet serves the published file" daemonset
finish
