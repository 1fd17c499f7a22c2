#!/bin/bash
# node_exporter may be installed after nodecanary, purged, and installed again.
# time-limit: 300
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a
node_new b
node_boot a
install_deb a "$DEB"
configure a <<'INI'
[peers]
b = 10.77.0.2
INI

behaviour "without node_exporter the file is published all the same, and the journal is empty"
wait_until 40 has_series a 'nodecanary_peer_up{group="default",peer="b"} 1'
journal_is_empty a
[ ! -e "$(root_of a)/var/lib/prometheus" ] || fail "there is a directory of node_exporter's"

behaviour "node_exporter, installed later, serves the series without further ado"
apt_on a install prometheus-node-exporter
wait_until 10 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'
grep -q '^node_textfile_scrape_error 0$' a/scrape

behaviour "purged and installed again, too"
apt_on a purge prometheus-node-exporter
n=$(runs a)
wait_until 20 runs_reach a $((n + 1))
apt_on a install prometheus-node-exporter
wait_until 10 serves a 'nodecanary_peer_up{group="default",peer="b"} 1'
journal_is_empty a

done_testing
