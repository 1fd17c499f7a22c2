# shellcheck shell=bash
# What the tests of the packages share, besides tests/lib/checks.sh.
#
# TOP is the root of the repository, BUILD names the directory of the program's own build (build).

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
# shellcheck source-path=SCRIPTDIR source=../lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/checks.sh"

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

# in_empty_system SCRIPT...: runs them, with sh -e, where /etc, /run and /var/lib are empty, and so
# is /usr/share but for the directory `example` if that is set. Programs that would change the
# system only write into /run/called what they were called with.
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
		if [ -n "${example-}" ]; then
			mkdir /run/share
			cp -r "$example" /run/share/
			mount --bind /run/share /usr/share
		fi
		PATH=$1:$PATH
		shift
		export PATH textfiles=/var/lib/prometheus/node-exporter
		export link=$textfiles/nodecanary.prom target=/var/lib/nodecanary/nodecanary.prom
		for script; do sh -e "$script"; done
	EOF
	isolated sh "$TMP/enter" "$TMP/stubs" "$@"
}

# first_file_is_taken FILE: the file that a package lays down before the first run is no damaged
# state to the program.
first_file_is_taken() {
	mkdir -p "$TMP/first"
	cp "$1" "$TMP/first/nodecanary.prom"
	isolated "$BUILD/nodecanary" -c "$TOP/conf/nodecanary.ini" \
		-o "$TMP/first/nodecanary.prom" 2>"$TMP/first/err"
	equal messages "" "$(cat "$TMP/first/err")"
	grep -q '^nodecanary_build_info' "$TMP/first/nodecanary.prom" || fail "nothing was published"
}
