#!/bin/bash
# The Debian package is built cleanly, has the right files, and its scripts do the right things.
# On booted nodes it is installed for real, by tests/node.
# shellcheck disable=SC2317,SC2016 # called by check; expanded elsewhere
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"
need_tools dpkg-buildpackage dh lintian hardening-check shellcheck readelf unshare

OUT=$TMP/packages
VERSION=$(sed 's/-/~/' "$TOP/VERSION")
ARCHITECTURE=$(dpkg --print-architecture)
DEB=$OUT/nodecanary_$VERSION-1_$ARCHITECTURE.deb
ROOT=$TMP/root       # what is in it
CONTROL=$TMP/control # its control files
UNITDIR=/lib/systemd/system
if [ -e /usr/bin/dh_movetousr ]; then UNITDIR=/usr$UNITDIR; fi

builds() {
	local before
	before=$(files_of_tree)
	"$TOP/packaging/deb/build" "$OUT"
	equal tree "$before" "$(files_of_tree)"
	mkdir -p "$BUILD/packages" "$ROOT" "$CONTROL"
	cp "$DEB" "$BUILD/packages" # for the tests on booted nodes
	dpkg-deb -x "$DEB" "$ROOT"
	dpkg-deb -e "$DEB" "$CONTROL"
}

version() {
	equal changelog "$VERSION-1" \
		"$(dpkg-parsechangelog -l "$TOP/packaging/deb/debian/changelog" -S Version)"
	equal program "nodecanary $(cat "$TOP/VERSION")" "$("$ROOT/usr/sbin/nodecanary" -V)"
}

