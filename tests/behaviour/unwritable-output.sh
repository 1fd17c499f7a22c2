#!/bin/bash
# Where the file cannot be written, the exit status is 73, the message is clear, and nothing is
# lost.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need setpriv mount promtool

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
mkdir "$DIR"
cat >"$TEST_TMP/x.ini" <<'INI'
[probe]
count = 2
warmup = 0
interval = 1ms
timeout = 200ms
[peers]
a = 127.1.0.1
b = 127.1.0.2
INI
printf '[peers]\n' >"$TEST_TMP/empty.ini"

# refused TARGET REGEX: one message that names the target, and the dot-file is gone.
refused() {
	run_nc 73 -c "$TEST_TMP/x.ini" -o "$1"
	says 1 "$2"
	assert_file_contains "$TEST_TMP/err" "^nodecanary: $1: "
}

behaviour "a device is never replaced"
: >"$FILE"
mount --bind /dev/null "$FILE"
refused "$FILE" 'special file'
[ -c "$FILE" ] || fail "the device is gone"
nothing_beside "$FILE"
umount "$FILE"
rm "$FILE"

behaviour "what is no .prom file is refused before anything is read, as in the configuration"
for name in /dev/null x.txt "$DIR/" "$DIR/.." "$DIR/.prom" ''; do
	run_nc 64 -c "$TEST_TMP/missing.ini" -o "$name"
	says 1 "^nodecanary: -o \`$name\`: expected - or a file that ends in \.prom"
done
nothing_beside "$DIR/"

behaviour "a directory is never replaced"
mkdir "$FILE"
refused "$FILE" 'directory'
[ -d "$FILE" ] || fail "the directory is gone"
nothing_beside "$FILE"
rmdir "$FILE"

behaviour "a symbolic link is never replaced or followed, wherever it leads"
echo precious >"$TEST_TMP/elsewhere"
for to in "$TEST_TMP/elsewhere" nowhere; do
	ln -sfn "$to" "$FILE"
	refused "$FILE" 'symbolic link'
	assert_eq "$to" "$(readlink "$FILE")"
	nothing_beside "$FILE"
done
assert_eq precious "$(cat "$TEST_TMP/elsewhere")"
rm "$FILE"

behaviour "a FIFO is never replaced, read or written"
mkfifo "$FILE"
refused "$FILE" 'special file'
[ -p "$FILE" ] || fail "the FIFO is gone"
rm "$FILE"

behaviour "a name that no file can have is refused"
refused "$DIR/$(printf '%0300d' 0).prom" 'expected the name of a file'
nothing_beside "$DIR/"

behaviour "a missing directory is named and not made"
refused "$TEST_TMP/missing/x.prom" 'No such file or directory'
[ ! -e "$TEST_TMP/missing" ] || fail "it was made"
refused "$TEST_TMP/x.ini/x.prom" 'Not a directory'

behaviour "a name without a directory is one in the working directory"
cd "$DIR" || exit 1
run_nc 0 -c "$TEST_TMP/x.ini" -o x.prom
silent
nothing_beside "$FILE"
cd "$TEST_TMP" || exit 1

behaviour "the target is refused before the first packet"
rx=$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)
refused "$TEST_TMP/missing/x.prom" 'No such file'
assert_eq "$rx" "$(awk '$1 == "lo:" { print $3 }' /proc/net/dev)" "packets on loopback"

behaviour "a full file system keeps the old file, byte by byte, and goes on when there is room"
mkdir "$TEST_TMP/full"
mount -t tmpfs -o size=64k full "$TEST_TMP/full"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$TEST_TMP/full/x.prom"
cp "$TEST_TMP/full/x.prom" "$TEST_TMP/old"
dd if=/dev/zero of="$TEST_TMP/full/filler" bs=4k 2>"$TEST_TMP/dd.log" || true
refused "$TEST_TMP/full/x.prom" 'No space left on device'
cmp "$TEST_TMP/old" "$TEST_TMP/full/x.prom"
nothing_beside "$TEST_TMP/full/filler" x.prom
# Room for the beginning of the file.
truncate -s -4096 "$TEST_TMP/full/filler"
refused "$TEST_TMP/full/x.prom" 'No space left on device'
cmp "$TEST_TMP/old" "$TEST_TMP/full/x.prom"
nothing_beside "$TEST_TMP/full/filler" x.prom
rm "$TEST_TMP/full/filler"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$TEST_TMP/full/x.prom"
silent
assert_eq 2 "$(value "$TEST_TMP/full/x.prom" nodecanary_runs_total)"

