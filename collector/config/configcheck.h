/*
 * What only the whole configuration shows: peers, addresses and hosts that are there
 * twice, peers without an address of their group's family, too many peers.
 */
#ifndef NODECANARY_CONFIGCHECK_H
#define NODECANARY_CONFIGCHECK_H

#include "config/config.h"

/* Checks a configuration whose groups and peers are sorted. All errors are logged. */
enum config_result configcheck_peers(const struct config *config);

#endif
