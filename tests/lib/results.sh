# shellcheck shell=bash
# What the runners of tests share: a test is a script that prints `ok - NAME` or `not ok - NAME` for each
# behaviour; status 77 skips the rest of it, whose reason is the last line.
#
# V=1 shows all output and not that of failed tests alone, COUNTS names a file to which
# `PASSED FAILED SKIPPED` is appended.

passed=0 failed=0 skipped=0
took=() # "SECONDS NAME"

# head_number KEY FILE DEFAULT: from a line `# KEY: N` in its head.
head_number() {
	local number
	number=$(sed -n "1,20s/^# $1: *\([0-9][0-9]*\).*/\1/p" "$2" | head -n 1)
	echo "${number:-$3}"
}

# head_has WORDS FILE: a line of its head begins so, after `# `.
head_has() { sed 20q "$2" | grep -q "^# $1"; }

# time_limit FILE: in seconds.
time_limit() { head_number time-limit "$1" 120; }

# What a test that was cut off, or died, did not say itself.
_end() {
	case $1 in
	0) echo "not ok - it prints a line for each behaviour" ;;
	124 | 137) echo "not ok - it ends by itself" ;;
	*) echo "not ok - it ends with status 0, not $1" ;;
	esac
}

# count FILE LOG STATUS SECONDS: what it printed, how it ended and how long it took. Prints the result.
count() {
	local log=$2 status=$3 name good bad
	name=$(basename "$1" .sh)
	took+=("$4 $name")
	good=$(grep -c '^ok - ' "$log")
	bad=$(grep -c '^not ok - ' "$log")
	if [[ $status = @(124|137) ]]; then
		echo "stopped at its time limit of $(time_limit "$1") s" >>"$log"
	fi
	if [ "$bad" -eq 0 ] && { [ "$((status + good))" -eq 0 ] || [[ $status != @(0|77) ]]; }; then
		_end "$status" >>"$log"
		bad=1
	fi
	if [ "$bad" -gt 0 ] || [ "${V:-0}" = 1 ]; then sed 's/^/# /' "$log"; fi
	sed -n "s/^\(not ok\|ok\) - /\1 - $name: /p" "$log"
	if [ "$status" -eq 77 ]; then
		echo "ok - $name # SKIP $(tail -n 1 "$log")"
		skipped=$((skipped + 1))
	fi
	passed=$((passed + good)) failed=$((failed + bad))
}

# run_tests ROOM FILE...: as many at a time as there is room for, in their order where all need the same. The
# runner has functions for it: `room_of FILE` is what a test takes up, `start FILE INDEX` starts it in the background
# as $! with its output in $work/INDEX.log, and `clean_after FILE INDEX` removes what it left.
run_tests() {
	local room=$1 file pid status=0 i
	shift
	local files=("$@") waiting # indices of files
	local -A index=() since=() # by process
	waiting=("${!files[@]}")
	while ((${#waiting[@]} + ${#index[@]} > 0)); do
		for i in "${!waiting[@]}"; do
			file=${files[waiting[i]]}
			(($(room_of "$file") <= room)) || continue
			start "$file" "${waiting[i]}"
			index[$!]=${waiting[i]} since[$!]=$SECONDS
			room=$((room - $(room_of "$file")))
			unset "waiting[$i]"
		done
		status=0
		{ wait -n -p pid "${!index[@]}" || status=$?; } 2>/dev/null # bash would tell of a kill
		i=${index[$pid]}
		file=${files[i]}
		# shellcheck disable=SC2154 # the runner's directory
		count "$file" "$work/$i.log" "$status" $((SECONDS - since[$pid]))
		clean_after "$file" "$i"
		room=$((room + $(room_of "$file")))
		unset "index[$pid]"
	done
}

# The five tests that took longest.
_slowest() { printf '%s\n' "${took[@]}" | sort -rn | head -n 5 | awk '{ printf ", %s %d s", $2, $1 }' | cut -c3-; }

# report KIND: status 1 if anything failed.
report() {
	if [ -n "${COUNTS:-}" ]; then echo "$passed $failed $skipped" >>"$COUNTS"; fi
	if [ ${#took[@]} -gt 5 ]; then echo "slowest: $(_slowest)"; fi
	echo "$1: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
