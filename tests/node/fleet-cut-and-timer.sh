#!/bin/bash
# Five nodes: two that cannot reach each other, one whose runs have stopped, one with another list of peers.
# check: no, one booted fleet is enough there
# time-limit: 1500
# nodes: 5
# shellcheck source-path=SCRIPTDIR source=fleet-lib.sh
. "$(dirname "$0")/fleet-lib.sh"

fleet_start n1 n2 n3 n4 n5
fleet_is_well 60

behaviour "the timer of n5 is disabled: one alert, and it names n5"
fault_begins
on n5 systemctl disable --now --quiet nodecanary.timer
fires "NodecanaryStale instance=n5:9100"

behaviour "it is enabled again: the alert ends, and there was no other"
on n5 systemctl enable --now --quiet nodecanary.timer
resolves

behaviour "nothing passes between n1 and n2: an alert for each direction"
fault_begins
between n1 n2 drop
fires "NodecanaryPathDown instance=n1:9100 peer=n2" "NodecanaryPathDown instance=n2:9100 peer=n1"

behaviour "they reach each other again: the alerts end, and there was no other"
heal
resolves

behaviour "n4 has another list of peers than the rest: one alert, and it names n4"
fault_begins
peers n1 n2 n3 n4 | configure n4
fires "NodecanaryPeerListDrift instance=n4:9100"

behaviour "the list is the same again: the alert ends, and there was no other"
peers "${FLEET[@]}" | configure n4
resolves

done_testing
