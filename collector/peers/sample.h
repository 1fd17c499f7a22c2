/*
 * The result of one echo request to one target.
 */
#ifndef NODECANARY_SAMPLE_H
#define NODECANARY_SAMPLE_H

#include <stdint.h>

enum sample_outcome {
	SAMPLE_UNSENT, /* the request did not leave this host: neither sent nor lost */
	SAMPLE_LOST,   /* the request left, but no reply came within the timeout */
	SAMPLE_REPLY,  /* a reply came within the timeout */
};

struct sample {
	enum sample_outcome outcome;
	int hop_limit;	/* TTL or hop limit of the reply; negative where unknown */
	int64_t rtt_ns; /* not negative; only where outcome is SAMPLE_REPLY */
};

#endif
