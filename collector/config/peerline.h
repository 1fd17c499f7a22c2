/*
 * The value of one line of a [peers] section: addresses or a host name, then labels.
 *
 *     worker2 = worker2.example.net rack=r7 note="two words"
 *     worker4 = 10.0.0.14, fd00::14
 */
#ifndef NODECANARY_PEERLINE_H
#define NODECANARY_PEERLINE_H

#include "config/config.h"

/*
 * Fills in the labels of a peer and its addresses or its host; without either, the peer's
 * name is resolved. Needs the peer's name and place, the latter for messages. `value` is
 * at most INIFILE_LINE_MAX bytes long. Whatever the result, the peer's strings and labels
 * are to be freed.
 */
enum config_result peerline_parse(const char *value, struct peer *peer);

#endif
