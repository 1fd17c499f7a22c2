#!/bin/bash
# The manual pages say what the program does: their options, exit statuses, keys, defaults, ranges,
# examples, messages and metrics are compared with the program and its sources, both ways.
#
#     tests/packaging/man.sh
#
# NODECANARY names the program (build/nodecanary), COUNTS a file to which `PASSED FAILED SKIPPED` is
# appended, V=1 shows all output.

# shellcheck disable=SC2016 # backticks are the program's
set -u
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
NC=$(realpath -m "${NODECANARY:-$TOP/build/nodecanary}")
README=$TOP/README.md
NC8=$TOP/packaging/man/nodecanary.8
INI5=$TOP/packaging/man/nodecanary.ini.5
TMP=$(mktemp -d) || exit 1
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$TOP" || exit 1

# same, keys, accepts, refuses, need, skip, fail
# shellcheck source=tests/docs/lib.sh
. "$TOP/tests/docs/lib.sh"

if ! [ -x "$NC" ]; then
	echo "man.sh: $NC is not there" >&2
	exit 1
fi

passed=0 failed=0 skipped=0

# check SENTENCE COMMAND...: status 0 is a pass, 77 a skip whose reason is the last line.
check() {
	local name=$1 status
	shift
	rm -rf "$TMP/work"
	mkdir "$TMP/work"
	(
		set -e
		"$@"
	) >"$TMP/log" 2>&1
	status=$?
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] || [ "${V:-0}" = 1 ]; then
		sed 's/^/# /' "$TMP/log"
	fi
	case $status in
	0) echo "ok - $name" && passed=$((passed + 1)) ;;
	77) echo "ok - $name # SKIP $(tail -n 1 "$TMP/log")" && skipped=$((skipped + 1)) ;;
	*) echo "not ok - $name" && failed=$((failed + 1)) ;;
	esac
}

# notices COMMAND...: it fails. In the background, since what is part of a condition goes on behind
# commands that fail.
notices() {
	local status=0
	("$@") >"$TMP/work/noticed" 2>&1 &
	wait $! || status=$?
	[ "$status" = 1 ] || fail "not noticed: $*, status $status"
}

# --- taking pages apart ---

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

# documented_keys SECTION PAGE: a line `KEY<tab>DEFAULT<tab>VALUE VALUE ...` for each key; allowed
# values that make a range have `to` between them.
documented_keys() {
	section "$2" "$1" | awk -v OFS='\t' '
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

# What the program expects in place of a value that no key takes.
expected() {
	local value=!
	case $2 in
	device | self) value='a b' ;;
	esac
	refuses "[$1]\n$2 = $value\n" | sed -n 's/.*`, expected //p'
}

# --- form ---

# References to pages that are not installed here are no fault of the page: it refers to its other
# half, and to programs that a build machine need not have.
lint() {
	need mandoc
	mandoc -Tlint -W style "$1" 2>/dev/null |
		grep -v 'STYLE: referenced manual not found: Xr ' >"$TMP/work/lint" || true
	[ ! -s "$TMP/work/lint" ] || fail "$(cat "$TMP/work/lint")"
}

lint_notices() {
	need mandoc
	sed 's/^\.Sh EXAMPLES/.Sh EXAMPLES \n.Nosuch/' "$NC8" >"$TMP/work/nodecanary.8"
	notices lint "$TMP/work/nodecanary.8"
}

# As lintian does it.
groff_is_silent() {
	need man
	man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>"$TMP/work/err" >"$TMP/work/out"
	[ -s "$TMP/work/out" ] || fail "no output"
	[ ! -s "$TMP/work/err" ] || fail "$(cat "$TMP/work/err")"
}

