#!/bin/bash
# A disk that is full, over quota, broken or gone, or a hostile user in the directory, never spoils
# the published file.
# What unwritable-output.sh shows (full, no inodes, read-only, limits) is not repeated.
# time-limit: 400
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need setpriv strace python3 mkfs.btrfs btrfs mkfs.ext4

# Several buffers of output.
write_ini() {
	printf '%s\n' '[collector]' 'deadline = 1h' '[probe]' 'count = 2' 'warmup = 0' \
		"interval = $1" 'timeout = 200ms' '[peers]'
	for ((i = 1; i <= 120; i++)); do echo "p$i = 127.1.0.$i"; done
}
write_ini 1ms >x.ini
write_ini 60s >long.ini
printf '[peers]\n' >empty.ini

runs() { value "$1" nodecanary_runs_total; }

# The long run for FILE has begun, and waits.
begin() {
	rx=$(packets rx lo)
	nc_start -c long.ini -o "$1"
	# Requests and answers of the first round.
	wait_until 10 packets_reach rx $((rx + 240)) lo
}

# end CODE: it is told to end.
end() {
	kill -TERM "$NC_PID"
	nc_end "$1" 10
}

# disk DIR SIZE MKFS...: a file system of its own.
disk() {
	mkdir "$1"
	truncate -s "$2" "$1.img"
	"${@:3}" -q "$1.img" >mkfs.log 2>&1
	mount -o loop "$1.img" "$1" 2>mount.err || skip "no loop devices here: $(cat mount.err)"
}

behaviour "the first file of a file system without room is not there at all, rather than in part"
mkdir small
mount -t tmpfs -o size=24k small small
run_nc 73 -c x.ini -o small/x.prom
says 1 '^nodecanary: small/x\.prom: .*No space left on device'
assert_eq "" "$(ls -A small)" "files"

behaviour "a file system that fills up while a run goes on keeps the old file"
mount -o remount,size=2M small
run_nc 0 -c x.ini -o small/x.prom
cp small/x.prom old
begin small/x.prom
dd if=/dev/zero of=small/filler bs=4k 2>dd.log || true
end 73
says 1 'No space left on device'
cmp old small/x.prom
nothing_beside small/filler x.prom
rm small/filler
run_nc 0 -c x.ini -o small/x.prom
silent
assert_eq 2 "$(runs small/x.prom)"

behaviour "a directory that is removed during a run is named, and not made again"
mkdir gone
begin "$TEST_TMP/gone/x.prom"
rm -r gone
end 73
says 1 'gone/x\.prom: another process removed or replaced \.x\.prom\.new'
[ ! -e gone ] || fail "it was made again"

behaviour "a directory that becomes a link during a run is not followed: the file is where the run began"
mkdir real elsewhere
run_nc 0 -c x.ini -o "$TEST_TMP/real/x.prom"
begin "$TEST_TMP/real/x.prom"
mv real moved
ln -s elsewhere real
end 0
assert_eq "" "$(ls -A elsewhere)" "files where the link leads"
nothing_beside moved/x.prom
assert_eq 2 "$(runs moved/x.prom)"

as_user 4242 true 2>as_user.err || skip "no other users here: the hostile one"

# hostile.py DIR PRECIOUS PAUSE: plants whatever there is under both names, as fast as it can, and also
# where the time between two calls of the program is stretched; until it is killed.
cat >hostile.py <<'PYTHON'
import fcntl, os, random, signal, socket, sys, time

directory, precious = sys.argv[1:3]
pause = float(sys.argv[3])
NAMES = ".x.prom.new", "x.prom"
os.chdir(directory)
signal.signal(signal.SIGIO, signal.SIG_IGN) # tells of those who want what we hold

def remove(name):
    try:
        if os.path.isdir(name) and not os.path.islink(name):
            os.rmdir(name)
        else:
            os.unlink(name)
    except OSError:
        pass

def a_socket(name):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(name)

def unreadable(name):
    os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0))

held = []

