#!/bin/bash
# `make demo` shows a person at a terminal what it promises.
# time-limit: 1500
# nodes: 5
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/fleet-lib.sh"

need script
prometheus=http://127.0.0.1:9191
mkdir left
mkfifo keys
exec {keys}<>keys
# It mounts the control groups, which this test has at the same place already. What a shell starts in
# the background is deaf to Ctrl-C.
# shellcheck disable=SC2016 # the inner shell expands it
env --default-signal=INT -u TEST_TMP -u COUNTS -u IMAGES DEMO_PORT=9191 TMPDIR="$PWD/left" \
	unshare --mount bash -c 'umount /sys/fs/cgroup && exec "$@"' - \
	script -qfec "'$TOP/tests/node/demo'" /dev/null <keys >screen 2>&1 &
demo=$!

press() { printf '%b' "$1" >&"$keys"; }
# shellcheck disable=SC2317 # wait_until calls it
asks() { tail -n 12 screen && grep -q "^Enter: $1" screen; }
# shellcheck disable=SC2317 # wait_until calls it
holds() {
	curl -fsS --max-time 5 "$prometheus/api/v1/query" --data-urlencode "query=$1" |
		jq -e '.data.result | length > 0'
}
down() { echo "nodecanary_peer_up{instance=\"$1:9100\",peer=\"$2\"} == 0"; }

behaviour "it says where the mesh is, and a browser of this machine finds all nodes there"
wait_until 480 asks "the link between"
page=$(grep -o 'http://127.0.0.1:9191/consoles/[^[:space:]]*' screen | head -n 1)
curl -fsS --max-time 20 -o page.html "$page"
for name in worker{1..5}; do assert_file_contains page.html "$name:9100"; done

behaviour "Enter breaks the link between two nodes"
press '\r'
wait_until 30 asks "it is mended"
wait_until 60 holds "$(down worker1 worker2) and on () $(down worker2 worker1)"

behaviour "Enter mends it, and worker3 is dead"
press '\r'
wait_until 30 asks "it boots"
wait_until 90 holds "count(nodecanary_peer_up{peer=\"worker3\"} == 0) == 4 and on ()
	count(nodecanary_peer_up{peer!=\"worker3\"} == 1) == 12 and on () up{instance=\"worker3:9100\"} == 0"

behaviour "Enter boots it, and the path between two other nodes is slow, no other"
press '\r'
wait_until 60 asks "that is all"
wait_until 90 holds 'count(nodecanary_rtt_min_seconds{instance=~"worker[45].*",peer=~"worker[45]"} > 0.03) == 2
	and on () count(nodecanary_rtt_min_seconds < 0.02) == 18'

behaviour "Ctrl-C ends it and leaves nothing behind"
press '\003'
wait_until 60 _is_gone "$demo"
assert_eq "" "$(ls -A left)" "temporary files"
assert_eq "" "$(find /sys/fs/cgroup -name 'nodecanary-test.*')" "control groups"
assert_eq "" "$(pgrep -f 'machine=worker|127.0.0.1:9191' || true)" "processes"

done_testing
