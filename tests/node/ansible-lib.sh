# shellcheck shell=bash
# What tests of the role share: Ansible runs in the switch and reaches the nodes over ssh.
#
#	. "$(dirname "$0")/ansible-lib.sh"
#	controlled a b
#	inventory a b >inventory.yml
#	play site.yml && is_changed a

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROLES=$TOP/packaging/ansible/roles

# controlled NAME...: boots nodes of the image base that let Ansible in.
controlled() {
	local name
	ssh-keygen -q -t ed25519 -N '' -f key
	for name; do
		node_new "$name"
		mkdir -p "$(root_of "$name")/root/.ssh"
		chmod 700 "$(root_of "$name")/root/.ssh"
		cp key.pub "$(root_of "$name")/root/.ssh/authorized_keys"
	done
	ip -n "$SWITCH" link set lo up
	ip -n "$SWITCH" addr add 10.77.0.254/24 dev br0
	node_boot "$@"
}

# inventory NAME...: one of these nodes.
inventory() {
	local name
	printf 'all:\n  children:\n    nodecanary:\n      hosts:\n'
	for name; do printf '        %s: {ansible_host: 10.77.0.%s}\n' "$name" "${NUMBER[$name]}"; done
}

# play ARGUMENT...: ansible-playbook, whose output goes to play.log, too.
play() {
	at_switch env HOME="$TEST_TMP" LC_ALL=C.UTF-8 ANSIBLE_ROLES_PATH="$ROLES" ANSIBLE_LOCALHOST_WARNING=false \
		ANSIBLE_PIPELINING=true ANSIBLE_NOCOLOR=true ANSIBLE_FORKS=8 ANSIBLE_REMOTE_USER=root \
		ANSIBLE_PRIVATE_KEY_FILE="$TEST_TMP/key" ANSIBLE_HOST_KEY_CHECKING=false \
		ANSIBLE_SSH_CONTROL_PATH_DIR="$TEST_TMP/ssh" \
		ansible-playbook -i inventory.yml "$@" >play.log 2>&1
}

# plays ARGUMENT...: the same, and it succeeds.
plays() { play "$@" || fail "ansible-playbook $*; $(_show play.log)"; }

# changes NAME: how many tasks changed something there, in the last play.
changes() { sed -nE "s/^$1 +:.* changed=([0-9]+) .*/\1/p" play.log; }

# nothing_changes NAME...: in the last play, none did.
nothing_changes() {
	local name
	for name; do
		[ "$(changes "$name")" = 0 ] || fail "expected no change on $name; $(grep -B 4 '^changed:' play.log)"
	done
}

config_of() { echo "$(root_of "$1")/etc/nodecanary/nodecanary.ini"; }
