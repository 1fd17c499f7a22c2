#!/bin/bash
# A run confines itself with Landlock to the directory of its output, and does the same work where it cannot.
# sandbox: no, nothing can be preloaded
# sanitizers: no, nothing can be preloaded

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
INI=$TEST_TMP/x.ini
ROOT=$TEST_TMP/elsewhere
mkdir -p "$DIR" "$ROOT/tmp" "$ROOT/dir"
dns_start <<'ZONE'
dual.test A 127.5.0.1
ZONE
printf '%s\n' '[probe]' 'count = 1' 'warmup = 0' '[peers]' 'a = 127.1.0.1' 'dual.test =' >"$INI"

# is_measured FILE: its peers answered, the one with a name too.
is_measured() {
	assert_eq 1 "$(value "$1" nodecanary_last_run_success)"
	assert_eq 1 "$(value "$1" 'nodecanary_peer_up{group="default",peer="dual.test"}')"
}

behaviour "without Landlock a run is the same, without a word"
NC_WRAP="$TOOLS/no_landlock" run_nc 0 -c "$INI" -o "$FILE"
silent
is_measured "$FILE"

behaviour "and -v says that nothing is in force, and why"
NC_WRAP="$TOOLS/no_landlock" run_nc 0 -c "$INI" -o "$FILE" -v
says 1 'not confined by Landlock: Function not implemented'

"$NC" -c "$INI" -C -v 2>&1 | grep -q ' confined by Landlock ABI' || skip "this kernel has no Landlock"

behaviour "-v says what is in force"
run_nc 0 -c "$INI" -o "$FILE" -v
says 1 'confined by Landlock ABI [0-9]+: nothing can be executed, or written but in the directory of the output$'
run_nc 0 -c "$INI" -n -v
says 1 'confined by Landlock ABI [0-9]+: nothing can be written or executed$'
run_nc 0 -c "$INI" -o - -v
says 1 'confined by Landlock ABI [0-9]+: nothing can be written or executed$'
clean_metrics "$TEST_TMP/out"

behaviour "a run works confined: names, standard output, a file without a directory in its name, /dev/null"
run_nc 0 -c "$INI" -o "$FILE"
silent
is_measured "$FILE"
(cd "$ROOT" && run_nc 0 -c "$INI" -o y.prom && silent)
is_measured "$ROOT/y.prom"
"$NC" -c "$INI" -n -t >/dev/null 2>&1
run_nc 0 -c "$INI" -n -t
assert_file_contains "$TEST_TMP/out" '^dual.test +127.5.0.1 '

# run_intruder STATUS INI: a run with the code of an attacker in it.
run_intruder() {
	echo x >"$ROOT/tmp/of-nobody"
	INTRUDER=$DIR/intruder INTRUDER_OWN=$DIR INTRUDER_ROOT=$ROOT LD_PRELOAD=$TOOLS/intruder_shim.so \
		assert_exit "$1" "$NC" -c "$2" -o "$FILE"
	assert_file_contains "$DIR/intruder" '^done$'
}

behaviour "an intruder in it, even as root, can write nothing outside of that directory"
run_intruder 0 "$INI"
assert_not_contains "$DIR/intruder" '^(wrote|made|moved|removed)'
assert_eq "$(printf '%s\n' "$ROOT"/{dir,tmp{,/of-nobody},y.prom})" "$(find "$ROOT" -mindepth 1 | sort)"

behaviour "and execute nothing of the file system"
assert_not_contains "$DIR/intruder" '^executed (a program|itself|a copy)'

behaviour "so does a run with an invalid configuration, which republishes the previous counters"
printf '%s\n' '[peers]' 'a = nonsense nonsense' >"$INI.invalid"
run_intruder 78 "$INI.invalid"
assert_not_contains "$DIR/intruder" '^(wrote|made|moved|removed)'

done_testing
