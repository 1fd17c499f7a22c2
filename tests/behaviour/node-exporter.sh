#!/bin/bash
# The real node_exporter serves all that we publish, and promtool finds nothing wrong in it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need prometheus-node-exporter promtool curl python3

FILE=$TEST_TMP/textfiles/nodecanary.prom
mkdir "$TEST_TMP/textfiles"

# Both ways: what the file has and what the scrape has of ours. node_exporter sorts labels, adds
# empty ones and prints numbers its own way.
cat >"$TEST_TMP/compare.py" <<'PYTHON'
import re, sys

LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')

def read(path):
    series = {}
    for line in open(path, encoding="utf-8"):
        if line.startswith("#") or not line.startswith("nodecanary_"):
            continue
        name, rest = re.match(r"(\w+)(.*)", line.rstrip("\n"), re.S).groups()
        labels, value = "", rest.strip()
        if rest.startswith("{"):
            labels, value = rest[1:].rsplit("} ", 1)
        found = [(k, float(v) if k == "le" else v) for k, v in LABEL.findall(labels) if v]
        key = (name, tuple(sorted(found)))
        if key in series:
            sys.exit("%s: twice: %s" % (path, line))
        series[key] = float(value)
    return series

ours, theirs = read(sys.argv[1]), read(sys.argv[2])
wrong = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
for key in wrong[:20]:
    print(key, "file:", ours.get(key), "scrape:", theirs.get(key))
print(len(ours), "series")
sys.exit(bool(wrong) or not ours)
PYTHON

