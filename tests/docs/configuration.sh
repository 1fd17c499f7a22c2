# shellcheck shell=bash disable=SC2016 # backticks are Markdown's
# Checks of the configuration: README's examples and tables, and conf/nodecanary.ini.

ini_examples() {
    local file
    blocks ini "$README" "$TMP/scratch"
    for file in "$TMP"/scratch/*; do
        "$NC" -C -c "$file" 2>"$TMP/err" >/dev/null || fail "$(cat "$file" "$TMP/err")"
        [ ! -s "$TMP/err" ] || fail "$(cat "$TMP/err")"
    done
}

keys_are_the_programs() {
    local section
    for section in collector probe; do
        key_rows "$section" | cut -f 1 | plain | sort >"$TMP/scratch/documented"
        keys "$section" | sort >"$TMP/scratch/actual"
        same "keys of [$section]" "$TMP/scratch/documented" "$TMP/scratch/actual"
    done
}

# The number in VALUE, one more or one less, with its unit.
step() {
    if [[ $1 == 0x* ]]; then
        printf '0x%x\n' $(($1 + $2))
    else
        [[ $1 =~ ^([0-9]+)([a-z]*)$ ]] || fail "no number: $1"
        printf '%s\n' "$((BASH_REMATCH[1] + $2))${BASH_REMATCH[2]}"
    fi
}

# A key's least and greatest value are allowed, and what lies beyond is not.
check_range() {
    local section=$1 key=$2 low=$3 high=$4 message
    message=$(refuses "[$section]\n$key = !\n")
    if [ "$key" != buckets ]; then
        [[ $message == *"from $low to $high"* ]] || fail "$key: $low to $high, but: $message"
    fi
    refuses "[$section]\n$key = $(step "$high" 1)\n"
    case $low in
    0 | 0s | 0x*) refuses "[$section]\n$key = -1\n" ;;
    *) refuses "[$section]\n$key = $(step "$low" -1)\n" ;;
    esac
}

allowed_values() {
    local section key default allowed value count=0
    for section in collector probe; do
        while IFS=$'\t' read -r key default allowed _; do
            key=$(plain <<<"$key")
            for value in $(ticked <<<"$allowed"); do
                accepts "[$section]\n$key = $value\n" || fail "$key = $value is refused"
                count=$((count + 1))
            done
            if [[ $allowed == *\`* ]]; then refuses "[$section]\n$key = !\n"; fi
            if [[ $allowed =~ \`([^\`]+)\`\ to\ \`([^\`]+)\` ]]; then
                check_range "$section" "$key" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
            fi
        done < <(key_rows "$section")
    done
    [ "$count" -gt 40 ] || fail "only $count values were tried"
    refuses "[collector]\ntextfile = nodecanary.prom\n"
    refuses "[collector]\ntextfile = /x/nodecanary.txt\n"
    refuses "[probe]\ndevice = 1234567890123456\n"
    accepts "[probe]\ndevice = 123456789012345\n"
    accepts "[probe]\nsource = 10.0.0.1, fd00::1\n"
    refuses "[probe]\nsource = 10.0.0.1, 10.0.0.2\n"
    refuses "[probe]\nbuckets = 2ms 1ms\n"
    for value in 1000000ns 1000us 1ms 1.5ms 1s 1m 1h; do
        accepts "[probe]\ninterval = $value\n"
    done
    accepts "[collector]\nresolve_every = 1d\n"
    refuses "[probe]\ninterval = 100\n"
}

# "SECTION KEY DEFAULT" of every row in README.
documented_defaults() {
    local section key default
    for section in collector probe; do
        while IFS=$'\t' read -r key default _; do
            if [ "$default" = empty ]; then default=; fi
            printf '%s %s %s\n' "$section" "$key" "$default" | plain
        done < <(key_rows "$section")
    done
}

# Reads such lines.
check_defaults() {
    local sources cflags libs
    need "${CC:-cc}" pkg-config
    cflags=$(pkg-config --cflags liboping inih) || skip "liboping or inih has no headers here"
    libs=$(pkg-config --libs liboping inih)
    sources=$(printf '%s\n' collector/*.c collector/*/*.c | grep -vx collector/main.c)
    # shellcheck disable=SC2086 # lists of words
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -Icollector -DNODECANARY_VERSION='""' \
        -DNODECANARY_LIBOPING_VERSION='""' $cflags -o "$TMP/scratch/keys" \
        tests/docs/keys.c $sources $libs -pthread -lm
    "$TMP/scratch/keys"
}

defaults_are_the_programs() {
    documented_defaults >"$TMP/scratch/defaults"
    check_defaults <"$TMP/scratch/defaults"
    if sed 's/^probe ttl 64$/probe ttl 65/' "$TMP/scratch/defaults" | "$TMP/scratch/keys"; then
        fail "a wrong default was not noticed"
    fi
}

keys_of_groups() {
    local key default
    while IFS=$'\t' read -r key default _; do
        key=$(plain <<<"$key")
        default=$(plain <<<"${default#empty}")
        case $key in
        buckets) refuses "[probe g]\n$key = $default\n[peers g]\n" ;;
        *) accepts "[probe g]\n$key = $default\n[peers g]\n" ;;
        esac
    done < <(key_rows probe)
}

