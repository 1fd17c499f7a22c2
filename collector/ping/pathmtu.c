#include "ping/pathmtu.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "ping/echosocket.h"

/* Large packets follow one another at 72 Mbit/s at most, whatever `spacing` says. */
#define SPACING_MIN_NS CLOCK_NS_PER_MS

/* Requests of one round; their number is the sequence number. */
#define REQUESTS_MAX 65536

/* What became of a request. */
enum outcome { NOT_ASKED, NO_ANSWER, PASSED, TOO_LARGE };

struct request {
	struct target *target;
	enum outcome outcome; /* of the last attempt */
	uint32_t size;	      /* of the next attempt, or of the one that passed */
	bool is_answered;     /* the first attempt passed */
};

/* The requests to the peers of one group in one family. */
struct round {
	const struct options *options;
	struct echosocket socket;
	struct request *requests;
	size_t count;
};

static bool is_due(const struct target *target, enum address_family family,
		   int64_t every_ns, int64_t wall_ns)
{
	const struct path_mtu *mtu = target->mtu;

	if (!target_is_measured(target) || target->address.family != family ||
	    target->run.replies == 0)
		return false;
	/* A wall clock that was set back must not delay the next round for as long. */
	return !mtu || wall_ns < mtu->at_ns || wall_ns - mtu->at_ns >= every_ns;
}

/* Lists what is due in one group. 0, or -1 without memory. */
static int list_requests(struct round *round, struct targets *targets, size_t group,
			 enum address_family family, int64_t wall_ns)
{
	for (size_t i = 0; i < targets->count && round->count < REQUESTS_MAX; i++) {
		struct target *target = &targets->items[i];

		if (target->peer->group != group ||
		    !is_due(target, family, round->options->mtu_every_ns, wall_ns))
			continue;
		if (!target->mtu && !(target->mtu = calloc(1, sizeof(*target->mtu))))
			return -1;
		round->requests[round->count++] =
			(struct request){.target = target, .size = round->options->mtu};
	}
	return 0;
}

static int64_t spacing_ns(const struct options *options)
{
	return options->spacing_ns > SPACING_MIN_NS ? options->spacing_ns
						    : SPACING_MIN_NS;
}

int64_t pathmtu_longest_ns(const struct options *options, size_t count)
{
	int64_t attempt_ns = (int64_t)count * spacing_ns(options) + options->timeout_ns;

	return PATHMTU_ATTEMPTS_MAX * attempt_ns;
}

/* A size that is no smaller, or smaller than any link may have, is a false one. */
static bool names_size(const struct icmperror *error, const struct request *request)
{
	return (error->reason == FAILURE_FRAGMENTATION_NEEDED ||
		error->reason == FAILURE_MESSAGE_SIZE) &&
	       error->mtu < request->size && error->mtu >= OPTIONS_MTU_MIN;
}

static void receive(struct round *round)
{
	struct echo_answer answer;

	while ((answer = echosocket_receive(&round->socket)).event != ECHO_NOTHING) {
		struct request *request;

		if (answer.error.sequence >= round->count)
			continue;
		request = &round->requests[answer.error.sequence];
		if (!address_equal(&answer.error.to, &request->target->address))
			continue;
		if (answer.event == ECHO_REPLY) {
			/* A shortened reply does not show that large packets pass. */
			if (answer.size == request->size)
				request->outcome = PASSED;
		} else if (names_size(&answer.error, request)) {
			request->outcome = TOO_LARGE;
			request->size = answer.error.mtu;
		}
	}
}

static void wait_until(struct round *round, int64_t until_ns)
{
	do {
		if (!echosocket_wait(&round->socket, until_ns))
			return;
		receive(round);
	} while (clock_monotonic_ns() < until_ns);
}

