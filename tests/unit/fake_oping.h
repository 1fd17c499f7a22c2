/*
 * A liboping that does what the test says.
 *
 * ping_send() is the library's own loop around select(), sendto() and perror(), so
 * interpose.c is under test as well; but nothing reaches a network. The "raw socket" of a family
 * is one end of a socket pair, sendmsg() below it is replaced, and who answers what is
 * scripted by address, the second part of a host's name. As in Debian's package,
 * sockets are opened by the first host of a family, and a host that cannot be added stays
 * in the list.
 */
#ifndef NODECANARY_TESTS_FAKE_OPING_H
#define NODECANARY_TESTS_FAKE_OPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_PEERS_MAX 16
#define FAKE_TEXT_SIZE 64

/* An address without a script answers after one millisecond with a TTL of 64. */
struct fake_peer {
	const char *address;
	const char *add_error; /* ping_host_add() fails with it */
	int send_errno;	       /* its requests fail with it */
	bool unresponsive;
	double latency_ms;
	int ttl;
};

enum fake_manner {
	FAKE_AS_LIBOPING,
	FAKE_SEND_FAILS,  /* ping_send() fails before it waits for anything */
	FAKE_NEVER_WAITS, /* it sends without select() */
	FAKE_SENDS_OTHERWISE,
	FAKE_RECEIVES_OTHERWISE,
	FAKE_HANGS,
	FAKE_DRAWS_IDENTS, /* not with random() */
};

struct fake_oping {
	/* Set by the test. */
	struct fake_peer peers[FAKE_PEERS_MAX];
	size_t peer_count;
	int refused_option;
	enum fake_manner manner;
	void (*before_send)(void); /* each request; may be NULL */

	/* What was done to it. */
	unsigned options; /* PING_OPT_* that were set */
	double timeout;
	int ttl, mark;
	uint8_t qos;
	char source[FAKE_TEXT_SIZE], device[FAKE_TEXT_SIZE];
	size_t added, sent;
	int last_result; /* of ping_send() */
};

extern struct fake_oping fake_oping;

/* Forgets all scripts and records. */
void fake_oping_reset(void);

void fake_oping_script(struct fake_peer peer);

/* What the living objects know of a host; NULL and 0 if it was not added. */
const char *fake_oping_payload(const char *address);
uint16_t fake_oping_ident(const char *address);

/* 0: IPv4, 1: IPv6; the family whose "raw socket" the descriptor is. */
int fake_oping_family(int fd);

struct fake_answer {
	const char *address;
	unsigned lag;	     /* it answers the request so many before the last one */
	const char *payload; /* NULL: what was sent */
};

/* An answer that arrives now, whether a round is under way or not. */
void fake_oping_answer(struct fake_answer answer);

#endif
