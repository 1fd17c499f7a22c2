#!/bin/bash
# Compares the manual pages with the program and its sources, both ways: options, exit statuses,
# keys, defaults, ranges, examples and messages.
#
#     tests/packaging/man.sh
#
# NODECANARY names the program (build/nodecanary), V and COUNTS: see tests/lib/checks.sh.

# shellcheck disable=SC2016,SC2317 # backticks are the program's; called by check
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
# shellcheck source=tests/docs/lib.sh
. "$TOP/tests/docs/lib.sh"
NC8=$TOP/packaging/man/nodecanary.8
INI5=$TOP/packaging/man/nodecanary.ini.5

# --- parsing the pages ---

# plain_mdoc: without what only protects text from mdoc, and with continued lines joined.
plain_mdoc() {
	sed -e ':again' -e '/\\$/{N;s/\\\n//;b again' -e '}' -e 's/\\&//g; s/\\-/-/g; s/\\e/\\/g' "$1"
}

# section PAGE NAME: its lines.
section() {
	plain_mdoc "$1" | awk -v head=".Sh $2" '/^\.Sh / { inside = $0 == head; next } inside'
}

# displays PAGE NAME DIR: the literal displays of a section, or with `*` of all, as DIR/1, DIR/2 ...
displays() {
	mkdir -p "$3"
	plain_mdoc "$1" | awk -v head=".Sh $2" -v dir="$3" '
		/^\.Sh / { wanted = head == ".Sh *" || $0 == head }
		wanted && /^\.Bd -literal/ { inside = 1; out = dir "/" ++n; printf "" >out; next }
		/^\.Ed/ { inside = 0 }
		inside { print >out }
		END { exit n == 0 }' || fail "$1: no displays in $2"
}

# documented_keys SECTION: a line `KEY<tab>DEFAULT<tab>VALUE VALUE ...` for each key; allowed
# values that make a range have `to` between them.
documented_keys() {
	section "$INI5" "$1" | awk -v OFS='\t' '
		function flush() { if (key != "") print key, value, allowed }
		function argument(line) {
			sub(/^\.Ql /, "", line)
			sub(/ [;.,:]$/, "", line)
			return line
		}
		/^\.It Cm / { flush(); key = $3; value = "?"; allowed = ""; state = ""; next }
		/^\.El/ { flush(); key = ""; next }
		/^Default$/ { state = "default"; next }
		/^Default empty/ { value = ""; state = "default"; next }
		/^allowed/ { state = "allowed"; next }
		state == "default" && /^\.Ql / { value = argument($0); next }
		state == "allowed" && /^\.Ql / {
			allowed = allowed (allowed == "" ? "" : " ") argument($0)
			next
		}
		state == "allowed" && /^to$/ { allowed = allowed " to" }'
}

# key_section collector|probe: where the page has them.
key_section() {
	case $1 in
	collector) echo 'COLLECTOR SECTION' ;;
	probe) echo 'PROBE SECTIONS' ;;
	esac
}

# --- form ---

# References to pages that are not installed here are no fault of the page: it refers to its other
# half, and to programs that a build machine need not have.
lint() {
	need mandoc
	mandoc -Tlint -W style "$1" 2>/dev/null |
		grep -v 'STYLE: referenced manual not found: Xr ' >"$TMP/scratch/lint" || true
	[ ! -s "$TMP/scratch/lint" ] || fail "$(cat "$TMP/scratch/lint")"
}

# As lintian does it.
groff_is_silent() {
	need man
	man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>"$TMP/scratch/err" >"$TMP/scratch/out"
	[ -s "$TMP/scratch/out" ] || fail "no output"
	[ ! -s "$TMP/scratch/err" ] || fail "$(cat "$TMP/scratch/err")"
}

