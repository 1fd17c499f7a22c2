#!/bin/bash
# A previous file that is cut, damaged or forged is never restored in part, and the run goes on.
# Some whole runs for each kind of damage, at places that SEED repeats; FULL=1: at every place.
# time-limit: 300

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need python3

FILE=$TEST_TMP/textfiles/x.prom
mkdir "$TEST_TMP/textfiles"
cat >"$TEST_TMP/x.ini" <<'INI'
[probe]
count = 1
warmup = 0
interval = 1ms
timeout = 500ms
buckets = 1ms 1s
[probe g]
histogram = group
[peers]
a = 127.1.0.1
[peers g]
b = 127.1.0.2
INI

# damage.py MODE PROGRAM INI FILE GOOD: runs PROGRAM once for every way to damage GOOD.
cat >"$TEST_TMP/damage.py" <<'PYTHON'
import os, random, subprocess, sys

mode, program, ini, path, good = sys.argv[1:6]
original = open(good, "rb").read()
MASK = (1 << 64) - 1

def sealed(body):
    """With the last line that belongs to the lines, an implementation of its own."""
    h = 0xCBF29CE484222325
    tail = len(body).to_bytes(8, "little")
    for i in range(0, len(body) // 8 * 8 + 8, 8):
        word = (body[i:i + 8] + bytes(8))[:8]
        h = ((h ^ int.from_bytes(word, "little")) * 0x100000001B3) & MASK
        h ^= h >> 47
    h = ((h ^ len(body)) * 0x100000001B3) & MASK
    h ^= h >> 47
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = ((h ^ h >> 33) * factor) & MASK
    h ^= h >> 33
    return body + b"# nodecanary-state 1 end length=%d hash=%016x\n" % (len(body), h)

body = original[:original.rindex(b"# nodecanary-state 1 end ")]

def fresh(result):
    """All counters are those of a first run."""
    numbers = dict(line.rsplit(" ", 1) for line in result.splitlines() if line[:1] not in "#")
    for name, value in (
        ("nodecanary_runs_total", "1"),
        ('nodecanary_requests_total{group="default",peer="a"}', "1"),
        ('nodecanary_replies_total{group="g",peer="b"}', "1"),
        ('nodecanary_unsent_total{group="default",peer="a"}', "0"),
        ('nodecanary_rtt_seconds_count{group="default",peer="a"}', "1"),
        ('nodecanary_group_rtt_seconds_count{group="g"}', "1"),
        ("nodecanary_receive_drops_total", "0"),
        ('nodecanary_discarded_rounds_total{reason="deadline"}', "0"),
    ):
        if numbers.get(name) != value:
            return "%s is %s, expected %s" % (name, numbers.get(name), value)
    return None

def attempt(what, content):
    with open(path, "wb") as out:
        out.write(content)
    run = subprocess.run([program, "-c", ini, "-o", path], capture_output=True, text=True)
    messages = run.stderr.splitlines()
    wrong = None
    if run.returncode != 0:
        wrong = "exit status %d" % run.returncode
    elif len(messages) != 1 or "counters start from zero" not in messages[0]:
        wrong = "expected one warning"
    else:
        wrong = fresh(open(path).read())
    if not wrong and os.listdir(os.path.dirname(path)) != [os.path.basename(path)]:
        wrong = "something is left beside the file"
    if wrong:
        with open(path + ".case", "wb") as out:
            out.write(content)
        sys.exit("SEED=%d, %s: %s\n%s" % (seed, what, wrong, run.stderr))

lines = original.splitlines(keepends=True)

seed = int(os.environ.get("SEED") or int.from_bytes(os.urandom(2), "little"))
chance = random.Random(seed)

def some(population, n):
    """All of it with FULL=1, otherwise a sample: the unit tests try every byte and line, in process."""
    if os.environ.get("FULL") or n >= len(population):
        return population
    return chance.sample(population, n)

def cuts():
    end = len(original)
    borders = {0, 1, len(lines[0]), len(body) - 1, len(body), len(body) + 1, end - 2, end - 1}
    for offset in sorted(borders | set(some(range(end), 8))):
        yield "cut at byte %d" % offset, original[:offset]

def line_damage():
    for i in some(range(len(lines)), 8):
        line = lines[i]
        rest = lambda new: b"".join(lines[:i]) + new + b"".join(lines[i + 1:])
        yield "line %d gone" % (i + 1), rest(b"")
        yield "line %d twice" % (i + 1), rest(line + line)
        yield "line %d changed" % (i + 1), rest(line[:-2] + bytes([line[-2] ^ 1]) + b"\n")
        yield "line %d with a blank at its end" % (i + 1), rest(line[:-1] + b" \n")
        if i + 1 < len(lines) and line != lines[i + 1]:
            swapped = lines[:i] + [lines[i + 1], line] + lines[i + 2:]
            yield "line %d after the next" % (i + 1), b"".join(swapped)

def junk():
    yield "empty lines only", b"\n" * 1000
    yield "NUL bytes", bytes(100000)
    yield "a line of a megabyte", b"x" * (1 << 20)
    yield "random bytes", random.Random(1).randbytes(1 << 18)
    yield "something after the end", original + b"x 1\n"
    yield "twice", original + original
    yield "a metric of somebody else", b"# TYPE x gauge\nx 1\n"
    yield "CRLF", original.replace(b"\n", b"\r\n")
    yield "a NUL inside", original[:200] + b"\0" + original[201:]
    yield "an unknown version", original.replace(b"nodecanary-state 1 ", b"nodecanary-state 9 ")

def forged():
    """Complete by its seal, and still not sound."""
    def replaced(old, new):
        assert body.count(old) == 1, old
        return sealed(body.replace(old, new))
    target = next(line for line in lines if b" target default a " in line)
    head, counters, histogram = target[:-1].rsplit(b" ", 2)
    names = next(line for line in lines if b" 1 counters " in line).split()[4:]
    def counted(name, value):
        values = counters.split(b",")
        values[names.index(name)] = value
        return replaced(target, b" ".join((head, b",".join(values), histogram)) + b"\n")
    for value in (b"-1", b"-0", b"+1", b"1.5", b"NaN", b"-nan", b"+Inf", b"0x7", b"1e3", b"",
                  b"9007199254740993", b"18446744073709551616", b"99999999999999999999999"):
        yield "%r as a counter" % value, counted(b"unsent_total", value)
        yield "%r as runs" % value, replaced(b" runs_total=7\n", b" runs_total=" + value + b"\n")
        yield "%r in a bucket" % value, replaced(histogram, histogram[:-1] + value)
        yield "%r as a sum" % (b"x" + value), replaced(
            histogram, b"x" + value + histogram[histogram.index(b","):])
    yield "more replies than requests", counted(b"requests_total", b"6")
    yield "a counter too few", replaced(target, target.replace(counters, counters[:-2]))
    yield "a counter too many", replaced(target, target.replace(counters, counters + b",0"))
    yield "a bucket too few", replaced(histogram, histogram[:-2])
    yield "a bucket too many", replaced(histogram, histogram + b",0")
    yield "a negative sum", replaced(histogram, b"-" + histogram)
    yield "a sum with ten decimals", replaced(
        histogram, b"0.1234567890" + histogram[histogram.index(b","):])
    yield "a field too few", replaced(head, head[:-2])
    yield "a field too many", replaced(head, head + b" -")
    yield "counters without names", replaced(b" 1 counters ", b" 1 names ")

if mode == "untouched":
    if sealed(body) != original:
        sys.exit("the last line is not what its description says")
    sys.exit(0)
cases = list({"cut": cuts, "lines": line_damage, "junk": junk, "forged": forged}[mode]())
for what, content in cases:
    if content != original:
        attempt(what, content)
print("SEED=%d, %d cases" % (seed, len(cases)))
sys.exit(not cases)
PYTHON

# damaged MODE: of the file of seven runs.
damaged() {
	python3 "$TEST_TMP/damage.py" "$1" "$NC" "$TEST_TMP/x.ini" "$FILE" "$TEST_TMP/good" \
		>"$TEST_TMP/damage.log" 2>&1 || fail "$(_show "$TEST_TMP/damage.log")"
	cat "$TEST_TMP/damage.log"
}

for ((i = 0; i < 7; i++)); do run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"; done
cp "$FILE" "$TEST_TMP/good"

behaviour "the last line proves length and hash as they are specified"
damaged untouched

behaviour "a file that was cut is never restored in part"
damaged cut

behaviour "a file with a damaged line is never restored in part"
damaged lines

behaviour "a file of something else is not restored"
damaged junk

behaviour "a forged file is not restored, although its seal is right"
damaged forged

behaviour "a damaged file under a broken configuration is not republished"
head -c 3000 "$TEST_TMP/good" >"$FILE"
echo nonsense >"$TEST_TMP/broken.ini"
run_nc 78 -c "$TEST_TMP/broken.ini" -o "$FILE"
assert_file_contains "$TEST_TMP/err" 'counters start from zero'
assert_eq 0 "$(value "$FILE" nodecanary_last_run_success)"
absent "$FILE" nodecanary_requests_total
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq 1 "$(value "$FILE" nodecanary_runs_total)"

behaviour "the state is restored whatever else a later version wrote"
python3 - "$TEST_TMP/good" "$FILE" "$TEST_TMP/damage.py" <<'PYTHON'
import sys
good, path, module = sys.argv[1:4]
source = open(module).read()
source = source[source.index("def sealed"):source.index("body = original")]
names = {"MASK": (1 << 64) - 1}
exec(source, names)
body = open(good, "rb").read()
body = body[:body.rindex(b"# nodecanary-state 1 end ")]
body = body.replace(b"Echo requests that left", b"Requests that went out of")
body += b"# HELP nodecanary_zeta_total New.\n# TYPE nodecanary_zeta_total counter\n"
body += b'nodecanary_zeta_total{group="default",peer="a",colour="red"} 3\n'
open(path, "wb").write(names["sealed"](body))
PYTHON
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
silent
assert_eq 8 "$(value "$FILE" nodecanary_runs_total)"
assert_eq 8 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="a"}')"
assert_eq 8 "$(value "$FILE" 'nodecanary_group_rtt_seconds_count{group="g"}')"
absent "$FILE" nodecanary_zeta_total

done_testing
