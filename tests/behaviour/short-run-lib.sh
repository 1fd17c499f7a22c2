# shellcheck shell=bash
# A short run for tests that spoil it in every place: what is in it, what calls it makes, and what
# must hold of its file whatever happened. To be sourced; it loads tests/behaviour/lib.sh.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need strace
# A leak checker traces by itself, and does not like to be traced.
is_sanitized && skip "a sanitizer makes calls of its own"

DIR=$TEST_TMP/textfiles
FILE=$DIR/x.prom
export DOT=$DIR/.x.prom.new
INI=$TEST_TMP/x.ini
mkdir "$DIR"

# Two threads, and a child that looks a name up in a file. Loopback loses nothing.
short_run_init() {
	dns_start </dev/null
	echo '127.2.0.1 named.test' >>"$TEST_TMP/hosts"
	cat >"$INI" <<'INI'
[collector]
resolve_every = 0s
resolve_timeout = 1s
[probe]
count = 1
warmup = 0
interval = 1ms
timeout = 200ms
[probe other]
ttl = 32
[peers]
a = 127.1.0.1
named = named.test
[peers other]
a = 127.1.0.2
INI
	run_nc 0 -c "$INI" -o "$FILE"
	silent
	journal=$(stat -c %d:%i "$TEST_TMP/err") # as systemd names it, so that messages have a level
	strace -f -o "$TEST_TMP/trace" "$NC" -c "$INI" -o "$FILE" 2>"$TEST_TMP/err" ||
		skip "strace may not trace"
}

# traced SPECIFICATION [OPTION...]: a run with that injection; its exit status is $status, and its messages,
# written as for a journal, are in $TEST_TMP/err. The file before is /dev/fd/9.
traced() {
	exec 9<"$FILE"
	status=0
	{
		JOURNAL_STREAM=$journal strace -f -qq "${@:2}" \
			-o "$TEST_TMP/trace.now" -e trace="${1%%:*}" -e inject="$1" \
			"$NC" -c "$INI" -o "$FILE" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
	} 2>/dev/null # bash would tell of a kill
}

# calls: `NAME N` for each system call: N is how often the process or the child that makes it most
# often does so, since strace counts for each. By name and number, since threads shift plain numbers.
calls() {
	awk '$2 ~ /^[a-z_0-9]+[(]/ {
			name = substr($2, 1, index($2, "(") - 1)
			if (name == "execve") next
			n = ++count[$1 " " name]
			if (n > most[name]) { if (n == 1) order[++names] = name; most[name] = n }
		}
		END { for (i = 1; i <= names; i++) print order[i], most[order[i]] }' "$TEST_TMP/trace"
}

# counters_go_on OLD WHAT: no counter of OLD is missing in the file, or lower; and every request was
# answered. The kernel's own counts may be missing, where it does not tell. Sets $more, by how much the
# file counts more runs.
counters_go_on() {
	[ -f "$FILE" ] || fail "$2: there is no file"
	awk -v runs=nodecanary_runs_total '
		/^#/ || $1 !~ /_(total|count|sum|bucket)([{]|$)/ { next }
		/^nodecanary_echo_re(quests_received|plies_sent)_total/ { next }
		FILENAME == ARGV[1] { old[$1] = $NF; next }
		{ new[$1] = $NF }
		$1 ~ /^nodecanary_requests_total/ {
			replies = "nodecanary_replies_total" substr($1, 26)
			asked[replies] = $NF - old[$1]
		}
		END {
			for (s in old) if (!(s in new) || new[s] + 0 < old[s] + 0)
				print s " was " old[s] " and is " new[s]
			for (s in asked) if (new[s] - old[s] != asked[s])
				print s ": " new[s] - old[s] " more, of so many requests: " asked[s]
			print new[runs] - old[runs]
		}' "$1" "$FILE" >"$TEST_TMP/counters"
	read -r more <"$TEST_TMP/counters"
	[[ $more =~ ^[0-9]+$ ]] || fail "$2: $(head -n 3 "$TEST_TMP/counters")"
}

# whole_file WHAT: the file is the one before `traced`, or a further one. Sets $more.
whole_file() {
	more=0
	[ /dev/fd/9 -ef "$FILE" ] && return
	counters_go_on /dev/fd/9 "$1"
	assert_between 0 "$more" 1 "$1: runs more"
}

# goes_on WHAT: the next run has nothing to say, takes the counters over and leaves nothing else.
goes_on() {
	exec 9<"$FILE"
	"$NC" -c "$INI" -o "$FILE" 2>"$TEST_TMP/err" || fail "$1: the next run fails: $(cat "$TEST_TMP/err")"
	[ ! -s "$TEST_TMP/err" ] || fail "$1: the next run says: $(cat "$TEST_TMP/err")"
	counters_go_on /dev/fd/9 "$1, next run"
	assert_eq 1 "$more" "$1: runs more with the next one"
	alone "$1, next run"
}

# alone WHAT: the file is all that there is.
alone() {
	local files=("$DIR"/* "$DIR"/.[!.]*)
	[ "${files[*]}" = "$FILE $DIR/.[!.]*" ] || fail "$1: in the directory: ${files[*]##*/}"
}
