# shellcheck shell=bash disable=SC2016 # other shells expand it
# Checks of the program: command line, exit statuses, examples, and what a run publishes.

options_are_the_programs() {
    rows "$README" option | cut -f 1 | plain | sed 's/,//' | tr -s ' ' |
        sort >"$TMP/work/documented"
    "$NC" --help | sed -nE 's/^  (-[a-zA-Z],|   ) (--[a-z-]*( [A-Z]*)?)  +.*/\1 \2/p' |
        sed 's/,//; s/^ *//; s/ *$//' | sort >"$TMP/work/actual"
    same options "$TMP/work/documented" "$TMP/work/actual"
}

statuses_are_the_programs() {
    rows "$README" 'exit status' | cut -f 1 >"$TMP/work/documented"
    "$NC" --help | sed -n '/^Exit status/,$p' | grep -o '\<[0-9][0-9]*\>' >"$TMP/work/actual"
    same "exit statuses" "$TMP/work/documented" "$TMP/work/actual"
}

# ends STATUS ARGUMENT...: the program, in a namespace.
ends() {
    local wanted=$1 status=0
    shift
    isolated "$@" || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status instead of $wanted: $*"
}

status_0() {
    printf '[peers]\na = 127.0.0.1\ndead = 10.0.0.1\n' >"$TMP/work/x.ini"
    ends 0 "$NC" -c "$TMP/work/x.ini" -o "$TMP/work/x.prom"
    grep -q '^nodecanary_peer_up{group="default",peer="a"} 1$' "$TMP/work/x.prom"
    for option in -V -h -C -l; do
        ends 0 "$NC" -c "$TMP/work/x.ini" "$option"
    done
}

status_64() {
    ends 64 "$NC" --no-such-option
    ends 64 "$NC" -C -l
    ends 64 "$NC" -q -v
    ends 64 "$NC" argument
    ends 64 "$NC" -c
}

status_73() {
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/work/missing/x.prom"
    mkdir "$TMP/work/x.prom"
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/work/x.prom"
    ln -s elsewhere "$TMP/work/link.prom"
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/work/link.prom"
}

status_75() {
    mkdir "$TMP/work/out"
    printf '[probe]\ntimeout = 1m\nwarmup = 0\n[peers]\nsilent = 192.0.2.1\n' >"$TMP/work/x.ini"
    isolated bash -c '
        ip route add 192.0.2.1 dev lo
        "$1" -c "$2/x.ini" -o "$2/out/x.prom" &
        first=$!
        until [ -n "$(ls -A "$2/out")" ]; do sleep 0.02; done
        "$1" -c "$2/x.ini" -o "$2/out/x.prom"
        status=$?
        kill "$first"
        wait "$first"
        [ "$status" = 75 ]' - "$NC" "$TMP/work"
    [ -s "$TMP/work/out/x.prom" ] || fail "the first run published nothing"
}

status_77() {
    need setpriv
    ends 77 setpriv --bounding-set=-net_raw --inh-caps=-net_raw \
        "$NC" -c conf/loopback.ini -o "$TMP/work/x.prom" 2>"$TMP/work/err"
    grep -q CAP_NET_RAW "$TMP/work/err" || fail "$(cat "$TMP/work/err")"
}

status_78() {
    printf '[peers]\na 127.0.0.1\n' >"$TMP/work/x.ini"
    ends 78 "$NC" -c "$TMP/work/x.ini" -n
    ends 78 "$NC" -c "$TMP/work/x.ini" -C
    ends 78 "$NC" -c "$TMP/work/missing.ini" -n
}

# Round-trip times differ from run to run, and with them the width of columns.
without_times() {
    sed -E 's/[0-9]+\.[0-9]{3}\b/N/g; s/ +/ /g'
}

