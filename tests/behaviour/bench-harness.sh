#!/bin/bash
# `make bench` measures what it says it measures.
# alone: it measures CPU and time
# sandbox: no, it measures CPU

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need ip taskset unshare python3 fping oping ping
is_sanitized && skip "a sanitizer's costs are its own"

export NODECANARY=$NC TMPDIR=$TEST_TMP/tmp
mkdir "$TMPDIR"

bench() {
	"$TOP/tests/bench/run" --peers 9 --runs 1 --tools nodecanary,fping,oping,ping --parts cost "$@"
}

# of EXPRESSION: of r, the samples by program.
of() {
	python3 -c "import json; r = json.load(open('$TEST_TMP/x.json'))['results']['9']; print($1)"
}

behaviour "all programs send the same requests, and the network answers them all"
bench --json "$TEST_TMP/x.json" >"$TEST_TMP/text" 2>"$TEST_TMP/err"
assert_eq "['fping', 'nodecanary', 'oping', 'ping']" "$(of 'sorted(r)')" "programs"
assert_eq '[54]' "$(of 'sorted({s["requests"] for samples in r.values() for s in samples})')"
assert_eq '[1]' "$(of 'sorted({len(samples) for samples in r.values()})')" "runs"
assert_eq 0 "$(of 'sum(s["false_losses"] for samples in r.values() for s in samples)')" "losses"

behaviour "it understands what each of them says of four delays"
assert_eq "['0.1', '1.0', '10.0', '100.0']" "$(of 'sorted(
	set.intersection(*(set(s["errors_us"]) for samples in r.values() for s in samples)),
	key=float)')" "delays"

behaviour "the memory of nodecanary is what it says itself"
"$TOOLS/measure" -o "$TEST_TMP/measured" "$NC" -c "$TOP/conf/loopback.ini" -o "$TEST_TMP/x.prom"
own=$(($(value "$TEST_TMP/x.prom" nodecanary_last_run_peak_memory_bytes) / 1024))
assert_between $own "$(sed 's/.*peak_kb=\([0-9]*\).*/\1/' "$TEST_TMP/measured")" $((own + 256)) "kB"

behaviour "a command's status is passed on, and a missing one is told"
assert_exit 3 "$TOOLS/measure" -o "$TEST_TMP/measured" sh -c 'exit 3'
assert_file_contains "$TEST_TMP/measured" '^status=3 .* threads=1$'
assert_exit 127 "$TOOLS/measure" -o "$TEST_TMP/measured" "$TEST_TMP/nothing"

behaviour "a table is Markdown, and goes between its marks of a file"
printf '%s\n' 'before' '<!-- make bench: begin -->' 'old' '<!-- make bench: end -->' 'after' >page
bench --tools fping --markdown --update "$TEST_TMP/page" >"$TEST_TMP/markdown" 2>"$TEST_TMP/err"
assert_file_contains markdown '^\| 9 \| fping \| 54 \|'
assert_file_contains page '^\| 9 \| fping \| 54 \|'
assert_not_contains page '^old$'
assert_eq "before after" "$(sed -n '1p;$p' page | paste -sd' ')"

behaviour "nothing of it stays"
assert_eq "" "$(ls "$TMPDIR")" "files"
assert_eq 0 "$(pgrep -c 'simnet|fping' || true)" "processes"
done_testing
