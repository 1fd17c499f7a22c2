#!/bin/bash
# The largest number of peers, groups, files and bytes in a name works, and one more is refused.
# time-limit: 240
# alone: replies must come in their time
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip python3 prometheus-node-exporter curl

FILE=$TEST_TMP/textfiles/nodecanary.prom
mkdir textfiles

# peers N PREFIX: lines of that many; PREFIX is of the address, as 10. or fd00::
peers() {
	awk -v n="$1" -v prefix="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			if (prefix ~ /:/) printf "p%d = %s%x:%x\n", i, prefix, 1 + i / 65536, i % 65536
			else printf "p%d = %s%d.%d.%d\n", i, prefix, 1 + i / 65536, i / 256 % 256, i % 256 }'
}

# A leak checker traces by itself.
measure=(env ASAN_OPTIONS=detect_leaks=0 "$TOOLS/measure" -o measured "$NC")

# check CODE PEERS: -C of so many IPv4 peers, with time enough.
check() {
	{ printf '%s\n' '[collector]' 'deadline = 10m' '[peers]' && peers "$2" 10.; } >x.ini
	assert_exit "$1" "${measure[@]}" -C -c x.ini
	kb=$(sed 's/.*peak_kb=\([0-9]*\).*/\1/' measured)
}

behaviour "65,536 peers of each family are accepted"
{
	printf '%s\n' '[collector]' 'deadline = 1h' '[peers]'
	peers 65536 10.
	echo '[peers six]'
	peers 65536 fd00::
} >both.ini
run_nc 0 -C -c both.ini
assert_file_contains out '^2 groups, 131072 peers, '

behaviour "one more is refused in a line that names the limit, whichever family it is"
echo 'more = fd00::9:1' >>both.ini
run_nc 78 -C -c both.ini
says 1 'too many peers that can be ipv6 .at most 65536, '
check 78 65537
says 1 'too many peers that can be ipv4 .at most 65536, '

# In the default deadline they cannot even be added: liboping compares each with all others.
behaviour "so many peers that no round fits the deadline are an error of the check, with the time"
{ echo '[peers]' && peers 65536 10.; } >x.ini
run_nc 78 -C -c x.ini
assert_file_contains err 'no measured round fits: .* after [0-9.]+ s, expected it within deadline = 10s'

if ! is_sanitized; then
	behaviour "the memory of a check is linear in the peers"
	check 0 16384
	some=$kb
	check 0 65536
	echo "-C: 16,384 peers $some kB, 65,536 peers $kb kB"
	assert_le $((kb * 10)) $((some * 42)) "tenths of kB"
fi

behaviour "a run of 1,000 groups measures each, and the next one goes on"
awk 'BEGIN {
	print "[probe]\ncount = 1\nwarmup = 0\ntimeout = 1s\nhistogram = group\n[peers]"
	for (i = 1; i < 1000; i++)
		printf "[peers g%d]\na = 127.%d.%d.1\n[labels g%d]\nzone = z%d\n", i, i / 250 + 1, i % 250, i, i
	}' >groups.ini
for run in 1 2; do
	run_nc 0 -c groups.ini -o "$FILE"
	silent
	assert_eq 999/$((999 * run)) "$(sum "$FILE" nodecanary_peer_up)/$(
		sum "$FILE" nodecanary_replies_total)" "peers that are up/replies"
done

behaviour "1,024 groups are accepted, one more is refused in a line that names the limit"
awk 'BEGIN { for (i = 0; i < 1024; i++) printf "[peers g%d]\na = 127.%d.%d.1\n", i, i / 250 + 1, i % 250 }' \
	>groups.ini
run_nc 0 -C -c groups.ini
printf '%s\n' '[labels g7]' 'zone = a' '[peers more]' 'a = 127.200.0.1' 'b = 127.200.0.2' >>groups.ini
run_nc 78 -C -c groups.ini
says 1 'groups.ini:2051: group .more.: too many groups .at most 1024.'

behaviour "10,000 drop-in files are read, in order, and a wrong line is found in the last one"
mkdir files
awk 'BEGIN { for (i = 0; i < 10000; i++) {
	file = sprintf("files/%05d.ini", i)
	printf "[peers]\nw%d = 127.%d.%d.%d\n", i, 1 + i / 62500, i / 250 % 250, i % 250 + 1 >file
	close(file) } }'
echo '[probe]' >x.ini
assert_exit 0 "${measure[@]}" -C -c x.ini -d files
assert_file_contains out '^1 groups, 10000 peers, '
grep '^file files/' out >files.read
assert_eq 10000 "$(wc -l <files.read)" "files"
sort -c files.read
echo 'w1 = 127.9.9.9' >>files/09999.ini
run_nc 78 -C -c x.ini -d files
says 1 'files/09999.ini:3: .*.w1.: already in '

behaviour "counters go on where all labels of a peer are as many and as long as they may be"
{
	printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' '[peers]' 'a = 127.1.0.1'
	awk 'BEGIN {
		while (length(value) < 990) value = value "\\"
		print "[labels]"
		for (i = 0; i < 32; i++) printf "all%02d = %s\n", i, value
		print "[labels default]"
		for (i = 0; i < 32; i++) printf "own%02d = %s\n", i, value
	}'
} >labels.ini
rm -f "$FILE"
for run in 1 2; do
	run_nc 0 -c labels.ini -o "$FILE"
	silent