# `$ nodecanary ...` and what it prints.
console_examples() {
    local file command
    blocks console "$README" "$TMP/work"
    for file in "$TMP"/work/*; do
        command=$(sed -n '1s/^\$ nodecanary //p' "$file")
        [ -n "$command" ] || fail "$(cat "$file")"
        sed 1d "$file" | without_times >"$TMP/documented"
        # shellcheck disable=SC2086 # the words of a command
        isolated "$NC" $command | without_times >"$TMP/actual"
        same "$command" "$TMP/documented" "$TMP/actual"
    done
}

prom_examples() {
    local line
    blocks prom "$README" "$TMP/work/blocks"
    isolated "$NC" -c conf/loopback.ini -o "$TMP/work/x.prom"
    series "$TMP/work/x.prom" >"$TMP/work/series"
    while read -r line; do
        grep -qxF -e "${line% *}" "$TMP/work/series" || fail "not published: ${line% *}"
    done < <(cat "$TMP"/work/blocks/*)
}

# Under it: what the commands of README change is a copy, or nothing, of the machine's.
pretend_machine() {
    cat <<'SCRIPT'
set -e
for directory in /etc /var/lib; do
    mkdir -p "$work$directory"
    mount --rbind "$directory" "$work$directory"
    mount -t tmpfs -o mode=755 tmpfs "$directory"
    find "$work$directory" -mindepth 1 -maxdepth 1 -exec ln -s -t "$directory" {} +
    rm -f "$directory/nodecanary" "$directory/prometheus"
done
mkdir -p /var/lib/prometheus/node-exporter
mount -t tmpfs -o mode=755 tmpfs /usr/local
PATH=/usr/local/sbin:$PATH
sudo() { "$@"; }
make() { command make BUILD="$build" "$@"; }
SCRIPT
}

sh_examples() {
    local script=$TMP/work/script
    need make
    blocks sh "$README" "$TMP/work/blocks"
    blocks crontab "$README" "$TMP/work/cron"
    {
        printf 'work=%q build=%q\n' "$TMP/work" "$(dirname "$NC")"
        pretend_machine
        cat "$TMP/work/blocks/1" "$TMP/work/blocks/2"
        echo '[ "$(find "$root" -type f)" = "" ] || exit 1'
        echo 'cp conf/loopback.ini /etc/nodecanary/nodecanary.ini'
        cat "$TMP"/work/blocks/[3-9]
        echo 'cp -L /var/lib/prometheus/node-exporter/nodecanary.prom "$work/by-hand"'
        sed -n 's/^\* \* \* \* \*  *root  *//p' "$TMP/work/cron/1"
        echo 'cp -L /var/lib/prometheus/node-exporter/nodecanary.prom "$work/by-cron"'
    } >"$script"
    isolated bash "$script"
    grep -qx 'nodecanary_runs_total 1' "$TMP/work/by-hand"
    grep -qx 'nodecanary_runs_total 2' "$TMP/work/by-cron"
}

# A run whose file has every family: names, both families, both kinds of histogram.
run_of_everything() {
    cat >"$TMP/work/x.ini" <<'INI'
[collector]
self = me
[probe]
count = 3
warmup = 0
interval = 1ms
[peers]
me = 127.0.0.9
a = 127.0.0.1 rack=r1
[probe dual]
family = both
[peers dual]
me = 127.0.0.9
a = 127.0.0.2, ::1
b = localhost
[probe sum]
histogram = group
[peers sum]
me = 127.0.0.9
a = 127.0.0.3
INI
    isolated "$NC" -c "$TMP/work/x.ini" -o "$TMP/work/x.prom"
}

# "METRIC LABEL,LABEL..." of each series; le and the user's rack are no labels of ours.
published_labels() {
    series "$TMP/work/x.prom" |
        sed -E 's/_(bucket|sum|count)(\{|$)/\2/; s/(rack|le)="[^"]*",?//; s/="[^"]*"//g
            s/,?\}//; s/\{/ /'
}

labels_are_published() {
    local metric labels
    run_of_everything
    published_labels | sort -u >"$TMP/work/published"
    while IFS=$'\t' read -r metric _ labels _; do
        metric=$(plain <<<"$metric")
        labels=$(sed 's/, and yours//; s/ //g; s/^-$//' <<<"$labels")
        printf '%s %s\n' "$metric" "${labels//,(family)/}"
        if [[ $labels == *'(family)'* ]]; then
            printf '%s %s\n' "$metric" "${labels//(family)/family}"
        fi
    done < <(rows "$README" metric) | sed 's/ $//' | sort -u >"$TMP/work/documented"
    # A name is in group dual alone.
    sed -i '/^nodecanary_peer_resolved group,peer$/d' "$TMP/work/documented"
    same labels "$TMP/work/documented" "$TMP/work/published"
}

series_are_as_predicted() {
    local predicted actual
    printf '[collector]\nself = a\n[peers]\na = 127.0.0.1\nb = 127.0.0.2\n' >"$TMP/work/x.ini"
    predicted=$("$NC" -C -c "$TMP/work/x.ini" | sed -n 's/.* \([0-9]*\) series on this node$/\1/p')
    isolated "$NC" -c "$TMP/work/x.ini" -o "$TMP/work/x.prom"
    actual=$(series "$TMP/work/x.prom" | wc -l)
    [ "$predicted" -eq "$actual" ] || fail "predicted $predicted, published $actual"
}

broken_keeps_counters() {
    local before
    isolated "$NC" -c conf/loopback.ini -o "$TMP/work/x.prom"
    before=$(grep '^nodecanary_requests_total' "$TMP/work/x.prom")
    printf '[peers]\nbroken\n' >"$TMP/work/x.ini"
    ends 78 "$NC" -c "$TMP/work/x.ini" -o "$TMP/work/x.prom"
    [ "$(grep '^nodecanary_requests_total' "$TMP/work/x.prom")" = "$before" ]
    grep -qx 'nodecanary_last_run_success 0' "$TMP/work/x.prom"
    ! grep -q '^nodecanary_peer_up' "$TMP/work/x.prom" ||
        fail "a gauge of a run that did not happen"
}

# What stands between the marks of the simulation is what it prints.
fanout_table() {
    need python3
    NODECANARY=$NC tests/fanout/simulate >"$TMP/work/actual"
    sed -n '/^<!-- tests.fanout.simulate: begin/,/^<!-- tests.fanout.simulate: end/{/^|/p}' "$README" \
        >"$TMP/work/documented"
    same "a fleet of 10,000 with a fanout" "$TMP/work/documented" "$TMP/work/actual"
}