# A word that mdoc takes for a macro vanishes, or leaves a gap.
nothing_vanishes() {
	local page
	need mandoc
	for page in "$NC8" "$INI5"; do
		mandoc -T ascii "$page" | sed 's/.\x08//g' | tr -s ' \n\t' ' ' >"$TMP/work/text"
		[ -s "$TMP/work/text" ]
		! grep -nE "^\.(Dq|Ql|Em|Pa|Cm|Ic|It Dq) (.* )?(No|At|Ns|Pf|An|Ad|Em|Fa|Nm|Ex|In|St)( |\$)" \
			"$page" || fail "macros in text of $page"
		! grep -nE '\.(Ql|Dq|Fl|Cm|Xr) ' "$TMP/work/text" || fail "macros are shown in $page"
	done
}

# --- nodecanary(8) and the program ---

# documented_options PAGE
documented_options() {
	section "$1" DESCRIPTION |
		sed -n 's/^\.It Fl \([a-zA-Z]\) , Fl -\([a-z-]*\)\( Ar \([A-Z]*\)\)\?$/-\1 --\2 \4/p' |
		sed 's/ *$//' | sort
}

options_are_the_programs() {
	documented_options "$1" >"$TMP/work/documented"
	"$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\( [A-Z]*\)\?\)  *.*/\1 \2/p' |
		sed 's/ *$//' | sort >"$TMP/work/actual"
	same options "$TMP/work/documented" "$TMP/work/actual"
}

options_notice() {
	sed '/^\.It Fl n , /d' "$NC8" >"$TMP/work/less"
	notices options_are_the_programs "$TMP/work/less"
	sed 's/^\.It Fl n , .*/&\n.It Fl z , Fl -zap/' "$NC8" >"$TMP/work/more"
	notices options_are_the_programs "$TMP/work/more"
}

synopsis() {
	section "$NC8" SYNOPSIS | sed -n 's/^\.\(Op \)\?Fl //p' |
		sed 's/ Ar FILE | Fl$//; s/ Ar .*//; s/ | /\n/' | sort >"$TMP/work/documented"
	documented_options "$NC8" | sed 's/^-\(.\).*/\1/' | sort >"$TMP/work/actual"
	same "options of the synopsis" "$TMP/work/documented" "$TMP/work/actual"
}

statuses() {
	section "$NC8" 'EXIT STATUS' | sed -n 's/^\.It \([0-9]*\)$/\1/p' >"$TMP/work/documented"
	"$NC" --help | sed -n '/^Exit status/,$p' | grep -o '\<[0-9][0-9]*\>' >"$TMP/work/actual"
	same "exit statuses" "$TMP/work/documented" "$TMP/work/actual"
	# And of the systemd page of names.
	[ "$(section "$NC8" 'EXIT STATUS' | grep -c '^\.Ql [A-Z]*\( [,.]\)\?$')" -eq \
		$(($(wc -l <"$TMP/work/actual") - 1)) ] || fail "names of exit statuses"
}

environment() {
	section "$NC8" ENVIRONMENT | sed -n 's/^\.It Ev //p' | sort >"$TMP/work/documented"
	grep -ho 'getenv("[A-Z_]*")' collector/*.c collector/*/*.c | sed 's/.*"\(.*\)".*/\1/' | sort -u >"$TMP/work/actual"
	same environment "$TMP/work/documented" "$TMP/work/actual"
}

signals() {
	section "$NC8" SIGNALS | sed -n 's/^\.It Dv //p' | tr -d ' ' | tr , '\n' | sort >"$TMP/work/documented"
	grep -oE '\<SIG(TERM|INT|HUP|QUIT|ALRM|PIPE|USR1|USR2)\>' collector/base/stop.c | sort -u >"$TMP/work/actual"
	same signals "$TMP/work/documented" "$TMP/work/actual"
}

