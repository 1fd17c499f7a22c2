# shellcheck shell=bash disable=SC2016 # backticks are Markdown's
# Checks of the documents against the sources and each other.

# "NAME TYPE KIND" of every family in the schema.
schema() {
    tr -d '\n\t' <collector/publish/metrics.c |
        grep -oE '\{"nodecanary_[a-z_]+", *METRICS_[A-Z]+, *METRICS_[A-Z_]+' |
        tr -d '{",' | sed 's/METRICS_/ /g' | tr -s ' ' | tr '[:upper:]' '[:lower:]'
}

# The same from README, the kind from the paragraph above its table.
documented_schema() {
    awk '
        /^\*\*Gauges of the last run\*\*/ { kind = "last_run" }
        /^\*\*(Counters|About the configuration)\*\*/ { kind = "kept" }
        /^\| `nodecanary_/ { gsub(/`/, ""); print $2, $4, kind }' "$README"
}

metrics_are_the_schemas() {
    documented_schema | sort >"$TMP/scratch/documented"
    schema | sort >"$TMP/scratch/actual"
    same metrics "$TMP/scratch/documented" "$TMP/scratch/actual"
}

metrics_are_known() {
    local metric
    documented_schema | cut -d ' ' -f 1 >"$TMP/scratch/known"
    while read -r metric; do
        grep -qx -e "$metric" "$TMP/scratch/known" ||
            grep -qx -e "$(sed -E 's/_(bucket|sum|count)$//' <<<"$metric")" "$TMP/scratch/known" ||
            fail "$metric is in no table"
    done < <(grep -ohE 'nodecanary_[a-z_]+' "$README" CONTRIBUTING.md | sort -u)
}

# constant NAME FILE VALUE: so it is defined.
constant() {
    grep -qE "^#define $1 $3\$" "collector/$2" || fail "$1 in $2 is not $3"
}

limits_of_sources() {
    constant CONFIG_FAMILY_PEERS_MAX config/config.h 65536
    constant INIFILE_LINE_MAX config/inifile.h 198
    constant INIFILE_SECTION_MAX config/inifile.h 49
    constant LABELS_GROUP_MAX config/labels.h 32
    constant BATCHES_MAX ping/batches.h 256
    constant ESTIMATE_NODE_SERIES_MAX estimate.h 10000
    constant ESTIMATE_MESH_SERIES_MAX estimate.h 1000000
    constant ROUND_CLOCK_TOLERANCE_NS ping/probe.h 100000
    grep -qF '65,536 peers' "$README"
    grep -qF 'hold 198 bytes, **section names** 49' "$README"
    grep -qF 'at most 32 in' "$README"
    grep -qF 'at most 256 sets' "$README"
    grep -qF '10,000 series on a node and above 1,000,000 of a mesh' "$README"
    grep -qF 'more than 0.1 ms' "$README"
}

# The anchor that GitHub makes of a heading.
anchors() {
    sed -n 's/^##* //p' "$1" | tr -d '`' | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-'
}

links() {
    local file target count=0
    for file in README.md CONTRIBUTING.md CHANGELOG.md; do
        while read -r target; do
            count=$((count + 1))
            case $target in
            https://*) ;;
            '#'*) anchors "$file" | grep -qx -e "${target#\#}" || fail "$file: $target" ;;
            *) [ -e "$target" ] || fail "$file: $target" ;;
            esac
        done < <(grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//')
    done
    [ "$count" -gt 10 ]
}

module_map() {
    local name
    rows CONTRIBUTING.md module | plain |
        awk -F '\t' '!/^\*\*/ { print $1 ":" ($3 == "-" ? "" : $3) }' |
        sort >"$TMP/scratch/documented"
    for name in $(printf '%s\n' collector/*.[ch] collector/*/*.[ch] | sed 's/.*\/\(.*\)\.[ch]/\1/' | sort -u); do
        printf '%s:' "$name"
        sed -n 's/^#include "\(.*\)\.h"/\1/p' "collector/$name".[ch] | grep -vx "$name" |
            sort -u | paste -sd ' '
    done | sort >"$TMP/scratch/actual"
    same modules "$TMP/scratch/documented" "$TMP/scratch/actual"
}

contributing_names() {
    local name
    for name in $(ticked <CONTRIBUTING.md | 
        grep -oE '(^| )(collector|tests|conf)/[A-Za-z0-9_./-]*'); do
        [ -e "$name" ] || fail "there is no $name"
    done
    for name in $(ticked <CONTRIBUTING.md | grep -oE '^[a-z_]+\(\)$' | tr -d '()'); do
        grep -qE "\b$name\(" collector/*.[ch] collector/*/*.[ch] || grep -q "$name" <<<"select sendto perror" ||
            fail "there is no $name()"
    done
    for name in $(grep -ohE '`make [^`]*`' CONTRIBUTING.md README.md | plain | sed 's/[&<].*//'); do
        case $name in
        make | *=*) ;;
        *) grep -qE "^$name:" Makefile tests/*.mk || fail "there is no make $name" ;;
        esac
    done
    grep -qF '`make unit-tests && build/tests/unit/test_number`' CONTRIBUTING.md
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