# Counters and buckets that are in both files must not be less in the second.
cat >"$TEST_TMP/monotonic.awk" <<'AWK'
FNR == NR && /^# TYPE/ { type[$3] = $4; next }
/^#/ { next }
{
    family = $0
    sub(/[{ ].*/, "", family)
    sub(/_(bucket|sum|count)$/, "", family)
    if (type[family] != "counter" && type[family] != "histogram") next
    series = substr($0, 1, length($0) - length($NF) - 1)
}
FNR == NR { before[series] = $NF; next }
series in before { compared++; if ($NF + 0 < before[series] + 0) { print series; bad = 1 } }
END { print compared + 0 " compared"; exit bad || compared == 0 }
AWK

scrape() {
	curl -sSf --max-time 10 http://127.0.0.1:9100/metrics -o "$TEST_TMP/scrape"
}

served() {
	scrape
	assert_eq 0 "$(value "$TEST_TMP/scrape" node_textfile_scrape_error)"
	assert_file_contains "$TEST_TMP/scrape" "^node_textfile_mtime_seconds\{file=\"$FILE\"\}"
	python3 "$TEST_TMP/compare.py" "$FILE" "$TEST_TMP/scrape" >"$TEST_TMP/compare.log" 2>&1 ||
		fail "the file is not what is served; $(_show "$TEST_TMP/compare.log")"
	assert_not_contains "$TEST_TMP/exporter.log" 'level=error'
}

# Peers of run N: one that stays, and six of which the first leaves with each run.
write_ini() {
	local i
	cat <<'INI'
[collector]
self = stays
resolve_every = 0s
[probe]
count = 2
warmup = 0
interval = 1ms
timeout = 200ms
[probe ring]
histogram = group
[probe dual]
family = both
[probe plain]
histogram = off
[labels default]
note = say"hi"\there
stadt = "köln \n"
[peers]
weird\ = 127.1.0.1 rack="r 7" path=C:\new\
münchen = 127.1.0.2
plain   = 127.1.0.3 rack=
silent  = 192.0.2.1
[peers mesh]
stays = 127.1.0.4
other = 127.1.0.5
[peers dual]
both = 127.1.0.6, ::1
one  = 127.1.0.7
[peers plain]
p = 127.1.0.8
localhost =
nowhere.invalid =
[peers ring]
stays = 127.1.0.9
INI
	for ((i = $1; i < $1 + 6; i++)); do echo "r$i = 127.1.1.$i"; done
}

prometheus-node-exporter --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$TEST_TMP/textfiles" --web.listen-address=127.0.0.1:9100 \
	2>"$TEST_TMP/exporter.log" &
wait_until 20 scrape

# No packet may leave for it, so that its line of warning is the only one.
ip route add prohibit 192.0.2.1/32

behaviour "every series of a first run is served with its value"
write_ini 1 >"$TEST_TMP/x.ini"
run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
says 1 'requests could not be sent'
served
clean_metrics "$FILE"

behaviour "label values with quotes, backslashes and UTF-8 arrive as they were written"
assert_file_contains "$TEST_TMP/scrape" '^nodecanary_peer_up\{family="",group="default",peer="weird\\\\"\} 1$'
assert_file_contains "$TEST_TMP/scrape" '^nodecanary_peer_up\{.*peer="münchen"\} 1$'
assert_file_contains "$TEST_TMP/scrape" 'note="say\\"hi\\"\\\\there".*path="C:\\\\new\\\\"'
assert_file_contains "$TEST_TMP/scrape" 'stadt="köln \\\\n"'

behaviour "what there is nothing to say about is absent, and not 0 or NaN"
for gauge in peer_up loss_ratio rtt_mean_seconds jitter_seconds; do
	absent "$FILE" "nodecanary_$gauge{group=\"default\",peer=\"silent\""
done
assert_eq 2 "$(value "$FILE" 'nodecanary_unsent_total{group="default",peer="silent"}')"
assert_not_contains "$FILE" '[Nn][Aa][Nn]'

behaviour "twenty runs with peers that come and go are served, and no counter goes back"
for ((run = 2; run <= 20; run++)); do
	cp "$FILE" "$TEST_TMP/before"
	write_ini $run >"$TEST_TMP/x.ini"
	run_nc 0 -c "$TEST_TMP/x.ini" -o "$FILE"
	clean_metrics "$FILE"
	awk -f "$TEST_TMP/monotonic.awk" "$TEST_TMP/before" "$FILE" >"$TEST_TMP/monotonic.log" ||
		fail "a counter went back; $(_show "$TEST_TMP/monotonic.log")"
	absent "$FILE" "nodecanary_requests_total{group=\"ring\",peer=\"r$((run - 1))\"}"
	assert_not_contains "$FILE" "peer=\"r$((run - 1))\""
	assert_eq 2 "$(value "$FILE" "nodecanary_requests_total{group=\"ring\",peer=\"r$((run + 5))\"}")"
done
served
assert_eq 20 "$(value "$FILE" nodecanary_runs_total)"
assert_eq 40 "$(value "$FILE" 'nodecanary_requests_total{group="default",peer="plain"}')"
assert_eq 240 "$(value "$FILE" 'nodecanary_group_rtt_seconds_count{group="ring"}')"

behaviour "the file of a failed run is served, too"
echo 'nonsense' >>"$TEST_TMP/x.ini"
run_nc 78 -c "$TEST_TMP/x.ini" -o "$FILE"
clean_metrics "$FILE"
served

behaviour "a file that is written while it is read is served whole, old or new"
write_ini 21 >"$TEST_TMP/x.ini"
for ((i = 0; i < 10; i++)); do
	"$NC" -q -c "$TEST_TMP/x.ini" -o "$FILE" &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		scrape
		assert_eq 0 "$(value "$TEST_TMP/scrape" node_textfile_scrape_error)"
		value "$TEST_TMP/scrape" nodecanary_runs_total >/dev/null
	done
	wait $pid
done

behaviour "two files of one node_exporter: the series of both runs are served, and who fails is seen"
for name in fast slow; do
	printf '%s\n' "[peers $name]" 'p = 127.0.0.2' >"$TEST_TMP/$name.ini"
	run_nc 0 -c "$TEST_TMP/$name.ini" -o "$TEST_TMP/textfiles/nodecanary-$name.prom"
	silent
	clean_metrics "$TEST_TMP/textfiles/nodecanary-$name.prom"
done
echo nonsense >>"$TEST_TMP/slow.ini"
run_nc 78 -c "$TEST_TMP/slow.ini" -o "$TEST_TMP/textfiles/nodecanary-slow.prom"
scrape
assert_eq 0 "$(value "$TEST_TMP/scrape" node_textfile_scrape_error)"
assert_eq 1 "$(value "$TEST_TMP/scrape" 'nodecanary_last_run_success{file="nodecanary-fast.prom"}')"
assert_eq 0 "$(value "$TEST_TMP/scrape" 'nodecanary_last_run_success{file="nodecanary-slow.prom"}')"
assert_eq 1 "$(value "$TEST_TMP/scrape" 'nodecanary_runs_total{file="nodecanary-slow.prom"}')"
assert_eq 1 "$(value "$TEST_TMP/scrape" nodecanary_last_run_success)"
assert_not_contains "$TEST_TMP/exporter.log" 'was collected before'

behaviour "two files whose series would collide: --check names the other one"
printf '%s\n' '[collector]' "textfile = $TEST_TMP/textfiles/other.prom" '[peers other]' >"$TEST_TMP/other.ini"
run_nc 0 -C -c "$TEST_TMP/other.ini"
says 1 "other\.prom: ${FILE##*/} beside it is a file of nodecanary, too"
sed -i 's/other\.prom/nodecanary-other.prom/' "$TEST_TMP/other.ini"
run_nc 0 -C -c "$TEST_TMP/other.ini"
[ ! -s "$TEST_TMP/err" ] || fail "$(_show "$TEST_TMP/err")"

done_testing