paths() {
	local path
	for path in "$("$NC" --help | sed -n 's/.*configuration (\(.*\))$/\1/p')" \
		"$(sed -n 's/.*\.textfile = "\(.*\)",/\1/p' collector/config/options.c)"; do
		[ -n "$path" ]
		section "$NC8" FILES | grep -qxF ".It Pa $path" || fail "$path is not there"
	done
	# The dot-file.
	printf '[probe]\ntimeout = 1m\nwarmup = 0\n[peers]\nsilent = 192.0.2.1\n' >"$TMP/work/x.ini"
	mkdir "$TMP/work/out"
	isolated bash -c '
		ip route add 192.0.2.1 dev lo
		"$1" -c "$2/x.ini" -o "$2/out/nodecanary.prom" &
		until [ -n "$(ls -A "$2/out")" ]; do sleep 0.02; done
		ls -A "$2/out" >"$2/name"
		kill %1
		wait' - "$NC" "$TMP/work"
	section "$NC8" FILES | grep -qxF ".It Pa /var/lib/nodecanary/$(cat "$TMP/work/name")" ||
		fail "no dot-file $(cat "$TMP/work/name")"
}

metrics() {
	section "$NC8" METRICS | sed -n 's/^\.Ql \(nodecanary_[a-z_]*\)$/\1/p' | sort >"$TMP/work/documented"
	grep -o '"nodecanary_[a-z_]*"' collector/publish/metrics.c | tr -d '"' | sort -u >"$TMP/work/actual"
	same metrics "$TMP/work/documented" "$TMP/work/actual"
	# Wherever else one is named.
	cat "$NC8" "$INI5" | grep -o '\<nodecanary_[a-z_]*' | sort -u | comm -23 - "$TMP/work/actual" >"$TMP/work/unknown"
	[ ! -s "$TMP/work/unknown" ] || fail "$(cat "$TMP/work/unknown")"
}

# Words in capitals stand for what differs from one to the next.
messages() {
	local message part count=0
	# Neighbouring literals of the sources are one.
	cat collector/*.c collector/*/*.c | tr -s '\n\t ' ' ' | sed 's/" "//g' >"$TMP/work/sources"
	while read -r message; do
		count=$((count + 1))
		while read -r part; do
			[ ${#part} -lt 5 ] || grep -qF -- "$part" "$TMP/work/sources" ||
				fail "no message of the program: $part ($message)"
		done < <(sed -E 's/`?\<(FILE|LINE|WHAT|EXPECTED|REASON|DOTFILE|COUNT|ADDRESS|BYTES|PEER|PLACE|GROUP|SECONDS|DEADLINE)\>`?/\n/g; s/(a symbolic link|have the name of)/\n\1\n/g' <<<"$message" |
			sed 's/^[ :(),]*//; s/[ :(),`]*$//')
	done < <(section "$NC8" DIAGNOSTICS | sed -n 's/^\.It Dq //p')
	[ "$count" -ge 12 ] || fail "only $count messages"
}

# Those that a configuration alone provokes are provoked.
says() {
	local text=$1 wanted=$2
	printf '%b' "$text" >"$TMP/work/says.ini"
	{ "$NC" -C -c "$TMP/work/says.ini" || true; } >"$TMP/work/said" 2>&1
	grep -qE -- "$wanted" "$TMP/work/said" || fail "$wanted: $(cat "$TMP/work/said")"
}

check_messages() {
	says '[collector]\nself = nobody\n' 'self = `nobody`: no such peer'
	says '[collector]\ndeadline = 100ms\n[peers]\na = 10.0.0.1\n' \
		'group `default`: no measured round fits'
	says '[collector]\ndeadline = 3s\n[peers]\na = 10.0.0.1\n' \
		'the last round may begin only after 5\.0 s, which is beyond deadline = 3s'
	case $(uname -n) in
	*.*) ;; # a qualified name tells them apart
	*) says "[peers]\n$(uname -n).a = 10.0.0.1\n$(uname -n).b = 10.0.0.2\n" \
		'several peers have the name of this host' ;;
	esac
}