# A word that mdoc takes for a macro vanishes, or leaves a gap.
nothing_vanishes() {
	local page
	need mandoc
	for page in "$NC8" "$INI5"; do
		mandoc -T ascii "$page" | sed 's/.\x08//g' | tr -s ' \n\t' ' ' >"$TMP/scratch/text"
		[ -s "$TMP/scratch/text" ]
		! grep -nE "^\.(Dq|Ql|Em|Pa|Cm|Ic|It Dq) (.* )?(No|At|Ns|Pf|An|Ad|Em|Fa|Nm|Ex|In|St)( |\$)" \
			"$page" || fail "macros in text of $page"
		! grep -nE '\.(Ql|Dq|Fl|Cm|Xr) ' "$TMP/scratch/text" || fail "macros are shown in $page"
	done
}

# --- nodecanary(8) and the program ---

documented_options() {
	section "$NC8" DESCRIPTION |
		sed -n 's/^\.It Fl \([a-zA-Z]\) , Fl -\([a-z-]*\)\( Ar \([A-Z]*\)\)\?$/-\1 --\2 \4/p' |
		sed 's/ *$//' | sort
}

options_are_the_programs() {
	documented_options >"$TMP/scratch/documented"
	"$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\( [A-Z]*\)\?\)  *.*/\1 \2/p' |
		sed 's/ *$//' | sort >"$TMP/scratch/actual"
	same options "$TMP/scratch/documented" "$TMP/scratch/actual"
}

synopsis() {
	section "$NC8" SYNOPSIS | sed -n 's/^\.\(Op \)\?Fl //p' |
		sed 's/ Ar FILE | Fl$//; s/ Ar .*//; s/ | /\n/' | sort >"$TMP/scratch/documented"
	documented_options | sed 's/^-\(.\).*/\1/' | sort >"$TMP/scratch/actual"
	same "options of the synopsis" "$TMP/scratch/documented" "$TMP/scratch/actual"
}

statuses() {
	section "$NC8" 'EXIT STATUS' | sed -n 's/^\.It \([0-9]*\)$/\1/p' >"$TMP/scratch/documented"
	"$NC" --help | sed -n '/^Exit status/,$p' | grep -o '\<[0-9][0-9]*\>' >"$TMP/scratch/actual"
	same "exit statuses" "$TMP/scratch/documented" "$TMP/scratch/actual"
	# And of the systemd page of names.
	[ "$(section "$NC8" 'EXIT STATUS' | grep -c '^\.Ql [A-Z]*\( [,.]\)\?$')" -eq \
		$(($(wc -l <"$TMP/scratch/actual") - 1)) ] || fail "names of exit statuses"
}

environment() {
	section "$NC8" ENVIRONMENT | sed -n 's/^\.It Ev //p' | sort >"$TMP/scratch/documented"
	grep -ho 'getenv("[A-Z_]*")' collector/*.c collector/*/*.c | sed 's/.*"\(.*\)".*/\1/' | sort -u >"$TMP/scratch/actual"
	same environment "$TMP/scratch/documented" "$TMP/scratch/actual"
}

signals() {
	section "$NC8" SIGNALS | sed -n 's/^\.It Dv //p' | tr -d ' ' | tr , '\n' | sort >"$TMP/scratch/documented"
	"${CC:-cc}" -fpreprocessed -dD -E -P collector/base/stop.c 2>/dev/null |
		grep -oE "\<SIG(TERM|INT|HUP|QUIT|ALRM|PIPE|USR1|USR2)\>" | sort -u >"$TMP/scratch/actual"
	same signals "$TMP/scratch/documented" "$TMP/scratch/actual"
}

paths() {
	local path
	for path in "$("$NC" --help | sed -n 's/.*configuration (\(.*\))$/\1/p')" \
		"$(sed -n 's/.*{"textfile", .*"\(.*\)",$/\1/p' collector/config/options.c)" \
		"/var/lib/nodecanary/.nodecanary.prom$(sed -n 's/^#define SUFFIX "\(.*\)"/\1/p' \
			collector/publish/outfile.c)"; do
		[ "${path#/}" != "$path" ]
		section "$NC8" FILES | grep -qxF ".It Pa $path" || fail "$path is not there"
	done
}