done
assert_le 120000 "$(wc -L <"$FILE")" "bytes of the longest line"
assert_eq 2 "$(value "$FILE" nodecanary_runs_total)"

# --- names ---

cat >names.py <<'PYTHON'
"""names.py ini: peers whose names have every character that a name may have, in names as long as they
may be. names.py compare FILE SCRAPE: both have just these groups and peers."""
import re, sys

KEY = 149  # bytes of a name, before a blank
PLAIN = [chr(c) for c in range(0x21, 0x7f) if chr(c) not in ":=,\"'`"]
# Every byte that begins a character of UTF-8 and every one that goes on, and the ends of each length.
LONG = [chr(c) for c in range(0x80, 0x100)]
LONG += [bytes([first, 0x80 + first % 64]).decode() for first in range(0xc2, 0xe0)]
LONG += [chr(n << 12 | 0xabc) for n in range(1, 16) if n != 13]
LONG += [chr(n << 18 | 0x2abcd) for n in range(1, 4)] + [
    chr(c) for c in (0x7ff, 0x800, 0xfff, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x10ffff)]
# What nobody sees is refused.
CHARACTERS = PLAIN + [c for c in LONG if not 0x7f <= ord(c) <= 0xa0 and c not in "\xab\xad\xbb\ufeff"]


def peers():
    names, name = [], ""
    for character in CHARACTERS:
        if len(f"n{name}{character}".encode()) > KEY:
            names.append("n" + name)
            name = ""
        name += character
    # One character short is filled up.
    names.append("n" + name)
    return [n + "x" * (KEY - len(n.encode())) for n in names]


def group():
    return '/\\{}' + "ü" * 19 + "g"  # with "peers " 49 bytes


def series(path):
    labels = re.compile(r'(group|peer)="((?:[^"\\]|\\.)*)"')
    plain = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    for line in open(path, encoding="utf-8", newline="\n"):
        if line.startswith("nodecanary_replies_total{"):
            found = {k: re.sub(r"\\.", lambda m: plain[m[0]], v) for k, v in labels.findall(line)}
            yield found["group"], found["peer"], float(line.rsplit(" ", 1)[1])


if sys.argv[1] == "ini":
    out = open(1, "w", encoding="utf-8")
    print("[probe]\ncount = 1\nwarmup = 0\n[peers]", file=out)
    for i, peer in enumerate(peers()):
        line = f"{peer} = 127.1.{i}.1"
        assert len(peer.encode()) == KEY
        print(line, file=out)
    print(f"[peers {group()}]\na = 127.2.0.1", file=out)
else:
    expected = {("default", peer) for peer in peers()} | {(group(), "a")}
    for path in sys.argv[2:]:
        got = list(series(path))
        wrong = {pair[:2] for pair in got} ^ expected
        if wrong or len(got) != len(expected) or any(count != 3 for _, _, count in got):
            sys.exit(f"{path}: {sorted(wrong)[:3]}, {len(got)} series, {[c for _, _, c in got][:5]}")
    print(len(expected), "names,", len(set("".join(p for _, p in expected))), "characters")
PYTHON

# shellcheck disable=SC2317 # wait_until calls it
scrape() { curl -sSf --max-time 10 http://127.0.0.1:9100/metrics -o scrape; }

behaviour "names as long as they can be, of all characters that they can have, come out of node_exporter"
python3 names.py ini >names.ini
rm -f "$FILE"
for _ in 1 2 3; do
	run_nc 0 -c names.ini -o "$FILE"
	silent
done
prometheus-node-exporter --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$TEST_TMP/textfiles" 2>exporter.log &
wait_until 10 scrape
assert_eq 0 "$(value scrape node_textfile_scrape_error)"
python3 names.py compare "$FILE" scrape || fail "names differ; $(_show exporter.log)"

behaviour "one byte more is refused, and so are all other characters, each in a line of its own"
sed -i '5s/^n/nn/; $d' names.ini
echo '[peers /\{}üüüüüüüüüüüüüüüüüüügg]' >>names.ini
run_nc 78 -C -c names.ini
says 2 '^nodecanary: names.ini:5: key too long: 151 bytes .at most 150.'
assert_file_contains err 'section name too long: 50 bytes .at most 49.'
python3 - >names.ini <<'PYTHON'
import sys
sys.stdout.buffer.write(b"[peers]\n")
for i, byte in enumerate([*range(1, 0x20), 0x20, 0x3a, 0x3d, 0x7f]):
    if byte != 0x0a:
        sys.stdout.buffer.write(b"n%cn%d = 127.0.0.%d\n" % (byte, i, i + 1))
sys.stdout.buffer.write(b"n\xffn = 127.0.1.1\n")
PYTHON
run_nc 78 -C -c names.ini
says 35 'names.ini:2: invisible character U.0001'
assert_eq 35 "$(cut -d: -f3 err | sort -u | wc -l)" "lines that are refused"
done_testing
