#!/bin/bash
# `make install` and `uninstall` put and remove the right files, and the user's flags reach the
# compiler.
# sandbox: no, make needs more than the program

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need make gcc

ROOT="$TEST_TMP/a root"
# What the make that started the tests was told is not for this one.
for name in "${!MAKE@}" MFLAGS CFLAGS CPPFLAGS LDFLAGS CC SANITIZE DEVELOPER BUILD DESTDIR PREFIX \
	SYSCONFDIR; do
	unset "$name"
done

# build TARGET ARGUMENT...: in a directory of its own, from a copy of the sources.
build() { assert_exit 0 make -C "$TOP" BUILD="$TEST_TMP/build" "$@"; }

# -O0 compiles faster. Our functions must replace the calls of liboping even if they are hidden.
USER_CFLAGS='-fvisibility=hidden -O0'

# installed: all that lies there, with modes.
installed() { (cd "$ROOT" && find . ! -type d -printf '%m %P\n' | sort -k2); }

behaviour "the user's CFLAGS are used, and the program's own come beside them"
build V=1 CFLAGS="$USER_CFLAGS" CPPFLAGS=-DUSERS_OWN LDFLAGS=-Wl,-O2 all
lines=$(grep -c -e ' -c -o ' "$TEST_TMP/out")
assert_le 20 "$lines" "compiled files"
for flag in -std=c11 -D_GNU_SOURCE -O0 -DUSERS_OWN -fstack-protector-strong -Wconversion; do
	assert_eq "$lines" "$(grep -e ' -c -o ' "$TEST_TMP/out" | grep -c -e " $flag ")" "lines with $flag"
done
# What is given last wins: nothing of ours may stand after it.
assert_eq "$lines" "$(grep -e ' -c -o ' "$TEST_TMP/out" | grep -c -e ' -O0 -MMD -MP -c -o ')"
assert_not_contains "$TEST_TMP/out" ' -(O2|g) '
assert_file_contains "$TEST_TMP/out" ' -O0 .*-Wl,-O2 -o .*/nodecanary .*-loping'

behaviour "the calls of liboping are replaced even if the user's CFLAGS hide all functions"
ip link set lo up
printf '%s\n' '[probe]' 'count = 2' 'warmup = 0' 'interval = 10ms' '[peers]' 'a = 127.0.0.1' >a.ini
assert_exit 0 "$TEST_TMP/build/nodecanary" -c a.ini -o "$TEST_TMP/a.prom"
assert_eq 2 "$(sum a.prom nodecanary_replies_total)"

behaviour "nothing is built again that is up to date"
build V=1 CFLAGS="$USER_CFLAGS" all
assert_not_contains "$TEST_TMP/out" ' -c -o | -o .*/nodecanary'

behaviour "install puts these files into DESTDIR and PREFIX, and no others"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" PREFIX=/usr install
assert_eq '644 etc/nodecanary/nodecanary.ini
644 usr/lib/systemd/system/nodecanary.service
644 usr/lib/systemd/system/nodecanary.timer
644 usr/lib/sysusers.d/nodecanary.conf
755 usr/sbin/nodecanary
644 usr/share/bash-completion/completions/nodecanary
644 usr/share/doc/nodecanary/60-nodecanary-sysctl.conf
644 usr/share/doc/nodecanary/CHANGELOG.md
644 usr/share/doc/nodecanary/LICENSE
644 usr/share/doc/nodecanary/README.md
644 usr/share/doc/nodecanary/loopback.ini
644 usr/share/doc/nodecanary/metrics.md
644 usr/share/doc/nodecanary/mount-sandbox.conf
644 usr/share/doc/nodecanary/nodecanary.alerts.yml
644 usr/share/doc/nodecanary/nodecanary.rules.yml
644 usr/share/doc/nodecanary/queries.md
644 usr/share/doc/nodecanary/runbook.md
644 usr/share/fish/vendor_completions.d/nodecanary.fish
644 usr/share/man/man5/nodecanary.ini.5
644 usr/share/man/man8/nodecanary.8
644 usr/share/zsh/vendor-completions/_nodecanary' "$(installed)"
[ -d "$ROOT/etc/nodecanary/nodecanary.ini.d" ] || fail "no directory for drop-ins"
assert_eq "nodecanary $(cat "$TOP/VERSION")" "$("$ROOT/usr/sbin/nodecanary" -V)"

