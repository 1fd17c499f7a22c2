#!/bin/bash
# The source archive of a release (`make dist`) needs no git, and the program that is built from it
# is the same to the byte wherever that happens.
# check: no, it builds everything several times
# sandbox: no, make needs more than the program

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need make gcc

# What the make that started the tests was told is not for this one.
for name in "${!MAKE@}" MFLAGS CFLAGS CPPFLAGS LDFLAGS CC SANITIZE DEVELOPER BUILD; do
	unset "$name"
done
elsewhere=$TEST_TMP/some/where/nodecanary

behaviour "the archive of an unpacked archive, without git, has the same bytes"
assert_exit 0 "$TOP/packaging/archive" nodecanary "$TEST_TMP/first.tar.gz"
mkdir -p "${elsewhere%/*}"
tar -C "${elsewhere%/*}" -xf "$TEST_TMP/first.tar.gz"
[ ! -e "$elsewhere/.git" ] || fail "git's own files are in it"
mkdir "$elsewhere/build"
touch "$elsewhere/build/left-by-make" "$elsewhere/nodecanary-0.0.1.tar.gz"
assert_exit 0 "$elsewhere/packaging/archive" nodecanary "$TEST_TMP/second.tar.gz"
cmp "$TEST_TMP/first.tar.gz" "$TEST_TMP/second.tar.gz" || fail "the archives differ"

behaviour "the program is the same to the byte in whatever directory it is built"
assert_exit 0 make -C "$TOP" BUILD="$TEST_TMP/build" CFLAGS='-O0 -g' all
assert_exit 0 make -C "$elsewhere" CFLAGS='-O0 -g' all
cmp "$TEST_TMP/build/nodecanary" "$elsewhere/build/nodecanary" || fail "the programs differ"

done_testing
