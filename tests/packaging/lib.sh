# shellcheck shell=bash
# What the tests of the packages share. A test sources this, calls `check`, and ends with `finish`.
#
# TOP is the root of the repository, TMP a scratch directory. BUILD names the directory of the
# program's own build (build), COUNTS a file to which `PASSED FAILED SKIPPED` is appended, V=1 shows
# output of what passes, too.

set -u
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
NAME=$(basename "$0" .sh)
TMP=$(mktemp -d) || exit 1
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
passed=0 failed=0 skipped=0

# check NAME COMMAND...: status 0 is a pass, 77 a skip whose reason is the last line.
check() {
	local name=$1 status
	shift
	(
		set -e
		"$@"
	) >"$TMP/log" 2>&1
	status=$?
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] || [ "${V:-0}" = 1 ]; then
		tail -n 60 "$TMP/log" | sed 's/^/# /'
	fi
	case $status in
	0) echo "ok - $name" && passed=$((passed + 1)) ;;
	77) echo "ok - $name # SKIP $(tail -n 1 "$TMP/log")" && skipped=$((skipped + 1)) ;;
	*) echo "not ok - $name" && failed=$((failed + 1)) ;;
	esac
	return 0
}

finish() {
	if [ -n "${COUNTS:-}" ]; then echo "$passed $failed $skipped" >>"$COUNTS"; fi
	echo "$NAME: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

fail() {
	printf '%s\n' "$*"
	exit 1
}

skip() {
	printf '%s\n' "$*"
	exit 77
}

# equal WHAT EXPECTED ACTUAL
equal() {
	[ "$2" = "$3" ] || {
		diff -u --label "$1: expected" --label "$1: actual" <(echo "$2") <(echo "$3")
		exit 1
	}
}

# need_tools TOOL...: without them the test as a whole is skipped.
need_tools() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null && continue
		check "the tools are installed" skip "$tool is not"
		finish
	done
}

# files_of_tree: their names, but for what builds may leave.
files_of_tree() {
	(cd "$TOP" && find . \( -path ./.git -o -path ./build \) -prune -o -print | sort)
}

# installed DIRECTORY VARIABLE=VALUE...: "MODE PATH" of what `make install` puts there.
installed() {
	local root=$1 name
	shift
	for name in "${!MAKE@}" MFLAGS DESTDIR PREFIX SBINDIR SYSCONFDIR DOCDIR MANDIR UNITDIR \
		SYSUSERSDIR BASHCOMPDIR ZSHCOMPDIR FISHCOMPDIR; do
		unset "$name"
	done
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$root" PREFIX=/usr "$@" install >&2
	(cd "$root" && find . ! -type d -printf '%m %P\n')
}

# root_of_our_own COMMAND...: as root, in namespaces without a network.
root_of_our_own() {
	local own=(unshare --mount --net)
	if [ "$(id -u)" -ne 0 ]; then own+=(--user --map-root-user); fi
	"${own[@]}" true 2>/dev/null || skip "no namespaces"
	"${own[@]}" "$@"
}

# in_empty_system SCRIPT...: runs them, with sh -e, where /etc, /run and /var/lib are empty and
# programs that would change the system only write into /run/called what they were called with.
in_empty_system() {
	local stub
	mkdir -p "$TMP/stubs"
	cat >"$TMP/stub" <<-'EOF'
		#!/bin/sh
		echo "${0##*/} $*" >>/run/called
		case ${0##*/} in getent) echo nodecanary:x:999:999:::/bin/false ;; esac
	EOF
	chmod 755 "$TMP/stub"
	for stub in systemctl deb-systemd-invoke deb-systemd-helper systemd-sysusers userdel getent; do
		cp "$TMP/stub" "$TMP/stubs/$stub"
	done
	cat >"$TMP/enter" <<-'EOF'
		set -e
		for directory in /etc /run /var/lib; do mount -t tmpfs tmpfs "$directory"; done
		umask 022
		touch /run/called
		PATH=$1:$PATH
		shift
		export PATH textfiles=/var/lib/prometheus/node-exporter
		export link=$textfiles/nodecanary.prom target=/var/lib/nodecanary/nodecanary.prom
		for script; do sh -e "$script"; done
	EOF
	root_of_our_own sh "$TMP/enter" "$TMP/stubs" "$@"
}

# first_file_is_taken FILE: the file that a package lays down before the first run is no damaged
# state to the program.
first_file_is_taken() {
	mkdir -p "$TMP/first"
	cp "$1" "$TMP/first/nodecanary.prom"
	root_of_our_own "$BUILD/nodecanary" -c "$TOP/conf/nodecanary.ini" \
		-o "$TMP/first/nodecanary.prom" 2>"$TMP/first/err"
	equal messages "" "$(cat "$TMP/first/err")"
	grep -q '^nodecanary_build_info' "$TMP/first/nodecanary.prom" || fail "nothing was published"
}