def hold(name):
    """A file whose opening or locking waits for us, for whoever lets it."""
    held.append(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    fcntl.fcntl(held[-1], fcntl.F_SETLEASE, fcntl.F_WRLCK)
    fcntl.flock(held[-1], fcntl.LOCK_EX)
    if len(held) > 8:
        os.close(held.pop(0))

PLANTS = (
    lambda name: os.symlink(precious, name),
    lambda name: os.symlink("/dev/full", name),
    lambda name: os.symlink("/", name),
    lambda name: os.symlink(name, name),
    lambda name: os.link(precious, name),
    lambda name: os.link("big", name),
    lambda name: os.mkfifo(name, 0o666),
    lambda name: os.mkdir(name),
    a_socket, unreadable, hold,
)
with open("big", "xb") as file:
    os.truncate(file.fileno(), 1 << 30)
while True:
    name, dice = random.choice(NAMES), random.random()
    try:
        if dice < 0.2:
            # What is half written goes where the readers look.
            os.rename(*NAMES)
        elif dice < 0.5:
            remove(name)
            random.choice(PLANTS)(name)
        else:
            remove(name)
    except OSError:
        pass
    # As it is for a while, so that some runs get far, or through.
    if random.random() < 0.3:
        time.sleep(random.random() * pause)
PYTHON

# reader.py FILE: as node_exporter, another user. What it can open, and nobody else planted, is whole
# and not, say, still empty. Ends with status 1 when one is not, and prints how many it saw when it is killed.
cat >reader.py <<'PYTHON'
import os, re, signal, stat, sys, time

path = sys.argv[1]
seen = 0

def done(*_):
    print(seen, flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, done)
while True:
    time.sleep(0.0005)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        continue
    text = os.read(fd, 1 << 22) if stat.S_ISREG(os.fstat(fd).st_mode) else b"\0"
    os.close(fd)
    if text.startswith((b"\0", b"precious")):
        continue # planted
    at = text.rfind(b"# nodecanary-state 1 end length=")
    if not re.fullmatch(rb"# nodecanary-state 1 end length=%d hash=[0-9a-f]{16}\n" % at, text[at:]):
        print("a file of %d bytes that is not whole" % len(text), file=sys.stderr)
        sys.exit(1)
    seen += 1
PYTHON

# A place that other users reach, with all that they need.
mount -t tmpfs -o mode=755 shared /mnt
cp "$NC" /mnt/nodecanary
cp x.ini empty.ini hostile.py reader.py /mnt/
mkdir /mnt/open /mnt/owned
chmod 777 /mnt/open
chown 4242:4242 /mnt/owned
printf 'precious\n' >/mnt/precious
chmod 666 /mnt/precious
precious=$(stat -c '%i %u %a %s %y' /mnt/precious)

# Of everybody, and not of whoever runs the test.
others=(--regid 4242 --clear-groups /usr/bin/python3)

# besieged PAUSE DIR COMMAND...: 100 runs while the hostile user and the reader are at it. A pause
# of the hostile user, seconds, is about as long as a run, so that some get through.
besieged() {
	local pause=$1 dir=$2 i status attack read
	declare -A ends=()
	shift 2
	setpriv --reuid 4242 "${others[@]}" /mnt/hostile.py "$dir" /mnt/precious "$pause" 2>hostile.err &
	attack=$!
	setpriv --reuid 4244 "${others[@]}" /mnt/reader.py "$dir/x.prom" >reader.out 2>reader.err &
	read=$!
	wait_until 10 test -e "$dir/big"
	for ((i = 0; i < 100; i++)); do
		status=0
		timeout -k 1 20 "$@" -o "$dir/x.prom" >out 2>err || status=$?
		case $status in
		0) ;;
		# 71: what changes after it was looked at cannot be read as the last run's file;
		# 75: who holds a lock is taken for another run.
		71 | 73 | 75) assert_file_contains err '^nodecanary: .*x\.prom' ;;
		*) fail "exit status $status; $(_show err)" ;;
		esac
		ends[$status]=$((${ends[$status]:-0} + 1))
	done
	kill -0 $attack || fail "the hostile user gave up; $(_show hostile.err)"
	kill -KILL $attack
	{ wait $attack || true; } 2>>hostile.err
	kill -TERM $read || fail "$(_show reader.err)"
	wait $read || fail "$(_show reader.err)"
	echo "exit statuses: $(for i in "${!ends[@]}"; do echo "$i: ${ends[$i]} times"; done | tr '\n' ' ')"
	echo "the reader saw $(cat reader.out) whole files"
	assert_le 5 "${ends[0]:-0}" "runs that published"
	assert_le 5 "${ends[73]:-0}" "runs that were refused"
	assert_le 1 "$(cat reader.out)" "whole files seen"
	assert_eq "$precious" "$(stat -c '%i %u %a %s %y' /mnt/precious)" "somebody else's file"
	assert_eq precious "$(cat /mnt/precious)" "somebody else's file"
}