# Words in capitals stand for what differs from one to the next.
messages() {
	local message part count=0
	# Neighbouring literals of the sources are one.
	cat collector/*.c collector/*/*.c | tr -s '\n\t ' ' ' | sed 's/" "//g' >"$TMP/scratch/sources"
	while read -r message; do
		count=$((count + 1))
		while read -r part; do
			[ ${#part} -lt 5 ] || grep -qF -- "$part" "$TMP/scratch/sources" ||
				fail "no message of the program: $part ($message)"
		done < <(sed -E 's/`?\<(FILE|LINE|WHAT|EXPECTED|REASON|DOTFILE|COUNT|ADDRESS|BYTES|PEER|NAME|PLACE|GROUP|SECONDS|DEADLINE|FUNCTION|UID)\>`?/\n/g; s/(a symbolic link)/\n\1\n/g' <<<"$message" |
			sed 's/^[ :(),]*//; s/[ :(),`]*$//')
	done < <(section "$NC8" DIAGNOSTICS | sed -n 's/^\.It Dq //p')
	[ "$count" -ge 12 ] || fail "only $count messages"
}

# The commands of the examples have options that there are: what -h follows is only parsed.
commands() {
	local line count=0
	displays "$NC8" EXAMPLES "$TMP/scratch/displays"
	while read -r line; do
		count=$((count + 1))
		# shellcheck disable=SC2086 # the words of a command
		"$NC" ${line#nodecanary } -h >/dev/null || fail "$line"
	done < <(cat "$TMP"/scratch/displays/* | sed -n 's/^\(nodecanary [^|]*\).*/\1/p')
	[ "$count" -ge 4 ]
}

# --- nodecanary.ini(5) and the program ---

keys_are_the_programs() {
	local section
	for section in collector probe; do
		documented_keys "$(key_section "$section")" | cut -f 1 | sort >"$TMP/scratch/documented"
		keys "$section" | sort >"$TMP/scratch/actual"
		same "keys of [$section]" "$TMP/scratch/documented" "$TMP/scratch/actual"
	done
}

documented_defaults() {
	local section
	for section in collector probe; do
		documented_keys "$(key_section "$section")" | cut -f 1,2 | tr '\t' ' ' | sed "s/^/$section /"
	done
}

defaults() {
	documented_defaults | defaults_are_the_programs
}

# step VALUE BY: the number in it, so much more or less, with its unit.
step() {
	if [[ $1 == 0x* ]]; then
		printf '0x%x\n' $(($1 + $2))
	else
		[[ $1 =~ ^([0-9]+)([a-z]*)$ ]] || fail "no number: $1"
		printf '%s\n' "$((BASH_REMATCH[1] + $2))${BASH_REMATCH[2]}"
	fi
}

# The program's own message has the range, and its ends are where the page says.
check_range() {
	local section=$1 key=$2 low=$3 high=$4 message
	message=$(expected "$section" "$key")
	[[ $message == *"from $low to $high"* ]] || fail "$key: $low to $high, but: $message"
	accepts "[$section]\n$key = $low\n"
	accepts "[$section]\n$key = $high\n"
	refuses "[$section]\n$key = $(step "$high" 1)\n"
	case $low in
	0*) refuses "[$section]\n$key = -1\n" ;;
	*) refuses "[$section]\n$key = $(step "$low" -1)\n" ;;
	esac
}

ranges() {
	local section key allowed message ranges=0
	for section in collector probe; do
		while IFS=$'\t' read -r key _ allowed; do
			message=$(expected "$section" "$key")
			if [[ $allowed =~ ^([^ ]+)\ to\ ([^ ]+) ]]; then
				check_range "$section" "$key" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
				ranges=$((ranges + 1))
			elif [[ $message =~ from\ [0-9] ]]; then
				fail "$key: the page has no range, but: $message"
			fi
		done < <(documented_keys "$(key_section "$section")" | sed 's/\t\t/\t-\t/')
	done
	[ "$ranges" -ge 12 ] || fail "only $ranges ranges"
}

# Lists of words: those of the program's message, and no other one.
words() {
	local section key allowed message word lists=0
	for section in collector probe; do
		while IFS=$'\t' read -r key _ allowed; do
			message=$(expected "$section" "$key")
			if [[ " $allowed " != *' to '* ]] && [ -n "$allowed" ]; then
				tr ' ' '\n' <<<"$allowed" | sort >"$TMP/scratch/documented"
				sed 's/ or /\n/; s/, /\n/g' <<<"$message" | sort >"$TMP/scratch/actual"
				same "$key" "$TMP/scratch/documented" "$TMP/scratch/actual"
				lists=$((lists + 1))
			fi
			for word in $allowed; do
				[ "$word" = to ] || accepts "[$section]\n$key = $word\n" || fail "$key = $word"
			done
		done < <(documented_keys "$(key_section "$section")" | sed 's/\t\t/\t-\t/')
	done
	[ "$lists" -ge 5 ] || fail "only $lists lists of words"
	documented_keys 'PROBE SECTIONS' | sed -n 's/^dscp\t.* 63 //p' | tr ' ' '\n' |
		sort >"$TMP/scratch/documented"
	sed -n '/ code_points = /,/};/p' collector/config/options.c | grep -o '"[a-z0-9]*"' | tr -d '"' |
		sort >"$TMP/scratch/actual"
	same "names of dscp" "$TMP/scratch/documented" "$TMP/scratch/actual"
}

# What the page says in words.
values() {
	local message
	message=$(expected probe buckets)
	section "$INI5" 'PROBE SECTIONS' | grep -qF "allowed: ${message%% from *}" || fail "$message"
	message=$(refuses '[probe]\ndevice = a/b\n')
	[[ $message == *"at most 15 bytes" ]] || fail "$message"
	section "$INI5" 'PROBE SECTIONS' | grep -q 'a name of at most 15 bytes'
	refuses '[probe g]\nbuckets = 1ms\n[peers g]\n'
	for message in ns us ms s m h d; do
		grep -q "^\.Ql $message \?[,:]\?\$" "$INI5" || fail "the page has no unit $message"
		accepts "[collector]\nresolve_every = 1$message\n"
	done
}

# limit MACRO FILE TEXT: the page has the number that a header defines.
limit() {
	local number
	number=$(sed -n "s/^#define $1 //p" "collector/$2" | sed -E 's/([0-9])([0-9]{3})$/\1,\2/')
	[ -n "$number" ] || fail "no $1"
	grep -qF -- "${3/N/$number}" "$INI5" || fail "the page does not say: ${3/N/$number}"
}

limits() {
	limit INIFILE_LINE_MAX config/inifile.h 'lines of at most N bytes'
	limit INIFILE_SECTION_MAX config/inifile.h 'has at most N bytes'
	limit LABELS_MAX config/labels.h 'has at most N labels'
	[ "$(sed -n 's/^#define CONFIG_FAMILY_PEERS_MAX //p' collector/config/config.h)" = 65536 ]
	grep -q '65,536 peers' "$INI5"
	grep -q '65,536 peers' "$NC8"
}

label_names() {
	local name
	section "$INI5" 'LABELS SECTIONS' | sed -n '/^These names are reserved/,/^A group/p' |
		sed -n 's/^\.Ql \([a-z]*\) *[,.]$/\1/p' | sort >"$TMP/scratch/documented"
	sed -n '/taken\[\]/,/};/p' collector/config/labels.c | grep -o '"[a-z]*"' | tr -d '"' | sort >"$TMP/scratch/actual"
	same "names of labels" "$TMP/scratch/documented" "$TMP/scratch/actual"
	while read -r name; do refuses "[peers]\na = 10.0.0.1 $name=x\n"; done <"$TMP/scratch/actual"
}

examples() {
	local file count=0
	displays "$INI5" '*' "$TMP/scratch/displays"
	for file in "$TMP"/scratch/displays/*; do
		"$NC" -C -c "$file" >/dev/null 2>"$TMP/scratch/err" || fail "$(cat "$file" "$TMP/scratch/err")"
		count=$((count + 1))
	done
	[ "$count" -ge 7 ] || fail "only $count examples"
}

# --- nodecanary(8) and the units ---

units() {
	local service=systemd/nodecanary.service timer=systemd/nodecanary.timer
	if ! [ -e "$service" ] || ! [ -e "$timer" ]; then skip "there are no units"; fi
	grep -q '^OnCalendar=\*:\*:0/15$' "$timer"
	grep -q 'every 15 seconds' "$NC8"
	grep -q '^FixedRandomDelay=yes$' "$timer"
	grep -q '^User=nodecanary$' "$service"
	grep -q '^StateDirectory=nodecanary$' "$service"
	grep -qE '^AmbientCapabilities=CAP_NET_RAW$' "$service"
	grep -qE '^ExecStart=.*(-o|--output)[ =](/var/lib/nodecanary|%S/nodecanary|\$\{?STATE_DIRECTORY\}?)/nodecanary\.prom' "$service"
	grep -q "^A run that takes longer than $(sed -n 's/^TimeoutStartSec=\([0-9]*\)s$/\1/p' "$service") seconds" "$NC8"
	grep -q '^AccuracySec=100ms$' "$timer"
	grep -q 'accuracy of the timer, which is 100 ms' "$NC8"
	! grep -qE '^(After|Wants)=.*network-online' "$service" || fail "the page says that it does not wait"
	! grep -q '^\[Install\]' "$service"
}

drop_ins_of_units() {
	local file
	need systemd-analyze
	displays "$NC8" EXAMPLES "$TMP/scratch/displays"
	for file in "$TMP"/scratch/displays/*; do
		case $(head -n 1 "$file") in
		'[Timer]')
			systemd-analyze calendar "$(sed -n 's/^OnCalendar=\(..*\)/\1/p' "$file")"
			touch "$TMP/scratch/timer"
			;;
		esac
	done
	[ -e "$TMP/scratch/timer" ]
}

for page in "$NC8" "$INI5"; do
	check "${page##*/}: mandoc has nothing to say" lint "$page"
	check "${page##*/}: groff has nothing to say" groff_is_silent "$page"
done
check 'no word of a page is taken for a macro' nothing_vanishes
check 'nodecanary(8) and --help have the same options' options_are_the_programs
check 'the synopsis has each option' synopsis
check 'nodecanary(8) and --help have the same exit statuses' statuses
check 'nodecanary(8) has the variables that the program reads' environment
check 'nodecanary(8) has the signals that end a run' signals
check "nodecanary(8) has the program's files" paths
check 'the messages in nodecanary(8) are those of the program' messages
check 'commands of the examples have options that exist' commands
check 'nodecanary.ini(5) and the program have the same keys' keys_are_the_programs
check "every default in nodecanary.ini(5) is the program's" defaults
check "every range in nodecanary.ini(5) is the program's" ranges
check "every word that a key takes is in nodecanary.ini(5), and no other one" words
check 'values are as nodecanary.ini(5) says in words' values
check 'limits are those of the sources' limits
check 'reserved names of labels are those of the program' label_names
check 'every example in nodecanary.ini(5) is valid' examples
check 'the units are as nodecanary(8) says' units
check 'the timer of an example is one that systemd knows' drop_ins_of_units

finish