static void ask(struct round *round, size_t number)
{
	struct request *request = &round->requests[number];
	struct echo_request echo = {.to = request->target->address,
				    .sequence = (uint16_t)number,
				    .ttl = round->options->ttl,
				    .size = request->size,
				    .dont_fragment = true};

	switch (echosocket_send(&round->socket, &echo)) {
	case 0: request->outcome = NO_ANSWER; break;
	case EMSGSIZE:
		/* The error queue says which size the interface takes. */
		request->outcome = NO_ANSWER;
		receive(round);
		break;
	default: request->outcome = NOT_ASKED; break;
	}
}

/*
 * The target's counters count the packets of `mtu` bytes, not the smaller ones after them.
 * Where time did not suffice for these, what the last router named is the best answer.
 */
static void count(const struct request *request, int64_t wall_ns)
{
	struct target *target = request->target;

	if (request->outcome == NOT_ASKED)
		return;
	target->totals.mtu_requests++;
	target->totals.mtu_replies += request->is_answered;
	*target->mtu = (struct path_mtu){
		.at_ns = wall_ns,
		.bytes = request->outcome == NO_ANSWER ? 0 : request->size};
}

/* Asks all whose last request was too large, which are all of them at first. */
static void run_attempt(struct round *round, bool is_first, int64_t last_ns)
{
	int64_t next_ns = clock_monotonic_ns();
	bool any = false;

	for (size_t i = 0; i < round->count && next_ns < last_ns; i++) {
		if (!is_first && round->requests[i].outcome != TOO_LARGE)
			continue;
		ask(round, i);
		any = true;
		next_ns += spacing_ns(round->options);
		wait_until(round, next_ns);
		if (stop_requested())
			return;
	}
	if (any)
		wait_until(round, clock_monotonic_ns() + round->options->timeout_ns);
}

/*
 * A round that was interrupted says nothing. Where replies may have been dropped, as those
 * with a wrong checksum of one peer are, only the answers that came say something.
 */
static void run_round(struct round *round, int64_t deadline_ns, int64_t wall_ns)
{
	int64_t last_ns = deadline_ns - round->options->timeout_ns;
	bool has_drops;

	for (int attempt = 0; attempt < PATHMTU_ATTEMPTS_MAX && !stop_requested();
	     attempt++) {
		run_attempt(round, attempt == 0, last_ns);
		for (size_t i = 0; attempt == 0 && i < round->count; i++)
			round->requests[i].is_answered =
				round->requests[i].outcome == PASSED;
	}
	has_drops = echosocket_has_drops(&round->socket);
	if (stop_requested())
		return;
	for (size_t i = 0; i < round->count; i++)
		if (!has_drops || round->requests[i].outcome != NO_ANSWER)
			count(&round->requests[i], wall_ns);
}

static void run_group(struct targets *targets, size_t group, enum address_family family,
		      const struct cookie *cookie, int64_t deadline_ns, int64_t wall_ns)
{
	struct round round = {.options = &targets->config->groups[group].options};

	round.requests = calloc(targets->config->groups[group].peer_count,
				sizeof(*round.requests));
	if (!round.requests ||
	    list_requests(&round, targets, group, family, wall_ns) < 0) {
		log_errx("out of memory");
	} else if (round.count > 0) {
		if (echosocket_open(&round.socket, family, round.options, cookie,
				    round.count, round.options->mtu) == 0) {
			run_round(&round, deadline_ns, wall_ns);
			echosocket_close(&round.socket);
		} else {
			log_warn("cannot send large packets to group `%s`",
				 targets->config->groups[group].name);
		}
	}
	free(round.requests);
}

void pathmtu_run(struct targets *targets, const struct cookie *cookie,
		 int64_t deadline_ns, int64_t wall_ns)
{
	for (size_t i = 0; i < targets->config->group_count; i++) {
		if (targets->config->groups[i].options.mtu == 0 || stop_requested())
			continue;
		run_group(targets, i, ADDRESS_IPV4, cookie, deadline_ns, wall_ns);
		run_group(targets, i, ADDRESS_IPV6, cookie, deadline_ns, wall_ns);
	}
}
