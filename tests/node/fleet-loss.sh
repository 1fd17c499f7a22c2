#!/bin/bash
# Five nodes: a fifth of the packets between two of them is lost, at random.
# check: no, one booted fleet is enough there
# time-limit: 2700
# nodes: 5
# shellcheck source-path=SCRIPTDIR source=fleet-lib.sh
. "$(dirname "$0")/fleet-lib.sh"

fleet_start n1 n2 n3 n4 n5
fleet_is_well 5

behaviour "20 % of the echoes between n2 and n4 are lost at random: an alert for each direction"
fault_begins
between n2 n4 ip protocol icmp numgen random mod 5 == 4 drop
fires "NodecanaryLoss instance=n2:9100 peer=n4" "NodecanaryLoss instance=n4:9100 peer=n2"

behaviour "they are lost no more: the alerts end, and there was no other"
heal
resolves

done_testing