# All of its tags, also experimental ones, and overrides that override nothing.
lintian_is_silent() {
	lintian --allow-root -EI --pedantic --show-overrides "$OUT"/*.changes >"$TMP/lintian"
	cat "$TMP/lintian"
	equal tags "" "$(grep -v '^[NO]: ' "$TMP/lintian" || true)"
	grep -q '^O: ' "$TMP/lintian" || fail "not even an overridden tag: has lintian run?"
}

# One variable names where the project's pages are.
project_url() {
	PROJECT_URL=https://git.test/canary "$TOP/packaging/deb/build" "$TMP/url" >/dev/null
	equal homepage https://git.test/canary \
		"$(dpkg-deb -f "$TMP/url"/nodecanary_*"_$ARCHITECTURE.deb" Homepage)"
	grep -qx 'Vcs-Git: https://git.test/canary/nodecanary.git' "$TMP/url"/*.dsc
	! tar -xOf "$TMP/url"/*.debian.tar.* debian/watch debian/upstream/metadata debian/control |
		grep 'https://nodecanary.example' || fail "another address is left"
}

# A line of comment above each.
overrides_have_reasons() {
	awk '/^#/ { reason = 1; next } NF && !reason { print; bad = 1 } { reason = 0 } END { exit bad }' \
		"$TOP/packaging/deb/debian/nodecanary.lintian-overrides" \
		"$TOP/packaging/deb/debian/source/lintian-overrides"
}

dbgsym() {
	local id
	id=$(readelf -n "$ROOT/usr/sbin/nodecanary" | awk '/Build ID:/ { print $3 }')
	[ "${#id}" -eq 40 ] || fail "build ID: '$id'"
	dpkg-deb -x "$OUT/nodecanary-dbgsym_$VERSION-1_$ARCHITECTURE.deb" "$TMP/dbgsym"
	readelf -S "$TMP/dbgsym/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug" | grep -q '\.debug_info'
	readelf -S "$ROOT/usr/sbin/nodecanary" >"$TMP/sections"
	if grep -qE '\.(debug_info|symtab)' "$TMP/sections"; then fail "the program is not stripped"; fi
}

# Debian's own are the two files of its changelog and of overrides; it has the licence in
# `copyright`, and compresses.
files() {
	local expected actual
	expected=$({
		installed "$TMP/make-install" UNITDIR="$UNITDIR" |
			sed -e 's|doc/nodecanary/LICENSE$|doc/nodecanary/copyright|' \
				-e 's|doc/nodecanary/CHANGELOG.md$|doc/nodecanary/changelog|' \
				-e 's|etc/nodecanary/nodecanary.ini$|usr/share/nodecanary/nodecanary.ini|'
		echo '644 usr/share/doc/nodecanary/changelog.Debian'
		echo '644 usr/share/lintian/overrides/nodecanary'
	} | sort -k 2)
	actual=$(cd "$ROOT" && find . ! -type d -printf '%m %P\n' |
		sed -E '/ usr\/share\/(doc|man)\//s/\.gz$//' | sort -k 2)
	equal files "$expected" "$actual"
	[ -d "$ROOT/etc/nodecanary/nodecanary.ini.d" ] || fail "no directory for drop-ins"
	equal owners root/root "$(dpkg-deb -c "$DEB" | awk '{ print $2 }' | sort -u)"
}

manual_pages_are_whole() {
	cmp <(zcat "$ROOT/usr/share/man/man8/nodecanary.8.gz") "$TOP/packaging/man/nodecanary.8"
	cmp <(zcat "$ROOT/usr/share/man/man5/nodecanary.ini.5.gz") "$TOP/packaging/man/nodecanary.ini.5"
}

dependencies() {
	equal Depends 'libc6 libinih1 liboping0 systemd' "$(dpkg-deb -f "$DEB" Depends |
		tr ',' '\n' | awk '{ print $1 }' | sed 's/t64$//' | sort | xargs)"
}

# The role for Ansible writes the configuration: an upgrade must not ask about it.
no_conffile() {
	[ ! -e "$CONTROL/conffiles" ] || fail "conffiles: $(cat "$CONTROL/conffiles")"
	{
		maintainer postinst configure
		echo 'cmp /etc/nodecanary/nodecanary.ini /usr/share/nodecanary/nodecanary.ini'
		echo 'echo mine >/etc/nodecanary/nodecanary.ini'
		maintainer postinst configure 0.0.1-1
		echo '[ "$(cat /etc/nodecanary/nodecanary.ini)" = mine ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
	"$ROOT/usr/sbin/nodecanary" -C -c "$ROOT/usr/share/nodecanary/nodecanary.ini" >"$TMP/summary"
	grep -q '^0 groups, 0 peers, 0 packets' "$TMP/summary" || fail "$(cat "$TMP/summary")"
}

hardened() { hardening-check --nocfprotection "$ROOT/usr/sbin/nodecanary"; }

scripts_are_clean() {
	shellcheck -s sh "$CONTROL"/{postinst,prerm,postrm}
	shellcheck -x "$TOP/packaging/deb/build" "$TOP"/packaging/deb/debian/tests/node-exporter
}

# maintainer SCRIPT ARGUMENT...: a line for in_empty_system that calls it.
maintainer() { echo "sh $CONTROL/$*"; }

timer_alone() {
	{
		echo 'mkdir -p /run/systemd/system'
		maintainer postinst configure
		maintainer postinst configure 0.0.1-1
		echo 'cat /run/called'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/called"
	grep -qE '^deb-systemd-invoke start nodecanary.timer *$' "$TMP/called" || fail "not started"
	grep -qE '^deb-systemd-invoke restart nodecanary.timer *$' "$TMP/called" || fail "not restarted"
	if grep service "$TMP/called"; then fail "the service was touched"; fi
	grep -q '^systemd-sysusers nodecanary.conf' "$TMP/called" || fail "no user was made"
}

stops_both() {
	{
		echo 'mkdir -p /run/systemd/system'
		maintainer prerm upgrade 0.2.0-1
		echo 'if grep service /run/called; then exit 1; fi'
		maintainer prerm remove
		echo 'cat /run/called'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/called"
	equal "stopped, in order" "nodecanary.timer nodecanary.service" \
		"$(sed -n 's/^deb-systemd-invoke stop *//p' "$TMP/called" | xargs)"
}