behaviour "installed for this machine, it says what is to be done next, in the words of README"
HERE=$TEST_TMP/here # without blanks, as it becomes part of the program
# Into a directory that the prefixes name, as nobody installs into the machine here.
build CFLAGS="$USER_CFLAGS" PREFIX="$HERE" SYSCONFDIR="$HERE/etc" install
grep '^  NEXT' "$TEST_TMP/out" | sed 's/^  NEXT *//' >"$TEST_TMP/next"
assert_eq 3 "$(wc -l <"$TEST_TMP/next")" "lines"
while read -r line; do
	grep -qF "\`$line\`" "$TOP/README.md" || fail "README does not say: $line"
done <"$TEST_TMP/next"
# The file is there before the link is.
grep -n -e 'start nodecanary.service' -e '^ln -s' "$TEST_TMP/next" | cut -d : -f 1 | sort -nc
# The unit starts the program that was installed, and all that it needs was installed with it.
assert_file_contains "$HERE/lib/systemd/system/nodecanary.service" "^ExecStart=$HERE/sbin/nodecanary "
[ -x "$HERE/sbin/nodecanary" ] || fail "no program"
assert_file_contains "$HERE/lib/sysusers.d/nodecanary.conf" '^u nodecanary '
rm -r "$HERE"

behaviour "the example configuration that is installed is valid"
assert_exit 0 "$ROOT/usr/sbin/nodecanary" -C -c "$ROOT/etc/nodecanary/nodecanary.ini"
assert_exit 0 "$ROOT/usr/sbin/nodecanary" -C -c "$ROOT/usr/share/doc/nodecanary/loopback.ini"

behaviour "a configuration that was changed survives install and uninstall"
echo '; mine' >>"$ROOT/etc/nodecanary/nodecanary.ini"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" PREFIX=/usr install
assert_eq '; mine' "$(tail -n 1 "$ROOT/etc/nodecanary/nodecanary.ini")"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" PREFIX=/usr uninstall
assert_eq '644 etc/nodecanary/nodecanary.ini' "$(installed)"

behaviour "uninstall leaves nothing of an installation that was not touched"
rm -r "$ROOT"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" install
[ -x "$ROOT/usr/local/sbin/nodecanary" ] || fail "not in /usr/local"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" uninstall
assert_eq '' "$(installed)"
[ ! -e "$ROOT/etc/nodecanary" ] || fail "a directory is left"

behaviour "a PREFIX of a user's own holds everything, and the program reads its configuration there"
home=$TEST_TMP/home/.local
build CFLAGS="$USER_CFLAGS" PREFIX="$home" install
assert_eq "644 nodecanary.ini" "$(cd "$home/etc/nodecanary" && find . -type f -printf '%m %P\n')"
assert_exit 0 "$home/sbin/nodecanary" -C
assert_file_contains "$TEST_TMP/out" '^0 groups, 0 peers'
echo 'nonsense' >"$home/etc/nodecanary/nodecanary.ini.d/x.ini"
assert_exit 78 "$home/sbin/nodecanary" -C
says 1 "$home/etc/nodecanary/nodecanary.ini.d/x.ini"
rm "$home/etc/nodecanary/nodecanary.ini.d/x.ini"
build CFLAGS="$USER_CFLAGS" PREFIX="$home" uninstall
assert_eq '' "$(find "$home" -type f)"

behaviour "the unit and the manual pages name the places where the files are"
rm -rf "$ROOT"
build CFLAGS="$USER_CFLAGS" DESTDIR="$ROOT" PREFIX=/opt/canary SYSCONFDIR=/srv/etc install
pages=$ROOT/opt/canary/share/man
for file in "$pages/man8/nodecanary.8" "$pages/man5/nodecanary.ini.5"; do
	assert_file_contains "$file" '/srv/etc/nodecanary/nodecanary.ini$'
	assert_not_contains "$file" '(^|[^v])/etc/nodecanary|/usr/sbin/nodecanary'
done
assert_file_contains "$ROOT/opt/canary/lib/systemd/system/nodecanary.service" \
	'^ExecStart=/opt/canary/sbin/nodecanary '
assert_file_contains "$ROOT/opt/canary/sbin/nodecanary" '/srv/etc/nodecanary/nodecanary.ini'

done_testing
