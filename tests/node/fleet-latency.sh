#!/bin/bash
# Five nodes: whatever goes to or from one of them takes 30 ms longer.
# check: no, one booted fleet is enough there
# time-limit: 1500
# nodes: 5
# shellcheck source-path=SCRIPTDIR source=fleet-lib.sh
. "$(dirname "$0")/fleet-lib.sh"

fleet_start n1 n2 n3 n4 n5
fleet_is_well 60

behaviour "echoes to and from n3 take 30 ms longer: one alert, and it names n3"
fault_begins
slow n3 30
fires "NodecanaryInboundLatency peer=n3"

behaviour "they are as fast as before: the alert ends, and there was no other"
unslow n3
resolves

done_testing
