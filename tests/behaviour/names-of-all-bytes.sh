#!/bin/bash
# Every byte that UTF-8 allows in a name or label is refused with its line, or published and read
# back as written.
# What the fuzzers find acceptable is judged in the same way by tests/fuzz/run.
# time-limit: 120
# sandbox: no, it is about the network and the machine
# sanitizers: no, it is about the network and the machine

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need prometheus-node-exporter promtool curl python3

mkdir textfiles
FILE=$TEST_TMP/textfiles/nodecanary.prom

# nasty.py write INI          all candidates
# nasty.py drop INI ERRORS    takes out the lines that ERRORS names, and prints them
# nasty.py judge INI SCRAPE   what is left in INI is what is served
cat >nasty.py <<'PYTHON'
import re, sys, unicodedata

mode, ini = sys.argv[1:3]
HEAD = "[collector]\nskip_self = no\n[probe]\ncount = 1\nwarmup = 0\ninterval = 1ms\nhistogram = off\n"
# What a line that is refused may consist of: what nobody sees, and what has a meaning in this place.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
REFUSED = set("abcdefghijklmnopqrstuvwxyz0123456789. " "=\"'`\u00ab\u00bb" ":,;#[]")

def is_refused(c):
    return c in REFUSED or c in INVISIBLE or unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp")

def candidates():
    """Each byte in each place that it can have: lead bytes with the ends of their range, all continuations."""
    codes = list(range(1, 0x800)) + [0xfeff, 0xfffe, 0x2028, 0x202e, 0xd7ff, 0xe000]
    codes += [c for lead in range(16) for c in (max(lead << 12, 0x800), lead << 12 | 0xfff)]
    codes += [c for lead in range(5) for c in (max(lead << 18, 0x10000), min(lead << 18 | 0x3ffff, 0x10ffff))]
    return [chr(c) for c in codes if chr(c) != "\n" and not 0xd800 <= c <= 0xdfff]

def write():
    number = 0
    out = [HEAD]
    def address():
        nonlocal number
        number += 1
        return "127.%d.%d.%d" % (1 + (number >> 16), number >> 8 & 255, number & 255)
    out.append("[peers]\n")
    for i, c in enumerate(candidates()):
        lines = ["m%d%sm = %s\n" % (i, c, address()), 'vm%d = %s l="v%sv"\n' % (i, address(), c)]
        if ord(c) < 0x100 or ord(c) >= 0x800:
            lines += ["%sf%d = %s\n" % (c, i, address()), "e%d%s = %s\n" % (i, c, address()),
                      "v%d = %s l=%s\n" % (i, address(), c), 'q%d = %s l="%s"\n' % (i, address(), c)]
        out += lines
    for i, c in enumerate(candidates()):
        if ord(c) < 0x100 or ord(c) >= 0x800:
            out.append("[peers g%d%s]\np%d = %s\n" % (i, c, i, address()))
    return out

def read():
    return open(ini, encoding="utf-8", newline="").read().split("\n")[:-1]

def save(lines):
    with open(ini, "w", encoding="utf-8", newline="") as out:
        out.write("".join(lines))

def drop():
    text = open(sys.argv[3], encoding="utf-8", errors="replace").read()
    # By line; the messages quote what may itself look like one.
    numbers = {int(n) for n in re.findall("(?m)^nodecanary: %s:([0-9]+): " % re.escape(ini), text)}
    lines = read()
    for n in sorted(numbers):
        print(ascii(lines[n - 1]))
        if not all(map(is_refused, lines[n - 1])):
            print("refused for no reason that is known")
            sys.exit(1)
    save(line + "\n" for i, line in enumerate(lines, 1) if i not in numbers
         and not (i - 1 in numbers and lines[i - 2].startswith("[")))

UNESCAPE = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

def judge():
    blank = " \t"
    expected, group = set(), None
    for line in read()[HEAD.count("\n"):]:
        line = line.removesuffix("\r")
        if line.startswith("["):
            group = line[len("[peers"):-1].strip(blank) or "default"
            continue
        if line[0] in "#;":
            continue # a comment
        name, rest = line.split("=", 1)
        value = rest.split("l=", 1)[1] if "l=" in rest else ""
        value = value[1:-1] if value[:1] == '"' else value.strip(blank)
        expected.add((group, name.strip(blank), value))
    served = set()
    for line in open(sys.argv[3], encoding="utf-8", newline="\n"):
        if line.startswith("nodecanary_peer_info{"):
            labels = {k: re.sub(r'\\.', lambda m: UNESCAPE[m[0]], v)
                      for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line)}
            served.add((labels["group"], labels["peer"], labels.get("l", "")))
    for what, entries in ("not served", expected - served), ("not configured", served - expected):
        for entry in sorted(entries)[:10]:
            print(what, ascii(entry))
    print(len(expected & served), "of", len(expected))
    sys.exit(expected != served or len(expected) < 4000)

save(write()) if mode == "write" else drop() if mode == "drop" else judge()
PYTHON

scrape() { curl -sSf --max-time 10 http://127.0.0.1:9100/metrics -o scrape; }

served() {
	scrape
	assert_eq 0 "$(value scrape node_textfile_scrape_error)"
	assert_eq "$(series_count "$FILE" nodecanary_)" "$(series_count scrape nodecanary_)" "series"
	assert_not_contains exporter.log 'level=error'
	clean_metrics "$FILE"
	python3 nasty.py judge nasty.ini scrape >judge.log || fail "$(_show judge.log)"
}

prometheus-node-exporter --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory=textfiles --web.listen-address=127.0.0.1:9100 2>exporter.log &
wait_until 20 scrape

behaviour "a byte in a name or value that would not arrive as it stands is refused with its line"
python3 nasty.py write nasty.ini
# A name that begins with [ is a header, and hides what follows it from the first look.
for _ in first second; do
	run_nc 78 -C -c nasty.ini
	python3 nasty.py drop nasty.ini err >dropped || fail "$(_show dropped)"
	wc -l <dropped
done
run_nc 0 -C -c nasty.ini

behaviour "every other byte is served by node_exporter as it was written"
run_nc 0 -c nasty.ini -o "$FILE"
silent
served

behaviour "every other byte is read back: no counter starts anew"
requests=$(sum "$FILE" nodecanary_requests_total)
run_nc 0 -c nasty.ini -o "$FILE"
silent
assert_eq $((2 * requests)) "$(sum "$FILE" nodecanary_requests_total)"
assert_eq "$(series_count "$FILE" nodecanary_replies_total)" "$requests" "peers"

behaviour "every other byte survives a run whose configuration is broken"
echo nonsense >broken.ini
run_nc 78 -c broken.ini -o "$FILE"
served
run_nc 0 -c nasty.ini -o "$FILE"
silent
assert_eq $((3 * requests)) "$(sum "$FILE" nodecanary_requests_total)"

done_testing