# Without a network.
network_down() {
	printf '[probe]\ninterval = 1ms\n[peers]\na = 10.0.0.1\nb = fd00::1\nc = no-such-host.example\n' >"$TMP/work/x.ini"
	unshare --net true || skip "no namespaces"
	unshare --net "$NC" -c "$TMP/work/x.ini" -o "$TMP/work/x.prom" 2>"$TMP/work/err"
	[ "$(wc -l <"$TMP/work/err")" = 1 ]
	grep -q ' requests could not be sent: Network is unreachable$' "$TMP/work/err"
	grep -qx 'nodecanary_last_run_success 0' "$TMP/work/x.prom"
	grep -qx 'nodecanary_runs_total 0' "$TMP/work/x.prom"
	grep -qx 'nodecanary_peer_resolved{group="default",peer="c"} 0' "$TMP/work/x.prom"
	[ "$(grep -c '^nodecanary_unsent_total{.*} 5$' "$TMP/work/x.prom")" = 3 ]
	[ "$(grep -c '^nodecanary_requests_total{.*} 0$' "$TMP/work/x.prom")" = 3 ]
}

# The commands of the examples have options that there are: what -h follows is only parsed.
commands() {
	local line count=0
	displays "$NC8" EXAMPLES "$TMP/work/displays"
	while read -r line; do
		count=$((count + 1))
		# shellcheck disable=SC2086 # the words of a command
		"$NC" ${line#nodecanary } -h >/dev/null || fail "$line"
	done < <(cat "$TMP"/work/displays/* | sed -n 's/^\(nodecanary [^|]*\).*/\1/p')
	[ "$count" -ge 4 ]
}

# --- nodecanary.ini(5) and the program ---

# keys_are_the_programs PAGE
keys_are_the_programs() {
	local section
	for section in collector probe; do
		documented_keys "$(key_section $section)" "$1" | cut -f 1 | sort >"$TMP/work/documented"
		keys $section | sort >"$TMP/work/actual"
		same "keys of [$section]" "$TMP/work/documented" "$TMP/work/actual"
	done
}

keys_notice() {
	sed '/^\.It Cm spacing/d' "$INI5" >"$TMP/work/less"
	notices keys_are_the_programs "$TMP/work/less"
	sed 's/^\.It Cm spacing/&s/' "$INI5" >"$TMP/work/other"
	notices keys_are_the_programs "$TMP/work/other"
}

documented_defaults() {
	local section
	for section in collector probe; do
		documented_keys "$(key_section $section)" "$INI5" | cut -f 1,2 | tr '\t' ' ' | sed "s/^/$section /"
	done
}

defaults() {
	need "${CC:-cc}"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -Icollector -o "$TMP/work/keys" tests/docs/keys.c \
		collector/config/options.c collector/base/number.c collector/base/address.c collector/base/text.c
	documented_defaults >"$TMP/work/defaults"
	[ "$(wc -l <"$TMP/work/defaults")" -ge 20 ]
	"$TMP/work/keys" <"$TMP/work/defaults"
	if sed 's/^probe ttl 64$/probe ttl 65/' "$TMP/work/defaults" | "$TMP/work/keys"; then
		fail "a wrong default was not noticed"
	fi
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
		done < <(documented_keys "$(key_section $section)" "$INI5" | sed 's/\t\t/\t-\t/')
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
				tr ' ' '\n' <<<"$allowed" | sort >"$TMP/work/documented"
				sed 's/ or /\n/; s/, /\n/g' <<<"$message" | sort >"$TMP/work/actual"
				same "$key" "$TMP/work/documented" "$TMP/work/actual"
				lists=$((lists + 1))
			fi
			for word in $allowed; do
				[ "$word" = to ] || accepts "[$section]\n$key = $word\n" || fail "$key = $word"
			done
		done < <(documented_keys "$(key_section $section)" "$INI5" | sed 's/\t\t/\t-\t/')
	done
	[ "$lists" -ge 5 ] || fail "only $lists lists of words"
	documented_keys 'PROBE SECTIONS' "$INI5" | sed -n 's/^dscp\t.* 63 //p' | tr ' ' '\n' |
		sort >"$TMP/work/documented"
	sed -n '/ dscp_words\[\]/,/};/p' collector/config/options.c | grep -o '"[a-z0-9]*"' | tr -d '"' |
		sort >"$TMP/work/actual"
	same "names of dscp" "$TMP/work/documented" "$TMP/work/actual"
}

# What the page says in words.
values() {
	local message
	message=$(expected probe buckets)
	section "$INI5" 'PROBE SECTIONS' | grep -qF "allowed: ${message%%, *}" ||
		section "$INI5" 'PROBE SECTIONS' | grep -qF "allowed: ${message%% from *}" || fail "$message"
	message=$(refuses '[probe]\ndevice = a/b\n')
	[[ $message == *"at most 15 bytes" ]] || fail "$message"
	section "$INI5" 'PROBE SECTIONS' | grep -q 'a name of 15 bytes at most'
	refuses '[collector]\ntextfile = x.prom\n'
	refuses '[collector]\ntextfile = /x.txt\n'
	refuses '[collector]\nself = a b\n'
	accepts '[probe]\nsource = 10.0.0.1, fd00::1\n'
	accepts '[probe]\nsource = 10.0.0.1 fd00::1\n'
	refuses '[probe]\nsource = 10.0.0.1, 10.0.0.2\n'
	refuses '[probe g]\nbuckets = 1ms\n[peers g]\n'
	accepts '[probe]\nspacing = 0\n'
	refuses '[probe]\ntimeout = 1\n'
	accepts '[probe]\ntimeout = 2.5ms\n'
	for message in ns us ms s m h d; do
		grep -q "^\.Ql $message \?[,:]\?\$" "$INI5" || fail "the page has no unit $message"
		accepts "[collector]\nresolve_every = 1$message\n"
	done
}

repeat() {
	printf "%*s" "$2" '' | tr ' ' "$1"
}

# limit MACRO FILE TEXT: the page has the number that a header defines.
limit() {
	local number
	number=$(sed -n "s/^#define $1 //p" "collector/$2")
	[ -n "$number" ] || fail "no $1"
	grep -qF -- "${3/N/$number}" "$INI5" || fail "the page does not say: ${3/N/$number}"
}

limits() {
	limit INIFILE_LINE_MAX config/inifile.h 'lines of N bytes at most'
	limit INIFILE_SECTION_MAX config/inifile.h 'has N bytes at most'
	limit LABELS_GROUP_MAX config/labels.h 'A group has N labels at most'
	accepts "; $(repeat x 196)\n"
	refuses "; $(repeat x 197)\n"
	accepts "[peers $(repeat g 43)]\n"
	refuses "[peers $(repeat g 44)]\n"
	limit BATCHES_MAX ping/batches.h 'N different sets of options'
	[ "$(sed -n 's/^#define CONFIG_FAMILY_PEERS_MAX //p' collector/config/config.h)" = 65536 ]
	grep -q '65,536 peers' "$INI5"
	grep -q '65,536 peers' "$NC8"
}

label_names() {
	local name
	section "$INI5" 'LABELS SECTIONS' | sed -n '/^These names are taken/,/^A group/p' |
		sed -n 's/^\.Ql \([a-z]*\) *[,.]$/\1/p' | sort >"$TMP/work/documented"
	sed -n '/taken\[\]/,/};/p' collector/config/labels.c | grep -o '"[a-z]*"' | tr -d '"' | sort >"$TMP/work/actual"
	same "names of labels" "$TMP/work/documented" "$TMP/work/actual"
	while read -r name; do refuses "[peers]\na = 10.0.0.1 $name=x\n"; done <"$TMP/work/actual"
	refuses '[peers]\na = 10.0.0.1 1a=x\n'
	refuses '[peers]\na = 10.0.0.1 __a=x\n'
	accepts '[peers]\na = 10.0.0.1 _a1=x b="two words"\n'
	accepts '[peers]\na = 10.0.0.1 a=x\n[labels default]\na = y\n'
}

# The list "What is refused", from top to bottom, and what is tolerated.
refused() {
	local text
	for text in '[nothing]\n' '[probe]\nx = 1\n' 'count = 1\n' '[Probe]\n' '[probe]\nCount = 1\n' \
		'[probe]\ncount = 1\ncount = 1\n' '[peers]\na = 10.0.0.1\nA = 10.0.0.2\n' \
		'[peers]\na = 10.0.0.1\nb = 10.0.0.1\n' '[peers]\na = h.example\nb = H.example\n' \
		'[probe g]\n' '[labels g]\na = b\n' \
		'[probe]\ncount = 0\n' '[probe]\ncount = 5 x\n' '[probe]\ncount = 5;\n' '[probe]\ncount = "5"\n' \
		'[probe]\ntimeout = 5\n' '[probe]\ncount\n' '[probe]\ncount: 5\n' '[probe]\n= 5\n' \
		'[probe]\n count = 5\n' '[probe] x\n' '[probe\n' '[probe]\n\x01\n' '[peers]\na\xff = 10.0.0.1\n' \
		'[peers]\na = 10.0.0.1\0\n' '[peers]\na = 224.0.0.1\n' '[peers]\na = 255.255.255.255\n' \
		'[peers]\na = 0.0.0.0\n' '[peers]\na = ::ffff:10.0.0.1\n' '[peers]\na = fe80::1\n' \
		'[probe]\nfamily = ipv6\n[peers]\na = 10.0.0.1\n' '[peers]\nfd00::1 =\n' '[peers a b]\n' \
		'[peers]\na = 10.0.0.1 x =y\n'; do
		refuses "$text"
	done
	for text in '' '[peers]\n' '\xef\xbb\xbf[peers]\r\n\r\na = 10.0.0.1\r\n' '  ; x\n\n# x\n' \
		'[probe]\ncount=5 ; x\n' '[probe] ; x\n[probe]\n' '[peers]\na = fe80::1%%eth0\n' \
		'[peers]\n10.0.0.1 =\n' '[peers]\na =\n' '[peers]\na = 10.0.0.1\n[peers g]\na = 10.0.0.1\n' \
		'[peers]\na = 10.0.0.1 x=y;z#1\n'; do
		accepts "$text" || fail "refused: $text"
	done
	mkdir "$TMP/work/directory"
	if "$NC" -C -c "$TMP/work/directory"; then fail 'a directory'; fi
	printf '[peers]\n' >"$TMP/work/x.ini"
	if "$NC" -C -c "$TMP/work/x.ini" -d "$TMP/work/none"; then fail 'no directory of drop-ins'; fi
}

drop_ins() {
	local base=$TMP/work/x.ini
	mkdir "$base.d" "$TMP/work/other"
	printf '[peers]\na = 10.0.0.1\n' >"$base"
	printf '[peers]\nb = 10.0.0.2\n' >"$base.d/b.ini"
	printf 'refused\n' | tee "$base.d/.hidden.ini" >"$base.d/x.txt"
	"$NC" -C -c "$base" | grep -q '^group default: 2 peers'
	"$NC" -C -c "$base" -d "$TMP/work/other" | grep -q '^group default: 1 peers'
	printf '[probe]\nttl = 9\n' | tee "$base.d/c.ini" >"$base.d/d.ini"
	if "$NC" -C -c "$base"; then fail 'a key twice'; fi
}

examples() {
	local file count=0
	displays "$INI5" '*' "$TMP/work/displays"
	for file in "$TMP"/work/displays/*; do
		"$NC" -C -c "$file" >/dev/null 2>"$TMP/work/err" || fail "$(cat "$file" "$TMP/work/err")"
		count=$((count + 1))
	done
	[ "$count" -ge 7 ] || fail "only $count examples"
}

# --- nodecanary(8) and the units ---

units() {
	local service=systemd/nodecanary.service timer=systemd/nodecanary.timer
	if ! [ -e $service ] || ! [ -e $timer ]; then skip "there are no units"; fi
	grep -q '^OnCalendar=\*:\*:0/15$' $timer
	grep -q 'every 15 seconds' "$NC8"
	grep -q '^FixedRandomDelay=yes$' $timer
	grep -q '^User=nodecanary$' $service
	grep -q '^StateDirectory=nodecanary$' $service
	grep -qE '^AmbientCapabilities=CAP_NET_RAW$' $service
	grep -qE '^ExecStart=.*(-o|--output)[ =](/var/lib/nodecanary|%S/nodecanary|\$\{?STATE_DIRECTORY\}?)/nodecanary\.prom' $service
	grep -q "^A run that takes longer than $(sed -n 's/^TimeoutStartSec=\([0-9]*\)s$/\1/p' $service) seconds" "$NC8"
	grep -q '^AccuracySec=100ms$' $timer
	grep -q 'accuracy of the timer, which is 100 ms' "$NC8"
	! grep -qE '^(After|Wants)=.*network-online' $service || fail "the page says that it does not wait"
	! grep -q '^\[Install\]' $service
}

drop_ins_of_units() {
	local file
	need systemd-analyze
	displays "$NC8" EXAMPLES "$TMP/work/displays"
	for file in "$TMP"/work/displays/*; do
		case $(head -n 1 "$file") in
		'[Timer]')
			systemd-analyze calendar "$(sed -n 's/^OnCalendar=\(..*\)/\1/p' "$file")"
			touch "$TMP/work/timer"
			;;
		esac
	done
	[ -e "$TMP/work/timer" ]
}

for page in "$NC8" "$INI5"; do
	check "${page##*/}: mandoc has nothing to say" lint "$page"
	check "${page##*/}: groff has nothing to say" groff_is_silent "$page"
done
check 'a mistake in a page is noticed' lint_notices
check 'no word of a page is taken for a macro' nothing_vanishes
check 'nodecanary(8) and --help have the same options' options_are_the_programs "$NC8"
check 'an option that is missing or invented is noticed' options_notice
check 'the synopsis has each option' synopsis
check 'nodecanary(8) and --help have the same exit statuses' statuses
check 'nodecanary(8) has the variables that the program reads' environment
check 'nodecanary(8) has the signals that end a run' signals
check "nodecanary(8) has the program's files" paths
check 'nodecanary(8) and the schema have the same metrics' metrics
check 'the messages in nodecanary(8) are those of the program' messages
check 'what a configuration provokes is said' check_messages
check 'a run without a network ends as nodecanary(8) says' network_down
check 'commands of the examples have options that there are' commands
check 'nodecanary.ini(5) and the program have the same keys' keys_are_the_programs "$INI5"
check 'a key that is missing or wrong is noticed' keys_notice
check "every default in nodecanary.ini(5) is the program's" defaults
check "every range in nodecanary.ini(5) is the program's" ranges
check "every word that a key takes is in nodecanary.ini(5), and no other one" words
check 'values are as nodecanary.ini(5) says in words' values
check 'limits are those of the sources' limits
check 'names of labels are those that nodecanary.ini(5) says are taken' label_names
check 'what nodecanary.ini(5) says is refused is refused, and the rest is not' refused
check 'drop-ins are read as nodecanary.ini(5) says' drop_ins
check 'every example in nodecanary.ini(5) is valid' examples
check 'the units are as nodecanary(8) says' units
check 'the timer of an example is one that systemd knows' drop_ins_of_units

[ -z "${COUNTS-}" ] || echo "$passed $failed $skipped" >>"$COUNTS"
echo "man: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
