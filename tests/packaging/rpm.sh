#!/bin/bash
# The RPM package is right, as far as Debian's rpm can build and check it.
# shellcheck disable=SC2317,SC2016 # called by check; expanded elsewhere
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"
# Some of rpm's tools make themselves a database there.
export HOME=$TMP
need_tools rpmbuild rpm rpmlint shellcheck unshare

OUT=$TMP/packages
VERSION=$(sed 's/-/~/' "$TOP/VERSION")
SPEC=$TOP/packaging/rpm/nodecanary.spec
RPM=$OUT/nodecanary-$VERSION-1.$(rpm --eval '%{_target_cpu}').rpm
if ! [ -e /etc/debian_version ]; then RPM=$OUT/nodecanary-$VERSION-1$(rpm --eval '%{?dist}.%{_target_cpu}').rpm; fi

query() { rpm -qp --dbpath "$TMP/rpmdb" "$@" "$RPM"; }

builds() {
	local before
	before=$(files_of_tree)
	"$TOP/packaging/rpm/build" "$OUT"
	equal tree "$before" "$(files_of_tree)"
	[ -e "$RPM" ] || fail "no $RPM"
	[ -e "$OUT/nodecanary-$VERSION-1.src.rpm" ] || fail "no source package"
}

tags() {
	equal tags "nodecanary $VERSION 1 Apache-2.0" \
		"$(query --qf '%{NAME} %{VERSION} %{RELEASE} %{LICENSE}')"
	equal "version in the spec" "$VERSION" "$(sed -n 's/^Version: *//p' "$SPEC")"
	# The newest entry of its changelog is of this version.
	equal changelog "$VERSION-1" "$(awk '/^%changelog/ { getline; print $NF }' "$SPEC")"
}