drop_ins_add() {
    local base=$TMP/scratch/x.ini message
    mkdir "$base.d"
    printf '[probe]\nttl = 9\n[peers]\na = 10.0.0.1\n' >"$base"
    printf '[peers]\nb = 10.0.0.2\n' >"$base.d/b.ini"
    printf 'no configuration\n' >"$base.d/ignored.txt"
    "$NC" -C -c "$base" >"$TMP/scratch/out"
    grep -q '^group default: 2 peers' "$TMP/scratch/out"
    printf '[probe]\nttl = 8\n' >"$base.d/c.ini"
    if message=$("$NC" -C -c "$base" 2>&1); then fail "ttl was set twice"; fi
    [[ $message == *"$base.d/c.ini:2: "*"$base:2"* ]] || fail "$message"
}

repeat() {
    printf "%*s" "$2" '' | tr ' ' "$1"
}

limits_of_text() {
    local i labels=
    accepts "; $(repeat x 196)\n"
    refuses "; $(repeat x 197)\n"
    accepts "[peers $(repeat g 43)]\n"
    refuses "[peers $(repeat g 44)]\n"
    for ((i = 1; i <= 32; i++)); do labels+="l$i = x\n"; done
    accepts "[peers g]\n[labels g]\n$labels"
    refuses "[peers g]\n[labels g]\n${labels}one_more = x\n"
    refuses "[peers]\nfd00::1 =\n"
    accepts "[peers]\na = fd00::14\n"
    refuses "[peers]\na = fe80::14\n"
    accepts "[peers]\na = fe80::14%%eth0\n"
    grep -q 'The names `group`, `peer`' "$README"
    for i in $(grep -o 'The names `group`.*are taken' "$README" | ticked); do
        refuses "[peers]\na = 10.0.0.1 $i=x\n"
    done
}

# The series of a node with COUNT peers whose value is VALUE (%d: its number).
series_of() {
    local i
    {
        printf '[probe]\nhistogram = %s\n[peers]\n' "$1"
        # shellcheck disable=SC2059 # the format is the caller's
        for ((i = 1; i <= $2; i++)); do printf "p$i = $3\n" "$i"; done
    } >"$TMP/scratch/series.ini"
    "$NC" -C -c "$TMP/scratch/series.ini" | sed -n 's/.* \([0-9]*\) series on this node$/\1/p'
}

# pair MODE VALUE: what one peer more costs.
pair() {
    echo $(($(series_of "$1" 5 "$2") - $(series_of "$1" 4 "$2")))
}

series_of_a_pair() {
    local numeric named none
    numeric=$(pair peer 10.9.9.%d) named=$(pair peer host%d.example) none=$(pair off 10.9.9.%d)
    [ "$none" = "$(pair group 10.9.9.%d)" ]
    grep -F "A pair has $numeric series ($named if the peer has a host name), $none with" \
        "$README" || fail "a pair has $numeric, $named, $none series"
}

mesh_table() {
    local nodes pairs peer group rows=0
    while IFS=$'\t' read -r nodes pairs peer group; do
        nodes=${nodes//,/} pairs=${pairs//,/} peer=${peer//,/} group=${group//,/}
        [ "$pairs" -eq $((nodes * (nodes - 1))) ] || fail "$nodes nodes: $pairs"
        [ "$peer" -eq $((pairs * 28)) ] || fail "$nodes nodes: $peer"
        [ "$group" -eq $((pairs * 12)) ] || fail "$nodes nodes: $group"
        rows=$((rows + 1))
    done < <(sed 's/^  |/|/' "$README" | rows /dev/stdin nodes)
    [ "$rows" -ge 3 ]
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
    local section key allowed value comment
    documented_defaults | sort >"$TMP/scratch/documented"
    shipped_defaults | sort >"$TMP/scratch/actual"
    same defaults "$TMP/scratch/documented" "$TMP/scratch/actual"
    for section in collector probe; do
        while IFS=$'\t' read -r key _ allowed _; do
            comment=$(shipped_comment "$(plain <<<"$key")")
            [ -n "$comment" ] || fail "$key has no comment"
            for value in $(ticked <<<"${allowed%%, or a name*}"); do
                grep -qwF -e "$value" <<<"$comment" || fail "$key: $value is not in: $comment"
            done
        done < <(key_rows "$section")
    done
}

shipped_uncommented() {
    sed 's/^;\([[a-z]\)/\1/' conf/nodecanary.ini >"$TMP/scratch/all.ini"
    [ "$(grep -c '^;[^ ]' "$TMP/scratch/all.ini")" = 0 ]
    "$NC" -C -c "$TMP/scratch/all.ini" >"$TMP/scratch/out" 2>&1 || fail "$(cat "$TMP/scratch/out")"
    grep -q '^group storage: 2 peers' "$TMP/scratch/out" || fail "$(cat "$TMP/scratch/out")"
}