behaviour "a broken configuration on a full file system keeps the old file, too"
echo nonsense >"$TEST_TMP/broken.ini"
cp "$TEST_TMP/full/x.prom" "$TEST_TMP/old"
dd if=/dev/zero of="$TEST_TMP/full/filler" bs=4k 2>"$TEST_TMP/dd.log" || true
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$TEST_TMP/full/x.prom"
assert_file_contains "$TEST_TMP/err" 'No space left on device'
cmp "$TEST_TMP/old" "$TEST_TMP/full/x.prom"
nothing_beside "$TEST_TMP/full/filler" x.prom
rm "$TEST_TMP/full/filler"

behaviour "a file system without a free inode keeps the old file"
mkdir "$TEST_TMP/inodes"
mount -t tmpfs -o nr_inodes=2 inodes "$TEST_TMP/inodes"
cp "$TEST_TMP/old" "$TEST_TMP/inodes/x.prom"
refused "$TEST_TMP/inodes/x.prom" 'No space left on device'
cmp "$TEST_TMP/old" "$TEST_TMP/inodes/x.prom"

behaviour "a read-only file system is named and keeps the old file"
cp "$TEST_TMP/full/x.prom" "$TEST_TMP/old"
mount -o remount,bind,ro "$TEST_TMP/full"
refused "$TEST_TMP/full/x.prom" 'Read-only file system'
cmp "$TEST_TMP/old" "$TEST_TMP/full/x.prom"
nothing_beside "$TEST_TMP/full/x.prom"

behaviour "the limit of a file's size keeps the old file"
cp "$FILE" "$TEST_TMP/old"
# shellcheck disable=SC2016 # the inner shell expands it
assert_exit 73 bash -c 'ulimit -f 1; exec "$1" -c x.ini -o "$2"' - "$NC" "$FILE"
says 1 'File too large'
cmp "$TEST_TMP/old" "$FILE"
nothing_beside "$FILE"

behaviour "node_exporter, another user, can read the file whatever the umask is"
for mask in 077 000 0777; do
	rm -f "$FILE"
	(umask $mask && exec "$NC" -c "$TEST_TMP/x.ini" -o "$FILE")
	assert_eq 644 "$(stat -c %a "$FILE")" "mode under umask $mask"
	(umask $mask && exec "$NC" -c "$TEST_TMP/broken.ini" -o "$FILE" 2>"$TEST_TMP/err") || true
	assert_eq 644 "$(stat -c %a "$FILE")" "mode of a failed run's file under umask $mask"
done

behaviour "an old file that cannot be opened stays, or is given up with a warning"
chmod 0000 "$FILE"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
assert_eq 644 "$(stat -c %a "$FILE")"

as_user 4242 true 2>"$TEST_TMP/err" || skip "no other users here: targets of other users"

# A place that other users reach, with all that they need.
mount -t tmpfs -o mode=755 shared /mnt
cp "$NC" /mnt/nodecanary
mkdir /mnt/textfiles
mv "$FILE" "$TEST_TMP/old"
cp "$TEST_TMP/old" "$TEST_TMP/empty.ini" /mnt/
FILE=/mnt/textfiles/x.prom
cp "$TEST_TMP/old" "$FILE"

behaviour "a directory that the user may not write is named, and keeps the old file"
assert_exit 73 as_user 4242 /mnt/nodecanary -c /mnt/empty.ini -o "$FILE"
says 1 'Permission denied'
cmp "$TEST_TMP/old" "$FILE"
nothing_beside "$FILE"

behaviour "a file that the user may not read is replaced with one warning"
chown 4242 /mnt/textfiles
chmod 600 "$FILE"
assert_exit 0 as_user 4242 /mnt/nodecanary -c /mnt/empty.ini -o "$FILE"
says 1 'Permission denied'
assert_eq 644/4242 "$(stat -c %a/%u "$FILE")"
assert_eq 1 "$(value "$FILE" nodecanary_runs_total)"
nothing_beside "$FILE"

behaviour "a configuration that the user may not read is an error, and the target gets to know"
chmod 600 /mnt/empty.ini
assert_exit 78 as_user 4242 /mnt/nodecanary -c /mnt/empty.ini -o "$FILE"
says 1 '^nodecanary: /mnt/empty\.ini: cannot open: Permission denied'
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
assert_eq 1 "$(value "$FILE" nodecanary_runs_total)"

done_testing
