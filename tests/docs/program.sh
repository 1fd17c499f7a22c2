# shellcheck shell=bash disable=SC2016 # other shells expand it
# Checks of the program: command line, exit statuses, examples, and what a run publishes.

options_are_the_programs() {
    rows "$README" option | cut -f 1 | plain | sed 's/,//' | tr -s ' ' |
        sort >"$TMP/scratch/documented"
    "$NC" --help | sed -nE 's/^  (-[a-zA-Z],|   ) (--[a-z-]*( [A-Z]*)?)  +.*/\1 \2/p' |
        sed 's/,//; s/^ *//; s/ *$//' | sort >"$TMP/scratch/actual"
    same options "$TMP/scratch/documented" "$TMP/scratch/actual"
}

statuses_are_the_programs() {
    rows "$README" 'exit status' | cut -f 1 >"$TMP/scratch/documented"
    "$NC" --help | sed -n '/^Exit status/,$p' | grep -o '\<[0-9][0-9]*\>' >"$TMP/scratch/actual"
    same "exit statuses" "$TMP/scratch/documented" "$TMP/scratch/actual"
}

# ends STATUS ARGUMENT...: the program, in a namespace.
ends() {
    local wanted=$1 status=0
    shift
    isolated "$@" || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status instead of $wanted: $*"
}

status_0() {
    printf '[peers]\na = 127.0.0.1\ndead = 10.0.0.1\n' >"$TMP/scratch/x.ini"
    ends 0 "$NC" -c "$TMP/scratch/x.ini" -o "$TMP/scratch/x.prom"
    grep -q '^nodecanary_peer_up{group="default",peer="a"} 1$' "$TMP/scratch/x.prom"
    for option in -V -h -C -l; do
        ends 0 "$NC" -c "$TMP/scratch/x.ini" "$option"
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
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/scratch/missing/x.prom"
    mkdir "$TMP/scratch/x.prom"
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/scratch/x.prom"
    ln -s elsewhere "$TMP/scratch/link.prom"
    ends 73 "$NC" -c conf/loopback.ini -o "$TMP/scratch/link.prom"
}

status_75() {
    mkdir "$TMP/scratch/out"
    printf '[probe]\ntimeout = 1m\nwarmup = 0\n[peers]\nsilent = 192.0.2.1\n' >"$TMP/scratch/x.ini"
    isolated bash -c '
        ip route add 192.0.2.1 dev lo
        "$1" -c "$2/x.ini" -o "$2/out/x.prom" &
        first=$!
        until [ -n "$(ls -A "$2/out")" ]; do sleep 0.02; done
        "$1" -c "$2/x.ini" -o "$2/out/x.prom"
        status=$?
        kill "$first"
        wait "$first"
        [ "$status" = 75 ]' - "$NC" "$TMP/scratch"
    [ -s "$TMP/scratch/out/x.prom" ] || fail "the first run published nothing"
}

status_77() {
    need setpriv
    ends 77 setpriv --bounding-set=-net_raw --inh-caps=-net_raw \
        "$NC" -c conf/loopback.ini -o "$TMP/scratch/x.prom" 2>"$TMP/scratch/err"
    grep -q CAP_NET_RAW "$TMP/scratch/err" || fail "$(cat "$TMP/scratch/err")"
}

