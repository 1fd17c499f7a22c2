# shellcheck shell=bash disable=SC2016 # backticks are Markdown's
# Checks of the documents against the repository and each other.

readme_is_short() {
	local lines
	lines=$(wc -l <"$README")
	[ "$lines" -le 200 ] || fail "README has $lines lines"
	[ "$lines" -gt 100 ]
	! LC_ALL=C.UTF-8 grep -nE ".{101}" "$README" || fail "lines of more than 100 columns"
}

# Tables, addresses and what a program writes cannot be wrapped; tests/README.md is all tables.
lines_are_short() {
	local file
	for file in "${DOCUMENTS[@]}"; do
		[ "$file" != tests/README.md ] || continue
		awk -v file="$file" '
			/^```|^<!-- .*: (begin|end) -->/ { literal = !literal; next }
			!literal && !/^\||^    |https?:\/\/|^!\[/' "$file" | LC_ALL=C.UTF-8 grep -E ".{101}" &&
			fail "$file: lines of more than 100 columns"
	done
	return 0
}

# The anchor that GitHub makes of a heading.
anchors() {
	sed -n 's/^##* //p' "$1" | tr -d '`' | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-'
}

links() {
	local file target path count=0
	for file in "${DOCUMENTS[@]}"; do
		while read -r target; do
			count=$((count + 1))
			case $target in
			https://*) continue ;;
			'#'*) path=$file ;;
			*) path=$(dirname "$file")/${target%%#*} ;;
			esac
			[ -e "$path" ] || fail "$file: $target"
			case $target in
			*'#'*) anchors "$path" | grep -qx -e "${target#*\#}" || fail "$file: $target" ;;
			esac
		done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//')
	done
	[ "$count" -gt 50 ] || fail "only $count links"
}

# The queries of README are those of queries.md.
readme_queries() {
	local file count=0
	blocks promql "$README" "$TMP/scratch/few"
	for file in "$TMP"/scratch/few/*; do
		QUERY=$(sed -n '1s/^# //p' "$file")
		[ "$(sed 1d "$file" | tr '\n' ' ')" = "$(query_text "$QUERY" | sed 's/\\"/"/g')" ] ||
			fail "queries.md has another query: $QUERY"
		count=$((count + 1))
	done
	[ "$count" = 3 ]
}

# figure PROGRAM PEERS COLUMN: of the first table of the bench.
figure() {
	rows tests/bench/README.md peers | awk -F '\t' -v program="$1" -v peers="$2" -v column="$3" '
		$1 == peers && $2 == program && !found { found = 1; gsub(/,/, "", $column); print $column + 0 }'
}

# row HEADING VALUE...: README's row of costs has these.
cost_row() {
	local line heading=$1
	line=$(grep -F "| $heading" "$README") || fail "no row: $heading"
	shift
	for value; do
		tr -d , <<<"$line" | grep -qwF -e "$value" || fail "$heading: $value is not in: $line"
	done
}

# per_run PROGRAM PEERS: ms of CPU, from those of 1,000 of its 6 requests to each peer.
per_run() {
	awk -v ms="$(figure "$1" "$2" 7)" -v peers="${2//,/}" 'BEGIN { printf "%.0f\n", ms * peers * 6 / 1000 }'
}

memory() {
	local peers
	for peers in 9 1,000 10,000; do printf '%.1f\n' "$(figure "$1" "$peers" 4)"; done | paste -sd '/' | sed 's,/, / ,g'
}

# per_start UNIT: CPU of a node, as `29 / 800 ms` of the table of starts.
per_start() {
	rows tests/bench/README.md unit | awk -F '\t' -v unit="$1" 'index($1, unit) {
		for (i = 2; i <= NF; i++) { gsub(/,/, "", $i); printf "%s%.0f", i > 2 ? " / " : "", $i }
		print " ms"; exit }'
}

costs() {
	cost_row 'peak memory' "$(memory nodecanary) MB" "$(memory fping) MB"
	cost_row 'memory × time' "$(figure nodecanary 9 6) MB s" "$(figure smokeping_prober 9 6) MB s"
	cost_row 'CPU of the program' \
		"$(per_run nodecanary 9) / $(per_run nodecanary 1,000)" "$(per_run fping 9) / $(per_run fping 1,000)"
	cost_row 'CPU of the node for one start' "$(per_start nodecanary.service)" "$(per_start true)"
}

module_map() {
	local folder
	rows CONTRIBUTING.md folder | cut -f 1,2 | plain | sort >"$TMP/scratch/documented"
	for folder in collector $(find collector -mindepth 1 -type d); do
		printf '%s/\t%s\n' "$folder" "$(printf '%s\n' "$folder"/*.[ch] |
			sed 's,.*/\(.*\)\..,\1,' | sort -u | paste -sd ' ')"
	done | sort >"$TMP/scratch/actual"
	same modules "$TMP/scratch/documented" "$TMP/scratch/actual"
}

contributing_names() {
	local name
	for name in $(ticked <CONTRIBUTING.md | grep -oE '^(collector|tests|conf|packaging)/[A-Za-z0-9_./-]*'); do
		[ -e "$name" ] || fail "there is no $name"
	done
	for name in $(ticked <CONTRIBUTING.md | grep -oE '^[a-z_]+\(\)$' | tr -d '()'); do
		grep -qE "\b$name\(" collector/*.[ch] collector/*/*.[ch] tests/unit/*.c || fail "there is no $name()"
	done
	for name in $(cat "${DOCUMENTS[@]}" | grep -ohE '`make [^`]*`' | plain |
		sed 's/[&<].*//; s/[A-Z_]*=[^ ]*//g; s/make//'); do
		grep -qE "^$name\b.*:" Makefile tests/*.mk || [ -e "tests/prometheus/${name#check-}.sh" ] || fail "there is no make $name"
	done
	[ -e tests/unit/test_number.c ]
}

changelog_version() {
	[ "$(sed -n 's/^## \[\([^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)" = "$(cat VERSION)" ]
	[ "$("$NC" -V | head -n 1)" = "nodecanary $(cat VERSION)" ]
}

license_text() {
	local sum
	sum=$(sed -n '/Apache License/,/END OF TERMS AND CONDITIONS/p' LICENSE | tr -s ' \n' ' ' | cksum)
	[ "$sum" = '1896775764 10223' ] || fail "another text: $sum"
}
