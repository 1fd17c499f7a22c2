/*
 * What became of one echo request.
 */
#ifndef NODECANARY_SAMPLE_H
#define NODECANARY_SAMPLE_H

#include <stdint.h>

enum sample_outcome {
	SAMPLE_UNSENT, /* it did not leave this host: neither sent nor lost */
	SAMPLE_LOST,   /* it left and was not answered within the timeout */
	SAMPLE_REPLY,
};

struct sample {
	enum sample_outcome outcome;
	int hop_limit;	/* TTL or hop limit of the reply; negative where unknown */
	int64_t rtt_ns; /* of a reply */
};

#endif
