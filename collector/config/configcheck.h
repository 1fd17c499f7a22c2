/*
 * What only the whole configuration shows: peers that are there twice, that
 * have no address of their group's family, or that are too many.
 */
#ifndef NODECANARY_CONFIGCHECK_H
#define NODECANARY_CONFIGCHECK_H

#include <stdbool.h>

#include "config/config.h"

/*
 * Checks a configuration whose groups and peers are sorted. Returns the number
 * of errors, all of them logged; sets `no_memory` where it could not look.
 */
unsigned configcheck_peers(const struct config *config, bool *no_memory);

#endif