# An error or a warning, or a filter that filters nothing (an error as well).
rpmlint_is_silent() {
	rpmlint -r "$TOP/packaging/rpm/nodecanary.rpmlintrc" "$OUT"/*.rpm "$SPEC" | tee "$TMP/rpmlint"
	grep -q '2 packages and 1 specfiles checked; 0 errors, 0 warnings' "$TMP/rpmlint"
}

filters_have_reasons() {
	awk '/^#/ { reason = 1; next } /^addFilter/ && !reason { print; bad = 1 } !NF { reason = 0 }
		END { exit bad }' "$TOP/packaging/rpm/nodecanary.rpmlintrc"
}

# rpm's own is the directory of build IDs; the licence has a place of its own, the state is not in
# it, and manual pages are compressed.
files() {
	local expected
	expected=$(installed "$TMP/make-install" ZSHCOMPDIR=/usr/share/zsh/site-functions |
		sed 's|share/doc/nodecanary/LICENSE$|share/licenses/nodecanary/LICENSE|' | sort -k 2)
	equal files "$expected" "$(query --qf '[%{FILEMODES:octal} %{FILEFLAGS:fflags}/ %{FILENAMES}\n]' |
		awk '$1 ~ /^10/ && $2 !~ /g/ { sub(/^\//, "", $3); print substr($1, 4), $3 }' |
		sed -E '/share\/man/s/\.gz$//' | sort -k 2)"
	query -l >"$TMP/list"
	grep -qx /etc/nodecanary/nodecanary.ini.d "$TMP/list" || fail "no directory for drop-ins"
}

kinds() {
	equal configuration /etc/nodecanary/nodecanary.ini "$(query --configfiles)"
	equal "flags of the configuration" cn "$(query --qf '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' |
		awk '$1 == "/etc/nodecanary/nodecanary.ini" { print $2 }')"
	equal licence /usr/share/licenses/nodecanary/LICENSE "$(query --licensefiles)"
	query --docfiles >"$TMP/docs"
	for file in /usr/share/doc/nodecanary/{README.md,CHANGELOG.md,metrics.md,queries.md,loopback.ini} \
		/usr/share/man/man8/nodecanary.8.gz /usr/share/man/man5/nodecanary.ini.5.gz; do
		grep -qx "$file" "$TMP/docs" || fail "$file is no documentation"
	done
}

dependencies() {
	equal libraries 'libc.so.6 libinih.so.1 liboping.so.0' \
		"$(query --requires | grep -oE '^lib[a-z]+\.so\.[0-9]+' | sort -u | xargs)"
	equal others '/bin/sh /usr/bin/systemd-sysusers systemd' "$(query --requires |
		grep -vE '^(lib|rtld|rpmlib|config\()' | sort -u | xargs)"
	query --provides | grep -q "^nodecanary = $VERSION-1"
}

# scriptlet TAG: as it is in the package.
scriptlet() { query --qf "%{$1}\n"; }

scriptlets_are_clean() {
	local tag
	mkdir -p "$TMP/scriptlets"
	for tag in PREIN POSTIN PREUN POSTUN TRANSFILETRIGGERSCRIPTS; do
		{
			echo '#!/bin/sh'
			scriptlet "$tag"
		} >"$TMP/scriptlets/$tag"
		if grep -n '%' "$TMP/scriptlets/$tag"; then fail "$tag: a macro that is not expanded"; fi
		[ "$(wc -l <"$TMP/scriptlets/$tag")" -gt 3 ] || fail "$tag is empty"
		# $1 is a number; an && || chain ends with : on purpose.
		shellcheck -e SC2086,SC2015 "$TMP/scriptlets/$tag"
	done
	shellcheck -x "$TOP/packaging/rpm/build"
}

# call TAG NUMBER: a line for in_empty_system that calls a scriptlet.
call() { echo "sh -e $TMP/scriptlets/$1 $2"; }

timer_alone() {
	{
		echo 'mkdir -p /run/systemd/system /var/lib/nodecanary'
		call PREIN 1
		call POSTIN 1
		echo 'cat /run/called'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/called"
	equal calls 'systemctl --no-reload preset nodecanary.timer' \
		"$(sed 's/ *$//' "$TMP/called" | grep systemctl)"
	grep -q '^systemd-sysusers --replace=/usr/lib/sysusers.d/nodecanary.conf -' "$TMP/called" ||
		fail "no user was made"
	{
		echo 'mkdir -p /run/systemd/system /var/lib/nodecanary'
		call POSTIN 2
		call PREUN 1
		call POSTUN 1
		echo 'cat /run/called'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/called"
	if grep -E 'service|preset|disable' "$TMP/called"; then fail "an upgrade does that"; fi
	grep -q 'try-restart nodecanary.timer' "$TMP/called" || fail "the timer is not restarted"
}

link_is_made_and_removed() {
	{
		echo 'mkdir -p $textfiles /var/lib/nodecanary'
		call POSTIN 1
		echo '[ "$(readlink $link)" = $target ]'
		call PREUN 1
		echo '[ "$(readlink $link)" = $target ]'
		echo ': >/var/lib/nodecanary/.nodecanary.prom.new'
		call PREUN 0
		echo '[ ! -L $link ]; [ ! -e /var/lib/nodecanary/.nodecanary.prom.new ]'
		call TRANSFILETRIGGERSCRIPTS ''
		echo '[ "$(readlink $link)" = $target ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
	query --filetriggers | grep -q -- '-- /var/lib/prometheus/node-exporter$'
}

link_spares_others() {
	{
		echo 'mkdir -p $textfiles /var/lib/nodecanary; echo mine >$link'
		call POSTIN 1
		call TRANSFILETRIGGERSCRIPTS ''
		call PREUN 0
		echo '[ "$(cat $link)" = mine ]; rm $link; ln -s /dev/null $link'
		call POSTIN 2
		call PREUN 0
		echo '[ "$(readlink $link)" = /dev/null ]; rm $link'
		echo 'mkdir -p /etc/systemd/system/nodecanary.service.d'
		echo 'echo "ExecStart=/usr/sbin/nodecanary -o $textfiles/x.prom" >/etc/systemd/system/nodecanary.service.d/a.conf'
		call POSTIN 2
		call TRANSFILETRIGGERSCRIPTS ''
		echo '[ ! -e $link ] && [ ! -L $link ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

first_file() {
	{
		echo 'mkdir /var/lib/nodecanary'
		call POSTIN 1
		echo 'cat $target'
	} >"$TMP/script"
	in_empty_system "$TMP/script" >"$TMP/first.prom"
	first_file_is_taken "$TMP/first.prom"
	{
		echo 'mkdir /var/lib/nodecanary; echo counters >$target'
		call POSTIN 1
		call POSTIN 2
		echo '[ "$(cat $target)" = counters ]'
	} >"$TMP/script"
	in_empty_system "$TMP/script"
}

# With rpm itself into a directory; its scriptlets are tested above.
installs_and_goes() {
	local root=$TMP/rpmroot act upgrade=$TMP/upgrade
	PACKAGE_REVISION=2 "$TOP/packaging/rpm/build" "$upgrade" >/dev/null
	mkdir "$root"
	act=(isolated rpm --root "$root" --dbpath /rpmdb --nodeps --noscripts --notriggers)
	"${act[@]}" -i "$RPM"
	[ -x "$root/usr/sbin/nodecanary" ] || fail "no program"
	[ -d "$root/var/lib/nodecanary" ] || fail "no directory for the state"
	[ ! -e "$root/var/lib/nodecanary/nodecanary.prom" ] || fail "a state is packaged"
	echo '; mine' >>"$root/etc/nodecanary/nodecanary.ini"
	echo counters >"$root/var/lib/nodecanary/nodecanary.prom"
	"${act[@]}" -U "$upgrade"/nodecanary-"$VERSION"-2*"$(rpm --eval '%{_target_cpu}')".rpm
	equal configuration '; mine' "$(tail -n 1 "$root/etc/nodecanary/nodecanary.ini")"
	equal state counters "$(cat "$root/var/lib/nodecanary/nodecanary.prom")"
	"${act[@]}" -e nodecanary
	equal "what is left" './etc/nodecanary/nodecanary.ini.rpmsave' \
		"$(cd "$root" && find . -path ./rpmdb -prune -o ! -type d -print)"
	[ ! -e "$root/var/lib/nodecanary" ] || fail "the directory of the state is left"
}

check "the package is built, and nothing is left in the tree" builds
if [ "$failed" -gt 0 ]; then finish; fi
check "its version is that of the file VERSION" tags
check "rpmlint has nothing to say but what is explained, and all of that" rpmlint_is_silent
check "every filter of rpmlint says why" filters_have_reasons
check "the package holds what make install installs" files
check "configuration, licence and documentation are marked as such" kinds
check "it requires libc, inih, liboping and systemd alone" dependencies
check "shellcheck has nothing to say to the scriptlets" scriptlets_are_clean
check "installation and upgrade concern the timer and nothing else" timer_alone
check "the link is made, when node_exporter comes later too, and goes" link_is_made_and_removed
check "whatever else stands in the place of the link stays" link_spares_others
check "before the first run the link leads to a file that the program takes over" first_file
check "an upgrade keeps configuration and counters, an erasure leaves nothing" installs_and_goes
finish