# cleared DIR COMMAND...: when the siege is over, a person removes what is in the way of the target, and
# it works again.
cleared() {
	local dir=$1
	shift
	rm -rf "$dir/x.prom" "$dir/.x.prom.new"
	assert_exit 0 "$@" -o "$dir/x.prom"
	nothing_beside "$dir/x.prom" big
	rm "$dir"/*
}

service=(setpriv --reuid 4243 --regid 4243 --clear-groups /mnt/nodecanary -c /mnt/empty.ini)
# Each step a little later than the one before it. A leak checker does not like to be traced.
steps=openat,newfstatat,renameat2,unlinkat,flock,fchmod
stretched=(env ASAN_OPTIONS=detect_leaks=0 strace -o trace -e "trace=$steps" -e "inject=$steps:delay_enter=300" "${service[@]: -3}")

behaviour "links, FIFOs, sockets, directories, locks and files of 1 GB under our names: a run follows, overwrites and waits for none"
besieged 0.004 /mnt/open "${service[@]}"
cleared /mnt/open "${service[@]}"

behaviour "the same for runs by root in the hostile user's own directory"
besieged 0.07 /mnt/owned "$NC" -c x.ini
cleared /mnt/owned "$NC" -c x.ini

behaviour "the same where the time between check and use is long"
besieged 0.03 /mnt/owned "${stretched[@]}"
cleared /mnt/owned "${stretched[@]}"

behaviour "over quota the old file stays, and the counters go on when there is room"
disk quota 128M mkfs.btrfs
btrfs quota enable quota
btrfs subvolume create quota/s >btrfs.log
btrfs qgroup limit 4M quota/s
run_nc 0 -c x.ini -o quota/s/x.prom
cp quota/s/x.prom old
dd if=/dev/zero of=quota/s/filler bs=4k 2>dd.log || true
assert_file_contains dd.log 'Disk quota exceeded'
run_nc 73 -c x.ini -o quota/s/x.prom
says 1 'Disk quota exceeded'
cmp old quota/s/x.prom
nothing_beside quota/s/filler x.prom
btrfs qgroup limit none quota/s
rm quota/s/filler
run_nc 0 -c x.ini -o quota/s/x.prom
silent
assert_eq 2 "$(runs quota/s/x.prom)"
umount quota

behaviour "a disk that breaks during a run keeps the old file, and the run after its repair cleans up"
disk broken 8M mkfs.ext4
run_nc 0 -c x.ini -o broken/x.prom
cp broken/x.prom old
begin broken/x.prom
# As after an error: all that is written from now on fails.
mount -o remount,abort broken
end 73
assert_file_contains err '^nodecanary: broken/x\.prom: '
cmp old broken/x.prom
umount broken
mount -o loop broken.img broken
cmp old broken/x.prom
run_nc 0 -c x.ini -o broken/x.prom
silent
nothing_beside broken/x.prom broken/lost+found
assert_eq 2 "$(runs broken/x.prom)"
umount broken

done_testing
