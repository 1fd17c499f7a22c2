#!/bin/bash
# What `make release` makes can be installed by whoever downloads it, and is the same each time.
# shellcheck disable=SC2317 # called by check
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"
export HOME=$TMP LC_ALL=C.UTF-8
need_tools dpkg-buildpackage rpmbuild rpm ansible-galaxy mandoc apt-ftparchive createrepo_c gpg apt-get
VERSION=$(cat "$TOP/VERSION")
ARCHITECTURE=$(dpkg --print-architecture)
OUT=$TMP/release
STATIC=nodecanary-$VERSION-linux-$ARCHITECTURE

# A key of its own, that ends with the test.
builds() {
	[ -d "$TOP/build/musl/$ARCHITECTURE/sysroot" ] || skip "make musl has not been run"
	gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
		--quick-generate-key test@nodecanary.example ed25519 sign
	RELEASE_UNCLEAN=1 RELEASE_ARCHITECTURES=$ARCHITECTURE RELEASE_KEY=test@nodecanary.example \
		"$TOP/packaging/release" "$OUT"
}

sums() {
	(cd "$OUT" && sha256sum --quiet -c SHA256SUMS)
	gpg --verify "$OUT/SHA256SUMS.asc" "$OUT/SHA256SUMS"
	gpg --verify "$OUT/yum/repodata/repomd.xml.asc" "$OUT/yum/repodata/repomd.xml"
	equal "files without a sum" "" "$(cd "$OUT" && find . -type f ! -name '*.asc' ! -name '*.gpg' \
		! -name InRelease ! -name SHA256SUMS -printf '%P\n' | sort |
		comm -3 - <(awk '{ print $2 }' SHA256SUMS | sort))"
}

# apt, told of nothing but this directory, believes its signature and downloads the package.
apt_repository() {
	local root=$TMP/apt options
	mkdir -p "$root"/{lists/partial,archives/partial}
	echo "deb [signed-by=$OUT/nodecanary.asc] file:$OUT/apt stable main" >"$root/sources.list"
	: >"$root/status"
	options=(-qq -o "Dir::Etc::sourcelist=$root/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::Lists=$root/lists" -o "Dir::Cache=$root" -o "Dir::State::status=$root/status"
		-o APT::Sandbox::User=root)
	apt-get "${options[@]}" update
	(cd "$root" && apt-get "${options[@]}" download nodecanary)
	cmp "$root"/nodecanary_*.deb "$OUT"/apt/pool/nodecanary_*"_$ARCHITECTURE.deb"
	sed -i 's/^Description: ping/Description: pong/' \
		"$OUT/apt/dists/stable/main/binary-$ARCHITECTURE/Packages"
	rm "$OUT/apt/dists/stable/main/binary-$ARCHITECTURE/Packages.gz"
	rm -r "$root/lists"
	mkdir -p "$root/lists/partial"
	if apt-get "${options[@]}" update; then fail "a changed index is believed"; fi
}

yum_repository() {
	local rpm
	rpm=$(cd "$OUT/yum" && ls -- *.rpm)
	zcat "$OUT"/yum/repodata/*-primary.xml.gz | grep -qF "<location href=\"$rpm\"/>"
	# The static program: nothing is required but what runs the scripts.
	equal requirements '/bin/sh /usr/bin/systemd-sysusers systemd' "$(rpm -qp --requires "$OUT/yum/$rpm" |
		grep -vE '^(rtld|rpmlib|config\()' | sort -u | xargs)"
	rpm2cpio "$OUT/yum/$rpm" | (mkdir "$TMP/rpm" && cd "$TMP/rpm" && cpio -idm --quiet)
	equal version "nodecanary $VERSION" "$("$TMP/rpm/usr/sbin/nodecanary" -V)"
}

static_program() {
	local root=$TMP/root
	mkdir "$TMP/unpacked"
	tar -C "$TMP/unpacked" -xf "$OUT/$STATIC.tar.gz"
	"$TMP/unpacked/$STATIC/install" "$root"
	"$root/usr/local/sbin/nodecanary" -C -c "$root/etc/nodecanary/nodecanary.ini"
	grep -q '^ExecStart=/usr/local/sbin/nodecanary ' \
		"$root/usr/local/lib/systemd/system/nodecanary.service"
	# Installed again, it replaces the program and leaves the configuration.
	echo '; mine' >>"$root/etc/nodecanary/nodecanary.ini"
	echo old >"$root/usr/local/sbin/nodecanary"
	"$TMP/unpacked/$STATIC/install" "$root"
	equal version "nodecanary $VERSION" "$("$root/usr/local/sbin/nodecanary" -V)"
	equal configuration '; mine' "$(tail -n 1 "$root/etc/nodecanary/nodecanary.ini")"
	shellcheck "$TMP/unpacked/$STATIC/install" "$TOP/packaging/release" "$TOP/packaging/archive" \
		"$TOP/packaging/static/build"
}

collection() {
	local playbook=$TMP/play.yml
	ansible-galaxy collection install "$OUT/nodecanary-fleet-$VERSION.tar.gz" -p "$TMP/collections"
	printf '%s\n' '- hosts: all' '  gather_facts: false' '  roles:' \
		'    - role: nodecanary.fleet.nodecanary' >"$playbook"
	ANSIBLE_COLLECTIONS_PATH=$TMP/collections ANSIBLE_COLLECTIONS_PATHS=$TMP/collections \
		ansible-playbook --syntax-check -i localhost, "$playbook"
}

# A page that refers to the other finds it.
pages() {
	local link
	grep -ohE 'href="nodecanary[^"#]*"' "$OUT"/man/*.html | cut -d '"' -f 2 >"$TMP/links"
	while read -r link; do
		[ -e "$OUT/man/$link" ] || fail "$link is not there"
	done <"$TMP/links"
	grep -q 'href="nodecanary.ini.5.html"' "$OUT/man/nodecanary.8.html"
}

reproducible() {
	RELEASE_UNCLEAN=1 RELEASE_ARCHITECTURES=$ARCHITECTURE "$TOP/packaging/release" "$TMP/again" >/dev/null
	diff "$TMP/again/SHA256SUMS" "$OUT/SHA256SUMS"
	(cd "$TMP/again" && cmp SHA256SUMS "$OUT/SHA256SUMS" && sha256sum --quiet -c SHA256SUMS)
}

check "make release makes everything, signed by the key that is named" builds
if [ "$failed" -gt 0 ] || [ "$skipped" -gt 0 ]; then finish; fi
check "every file has its sum, and the signatures are good" sums
check "the static program is installed, upgraded, and its configuration kept" static_program
check "the directory is a yum repository, whose package needs no library" yum_repository
check "the collection is installed, and its role found" collection
check "the manual pages refer to each other" pages
check "built again it is the same to the byte, signatures apart" reproducible
check "the directory is an apt repository, and a changed index is not believed" apt_repository
finish