status_78() {
    printf '[peers]\na 127.0.0.1\n' >"$TMP/scratch/x.ini"
    ends 78 "$NC" -c "$TMP/scratch/x.ini" -n
    ends 78 "$NC" -c "$TMP/scratch/x.ini" -C
    ends 78 "$NC" -c "$TMP/scratch/missing.ini" -n
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

prom_examples() {
    local line
    blocks prom "$README" "$TMP/scratch/blocks"
    isolated "$NC" -c conf/loopback.ini -o "$TMP/scratch/x.prom"
    series "$TMP/scratch/x.prom" >"$TMP/scratch/series"
    while read -r line; do
        grep -qxF -e "${line% *}" "$TMP/scratch/series" || fail "not published: ${line% *}"
    done < <(cat "$TMP"/scratch/blocks/*)
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
    local script=$TMP/scratch/script
    need make
    blocks sh "$README" "$TMP/scratch/blocks"
    blocks crontab "$README" "$TMP/scratch/cron"
    {
        printf 'work=%q build=%q\n' "$TMP/scratch" "$(dirname "$NC")"
        pretend_machine
        cat "$TMP/scratch/blocks/1" "$TMP/scratch/blocks/2"
        echo '[ "$(find "$root" -type f)" = "" ] || exit 1'
        echo 'cp conf/loopback.ini /etc/nodecanary/nodecanary.ini'
        cat "$TMP"/scratch/blocks/[3-9]
        echo 'cp -L /var/lib/prometheus/node-exporter/nodecanary.prom "$work/by-hand"'
        sed -n 's/^\* \* \* \* \*  *root  *//p' "$TMP/scratch/cron/1"
        echo 'cp -L /var/lib/prometheus/node-exporter/nodecanary.prom "$work/by-cron"'
    } >"$script"
    isolated bash "$script"
    grep -qx 'nodecanary_runs_total 1' "$TMP/scratch/by-hand"
    grep -qx 'nodecanary_runs_total 2' "$TMP/scratch/by-cron"
}

# A run whose file has every family: names, both families, both kinds of histogram.
run_of_everything() {
    cat >"$TMP/scratch/x.ini" <<'INI'
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
    isolated "$NC" -c "$TMP/scratch/x.ini" -o "$TMP/scratch/x.prom"
}

# "METRIC LABEL,LABEL..." of each series; le and the user's rack are no labels of ours.
published_labels() {
    series "$TMP/scratch/x.prom" |
        sed -E 's/_(bucket|sum|count)(\{|$)/\2/; s/(rack|le)="[^"]*",?//; s/="[^"]*"//g
            s/,?\}//; s/\{/ /'
}

labels_are_published() {
    local metric labels
    run_of_everything
    published_labels | sort -u >"$TMP/scratch/published"
    while IFS=$'\t' read -r metric _ labels _; do
        metric=$(plain <<<"$metric")
        labels=$(sed 's/, and yours//; s/ //g; s/^-$//' <<<"$labels")
        printf '%s %s\n' "$metric" "${labels//,(family)/}"
        if [[ $labels == *'(family)'* ]]; then
            printf '%s %s\n' "$metric" "${labels//(family)/family}"
        fi
    done < <(rows "$README" metric) | sed 's/ $//' | sort -u >"$TMP/scratch/documented"
    # A name is in group dual alone.
    sed -i '/^nodecanary_peer_resolved group,peer$/d' "$TMP/scratch/documented"
    same labels "$TMP/scratch/documented" "$TMP/scratch/published"
}

series_are_as_predicted() {
    local predicted actual
    printf '[collector]\nself = a\n[peers]\na = 127.0.0.1\nb = 127.0.0.2\n' >"$TMP/scratch/x.ini"
    predicted=$("$NC" -C -c "$TMP/scratch/x.ini" | sed -n 's/.* \([0-9]*\) series on this node$/\1/p')
    isolated "$NC" -c "$TMP/scratch/x.ini" -o "$TMP/scratch/x.prom"
    actual=$(series "$TMP/scratch/x.prom" | wc -l)
    [ "$predicted" -eq "$actual" ] || fail "predicted $predicted, published $actual"
}

broken_keeps_counters() {
    local before
    isolated "$NC" -c conf/loopback.ini -o "$TMP/scratch/x.prom"
    before=$(grep '^nodecanary_requests_total' "$TMP/scratch/x.prom")
    printf '[peers]\nbroken\n' >"$TMP/scratch/x.ini"
    ends 78 "$NC" -c "$TMP/scratch/x.ini" -o "$TMP/scratch/x.prom"
    [ "$(grep '^nodecanary_requests_total' "$TMP/scratch/x.prom")" = "$before" ]
    grep -qx 'nodecanary_last_run_success 0' "$TMP/scratch/x.prom"
    ! grep -q '^nodecanary_peer_up' "$TMP/scratch/x.prom" ||
        fail "a gauge of a run that did not happen"
}

# What stands between the marks of the simulation is what it prints.
fanout_table() {
    need python3
    NODECANARY=$NC tests/bench/simulate >"$TMP/scratch/actual"
    sed -n '/^<!-- tests.bench.simulate: begin/,/^<!-- tests.bench.simulate: end/{/^|/p}' "$README" \
        >"$TMP/scratch/documented"
    same "a fleet of 10,000 with a fanout" "$TMP/scratch/documented" "$TMP/scratch/actual"
}
