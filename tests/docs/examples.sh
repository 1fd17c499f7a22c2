# shellcheck shell=bash disable=SC2016 # other shells expand it
# Checks of the examples: every configuration, command and output that a document shows.

# valid_configurations FILE
valid_configurations() {
	local file
	blocks ini "$1" "$TMP/scratch/blocks"
	for file in "$TMP"/scratch/blocks/*; do
		"$NC" -C -c "$file" 2>"$TMP/err" >/dev/null || fail "$(cat "$file" "$TMP/err")"
		[ ! -s "$TMP/err" ] || fail "$(cat "$TMP/err")"
	done
}

# Round-trip times differ from run to run, and with them the width of columns.
without_times() {
	sed -E 's/[0-9]+\.[0-9]{3}\b/N/g; s/ +/ /g'
}

# `$ nodecanary ...` and what it prints.
console_examples() {
	local file command
	blocks console "$README" "$TMP/scratch"
	for file in "$TMP"/scratch/*; do
		command=$(sed -n '1s/^\$ nodecanary //p' "$file")
		[ -n "$command" ] || fail "$(cat "$file")"
		sed 1d "$file" | without_times >"$TMP/documented"
		# shellcheck disable=SC2086 # the words of a command
		isolated "$NC" $command | without_times >"$TMP/actual"
		same "$command" "$TMP/documented" "$TMP/actual"
	done
}

# With this before them, commands change copies of the machine's directories, or empty ones.
pretend_machine() {
	cat <<'SCRIPT'
set -e
mkdir -p "$work/etc"
mount --rbind /etc "$work/etc"
mount -t tmpfs -o mode=755 tmpfs /etc
find "$work/etc" -mindepth 1 -maxdepth 1 -exec ln -s -t /etc {} +
rm -f /etc/nodecanary
mount -t tmpfs -o mode=755 tmpfs /usr/local
PATH=/usr/local/sbin:$PATH
sudo() { "$@"; }
make() { command make BUILD="$build" "$@"; }
SCRIPT
}

quick_start() {
	need make
	blocks sh "$README" "$TMP/scratch/blocks"
	{
		printf 'work=%q build=%q\n' "$TMP/scratch" "$(dirname "$NC")"
		pretend_machine
		cat "$TMP"/scratch/blocks/*
	} >"$TMP/scratch/script"
	isolated bash "$TMP/scratch/script" >"$TMP/scratch/out"
	grep -q '^group default: 2 peers' "$TMP/scratch/out" || fail "--check says nothing of two peers"
	grep -qE '^worker2 +10\.0\.0\.12 ' "$TMP/scratch/out" || fail "no peer in the table"
}

shipped_is_silent() {
	isolated "$NC" -c conf/nodecanary.ini -d "$TMP/scratch" -o "$TMP/scratch/x.prom" -t \
		>"$TMP/scratch/out" 2>"$TMP/scratch/err"
	[ ! -s "$TMP/scratch/err" ] || fail "$(cat "$TMP/scratch/err")"
	[ -s "$TMP/scratch/x.prom" ]
	! grep -q 'nodecanary_peers{' "$TMP/scratch/x.prom" || fail "there are peers"
	"$NC" -C -c conf/nodecanary.ini -d "$TMP/scratch" | grep -q '^0 groups, 0 peers'
}

# "SECTION KEY DEFAULT" of every key that is commented out; stops at the peers.
shipped_defaults() {
	awk '
		/^\[/ { section = substr($0, 2, index($0, "]") - 2) }
		/^;\[/ { exit }
		/^;[a-z_]+ =/ {
			key = substr($1, 2)
			sub(/^;[a-z_]+ = ?/, "")
			print section, key, $0
		}' conf/nodecanary.ini
}

# The comment above a key.
shipped_comment() {
	awk -v key=";$1 =" '
		index($0, key) == 1 { print comment; exit }
		/^; / { comment = comment substr($0, 2); next }
		{ comment = "" }' conf/nodecanary.ini
}

shipped_keys() {
	local section
	for section in collector probe; do keys "$section" | sed "s/^/$section /"; done |
		sort >"$TMP/scratch/actual"
	shipped_defaults | cut -d ' ' -f 1,2 | sort >"$TMP/scratch/documented"
	same keys "$TMP/scratch/documented" "$TMP/scratch/actual"
	shipped_defaults | defaults_are_the_programs
}

# The range or the words of the program's own message are in the comment of each key.
shipped_ranges() {
	local section key message comment wanted count=0
	while read -r section key _; do
		message=$(expected "$section" "$key") comment=$(shipped_comment "$key")
		[ -n "$comment" ] || fail "$key has no comment"
		case $message in
		*' from '*' to '*)
			[[ $message =~ from\ ([0-9a-z]+)\ to\ ([0-9a-z]+) ]]
			wanted="${BASH_REMATCH[1]} to ${BASH_REMATCH[2]}"
			;;
		*'at most'*) wanted="at ${message#* at }" ;;
		*blanks*) continue ;;
		*' or '*) wanted=${message##*or } ;;
		*) continue ;;
		esac
		count=$((count + 1))
		grep -qF -e "$wanted" <<<"$comment" || fail "$key: $wanted is not in: $comment"
	done < <(shipped_defaults)
	[ "$count" -ge 18 ] || fail "only $count keys have a range"
}

shipped_uncommented() {
	sed 's/^;\([[a-z]\)/\1/' conf/nodecanary.ini >"$TMP/scratch/all.ini"
	[ "$(grep -c '^;[^ ]' "$TMP/scratch/all.ini")" = 0 ]
	"$NC" -C -c "$TMP/scratch/all.ini" >"$TMP/scratch/out" 2>&1 || fail "$(cat "$TMP/scratch/out")"
	grep -q '^group storage: 2 peers' "$TMP/scratch/out" || fail "$(cat "$TMP/scratch/out")"
}

# What is between the marks of the simulation is what it prints.
fanout_table() {
	need python3
	NODECANARY=$NC tests/bench/simulate >"$TMP/scratch/actual"
	sed -n '/^<!-- tests.*simulate: begin/,/^<!-- tests.*simulate: end/{/^|/p}' \
		tests/bench/README.md >"$TMP/scratch/documented"
	same "a fleet of 10,000 with a fanout" "$TMP/scratch/documented" "$TMP/scratch/actual"
}

# Commands within a sentence, also of what an alert says is to be done.
commands_in_sentences() {
	local command count=0 status
	while read -r command; do
		status=0
		# shellcheck disable=SC2086 # the words of a command
		isolated "$NC" ${command#nodecanary} -c conf/loopback.ini -o - >"$TMP/scratch/out" 2>&1 || status=$?
		[ "$status" = 0 ] || fail "$command ends with status $status: $(cat "$TMP/scratch/out")"
		count=$((count + 1))
	done < <(printf '%s\n' "${DOCUMENTS[@]}" packaging/prometheus/nodecanary.alerts.yml |
		xargs grep -hoE '`nodecanary -[^`]*`' | tr -d '`' | sort -u)
	[ "$count" -ge 5 ] || fail "only $count commands"
}
