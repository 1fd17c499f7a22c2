# shellcheck shell=bash disable=SC2016 # backticks are Markdown's
# Parsing the documents, and asking the program what it takes. The tests of the manual pages share it.

# shellcheck source-path=SCRIPTDIR source=../lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/checks.sh"
NC=$(realpath -m "${NODECANARY:-$TOP/build/nodecanary}")
cd "$TOP" || exit 1
if ! [ -x "$NC" ]; then
	echo "$SUITE: $NC is not there" >&2
	exit 1
fi

# same WHAT FILE FILE: the lines of both are equal.
same() {
	diff -u --label "$1: documented" --label "$1: actual" "$2" "$3"
	[ -s "$2" ] || fail "$1: nothing was found"
}

# blocks LANGUAGE FILE DIR: writes the fenced blocks of a language to DIR/1, DIR/2 ...
blocks() {
	mkdir -p "$3"
	awk -v start='```'"$1" -v dir="$3" '
		!inside && $0 == start { inside = 1; out = dir "/" ++n; printf "" >out; next }
		inside && $0 == "```" { inside = 0; close(out); next }
		inside { print >out }
		END { exit n == 0 || inside }' "$2" || fail "$2: no blocks of $1, or one without its end"
}

# rows FILE HEADING: the rows of all tables whose header begins with `| HEADING |`, cells separated
# by tabs; `-` is an empty cell.
rows() {
	awk -v heading="| $2 |" '
		index($0, heading) == 1 { inside = 1; getline; next }
		!/^\|/ { inside = 0 }
		inside {
			sub(/^\|/, "")
			sub(/\|$/, "")
			n = split($0, cell, "|")
			for (i = 1; i <= n; i++) {
				gsub(/^ +| +$/, "", cell[i])
				printf "%s%s", cell[i] == "" ? "-" : cell[i], i < n ? "\t" : "\n"
			}
		}' "$1"
}

plain() {
	tr -d '`'
}

# ticked: the values between backticks of standard input, a line each.
ticked() {
	grep -o '`[^`]*`' | plain
}

# The keys of a section, as the program names them: keys collector|probe
keys() {
	printf '[%s]\nno_such_key = 1\n' "$1" >"$TMP/keys.ini"
	"$NC" -C -c "$TMP/keys.ini" 2>&1 | sed -n 's/.*expected one of //p' | tr -d ' ' | tr , '\n'
}

# accepts INI-TEXT, refuses INI-TEXT: by --check; messages go to standard output.
accepts() {
	printf '%b' "$1" >"$TMP/accepts.ini"
	{ "$NC" -C -c "$TMP/accepts.ini" >/dev/null; } 2>&1
}

refuses() {
	if accepts "$1"; then fail "accepted: $1"; fi
}

# The names of series in a published file, without their values.
series() {
	sed -n '/^[^#]/s/ [^ ]*$//p' "$1"
}

# What the program expects instead of a value that no key takes: expected collector|probe KEY
expected() {
	local value=!
	case $2 in
	device | self) value='a b' ;;
	esac
	refuses "[$1]\n$2 = $value\n" | sed -n 's/.*`, expected //p'
}

# Whether the lines "SECTION KEY VALUE" of standard input are the program's defaults, and whether
# a wrong one would be noticed.
defaults_are_the_programs() {
	need "${CC:-cc}"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -Icollector -o "$TMP/keys" tests/docs/keys.c \
		collector/config/options.c collector/base/{number,address,text}.c
	cat >"$TMP/defaults"
	[ "$(wc -l <"$TMP/defaults")" -ge 20 ] || fail "only $(wc -l <"$TMP/defaults") defaults"
	"$TMP/keys" <"$TMP/defaults"
	if sed 's/^probe ttl 64$/probe ttl 65/' "$TMP/defaults" | "$TMP/keys"; then
		fail "a wrong default was not noticed"
	fi
}
