/*
 * The value of one line of a [peers] section: addresses or a host name, then
 * labels.
 *
 *     worker2 = worker2.example.net rack=r7 note="two words"
 *     worker4 = 10.0.0.14, fd00::14
 */
#ifndef NODECANARY_PEERLINE_H
#define NODECANARY_PEERLINE_H

#include <stdbool.h>

#include "config/config.h"
#include "config/inifile.h"

/*
 * Fills in the addresses or the host of a peer and its labels; without either
 * the peer's name is what is looked up. Complaints go to `file`. False if there
 * were any, or no memory; the peer is to be freed all the same.
 */
bool peerline_parse(struct inifile *file, const char *name, const char *value,
		    struct peer *peer);

#endif
