#!/bin/bash
# The program linked with musl (`make musl`) works like the shared one, too.
# sandbox: no, it is about another program

STATIC_NC=${MUSL_NC:-$(dirname "$0")/../../build/musl/$(dpkg --print-architecture)/nodecanary}
# shellcheck disable=SC2034 # read there
STATIC_LIMIT=450
# shellcheck source-path=SCRIPTDIR source=static-build.sh
. "$(dirname "$0")/static-build.sh"