link_when_installed() {
	{
		echo 'mkdir -p $textfiles'
		maintainer postinst configure
		echo '[ "$(readlink $link)" = $target ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

link_by_trigger() {
	equal triggers 'interest-noawait /var/lib/prometheus/node-exporter' \
		"$(grep -v '^#' "$CONTROL/triggers")"
	{
		maintainer postinst configure
		echo '[ ! -e $textfiles ]; mkdir -p $textfiles'
		echo ': >/run/called'
		maintainer postinst triggered /var/lib/prometheus/node-exporter
		echo '[ "$(readlink $link)" = $target ]'
		echo '[ ! -s /run/called ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

link_spares_others() {
	{
		echo 'mkdir -p $textfiles; echo mine >$link'
		maintainer postinst configure
		maintainer postrm remove
		echo '[ "$(cat $link)" = mine ]; rm $link; ln -s /dev/null $link'
		maintainer postinst triggered x
		maintainer postrm remove
		echo '[ "$(readlink $link)" = /dev/null ]; rm $link; ln -s /nowhere $link'
		maintainer postinst configure 0.0.1-1
		maintainer postrm purge
		echo '[ "$(readlink $link)" = /nowhere ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

no_link_beside_the_file() {
	{
		echo 'mkdir -p $textfiles /etc/systemd/system/nodecanary.service.d'
		echo 'cd /etc/systemd/system/nodecanary.service.d'
		echo 'echo "# ExecStart=/x -o $textfiles/nodecanary.prom" >a.conf'
		maintainer postinst configure
		echo '[ "$(readlink $link)" = $target ]; rm $link'
		echo 'echo "ExecStart=/usr/sbin/nodecanary -o $textfiles/nodecanary.prom" >a.conf; rm $target'
		maintainer postinst configure 0.0.1-1
		maintainer postinst triggered x
		echo '[ ! -e $link ] && [ ! -L $link ] && [ ! -e $target ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

keeps_counters() {
	{
		echo 'mkdir /var/lib/nodecanary; echo counters >$target'
		maintainer postinst configure 0.0.1-1
		maintainer postrm upgrade 0.2.0-1
		maintainer prerm remove
		maintainer postrm remove
		maintainer postinst configure 0.1.0-1
		echo '[ "$(cat $target)" = counters ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

# Such as one that was mounted there, or made by hand.
empty_directory() {
	{
		echo 'mkdir -p /var/lib/nodecanary $textfiles'
		maintainer postinst configure
		echo '[ -s $target ] && [ "$(readlink $link)" = $target ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

purge_takes_links() {
	{
		echo 'mkdir -p /var/lib/node_exporter /var/lib/x/y /var/cache'
		echo 'mount -t tmpfs tmpfs /srv; mount -t tmpfs tmpfs /var/cache; mkdir /srv/textfile /var/cache/nodecanary'
		maintainer postinst configure
		echo 'ln -s $target /var/lib/node_exporter/; ln -s ../../nodecanary/nodecanary.prom /var/lib/x/y/n.prom'
		echo 'ln -s $target /srv/textfile/other.prom; ln -s /nowhere /srv/textfile/mine.prom'
		maintainer postrm remove
		maintainer postrm purge
		echo '[ -L /srv/textfile/mine.prom ]'
		echo 'for link in /var/lib/node_exporter/nodecanary.prom /var/lib/x/y/n.prom /srv/textfile/other.prom; do'
		echo '[ ! -L $link ] || { echo "left: $link" >&2; exit 1; }; done'
		echo '[ ! -e /var/cache/nodecanary ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

first_file() {
	{
		maintainer postinst configure
		echo 'stat -c "%a %u" /var/lib/nodecanary $target | xargs >&2'
		echo 'cat $target'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/first.prom" 2>"$TMP/modes"
	equal modes '755 0 644 0' "$(cat "$TMP/modes")"
	first_file_is_taken "$TMP/first.prom"
}

leaves_nothing() {
	{
		echo 'find /etc /var/lib >/run/before'
		echo 'mkdir -p /etc/nodecanary/nodecanary.ini.d'
		echo 'echo mine >/etc/nodecanary/nodecanary.ini.d/mine.ini'
		maintainer postinst configure
		echo 'mkdir -p $textfiles'
		maintainer postinst triggered x
		maintainer prerm remove
		maintainer postrm remove
		echo '[ ! -L $link ]; rm -r /var/lib/prometheus'
		maintainer postrm purge
		echo 'find /etc /var/lib | diff /run/before -'
		echo 'grep -qx "userdel nodecanary" /run/called'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

# As on a minimal Debian 13, where the command is not found.
says_that_the_user_is_left() {
	{
		echo 'mkdir /run/bin; for tool in sh readlink find rm getent deb-systemd-helper; do'
		echo '	ln -s "$(command -v $tool)" /run/bin/$tool; done; PATH=/run/bin'
		maintainer postrm purge
	} >"$TMP/script"
	in_empty_system "$TMP/script" 2>"$TMP/said"
	equal message 'nodecanary: the user nodecanary is left' "$(cat "$TMP/said")"
}

autopkgtest() {
	local tests=$TOP/packaging/deb/debian/tests
	equal tests node-exporter "$(sed -n 's/^Tests: //p' "$tests/control")"
	[ -x "$tests/node-exporter" ] || fail "it cannot be executed"
	grep -q '^Depends: @, prometheus-node-exporter' "$tests/control" || fail "what it installs"
	grep -q '^Restrictions: .*needs-root, isolation-container' "$tests/control" || fail "restrictions"
	grep -q '^Testsuite: autopkgtest$' "$OUT"/*.dsc || fail "the source package does not name it"
}

reproducible() {
	local file
	mkdir "$TMP/source"
	tar -C "$TMP/source" --strip-components=1 -xf "$OUT/nodecanary_$VERSION.orig.tar.gz"
	"$TMP/source/packaging/deb/build" "$TMP/again" >/dev/null
	for file in "$OUT"/*.deb "$OUT"/*.tar.*; do
		cmp "$file" "$TMP/again/${file##*/}"
	done
}

check "the package is built, and nothing is left in the tree" builds
if [ "$failed" -gt 0 ]; then finish; fi
export example=$ROOT/usr/share/nodecanary # for in_empty_system
check "its version is that of the file VERSION" version
check "lintian has nothing to say but what is explained, and all of that" lintian_is_silent
check "one variable names the pages of the project" project_url
check "every lintian override says why" overrides_have_reasons
check "the debug symbols of the program are in the dbgsym package" dbgsym
check "the package holds what make install installs, and Debian's own files" files
check "the manual pages are those of the tree" manual_pages_are_whole
check "it depends on libc, inih, liboping and sysusers alone" dependencies
check "the configuration is no conffile, is put in place once, valid, and without a peer" no_conffile
check "the program is hardened" hardened
check "shellcheck has nothing to say to the scripts" scripts_are_clean
check "installation and upgrade start the timer and nothing else" timer_alone
check "removal stops the timer, then a run that is under way; an upgrade stops no run" stops_both
check "the link is made where node_exporter is installed" link_when_installed
check "the link is made when node_exporter comes later" link_by_trigger
check "whatever else stands in the place of the link stays" link_spares_others
check "no link is made where the service writes into that directory itself" no_link_beside_the_file
check "upgrade, removal and reinstallation keep the counters" keeps_counters
check "before the first run the link leads to a file that the program takes over" first_file
check "an empty directory that is there gets its file and its link" empty_directory
check "purge leaves nothing" leaves_nothing
check "purge says that the user is left where there is no userdel" says_that_the_user_is_left
check "purge takes every link that would lead nowhere, and what Ansible copied" purge_takes_links
check "the autopkgtest declares what it needs" autopkgtest
# It takes as long as all others together; source-archive.sh does the same with the program alone.
[ -z "${ALL-}" ] ||
	check "built again from its own source, elsewhere and without git, it is the same to the byte" reproducible
finish
