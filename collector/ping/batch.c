#include "ping/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "ping/task.h"

/* While a batch runs. */
struct running {
	struct batch *batch;
	struct probe
		*probe; /* NULL: the targets have no address, or an option was refused */
	struct sample *samples; /* one for each address */
	void (*on_sent)(void *arg);
	void *arg;
	bool has_turn;
};

/*
 * A round ends a timeout after its last request, and liboping sends to all hosts before
 * that. The next round begins an interval after the start of this one, or at once.
 */
int64_t batch_round_ns(const struct options *options, size_t count)
{
	int64_t round_ns = options->timeout_ns + (int64_t)count * options->spacing_ns;

	return round_ns > options->interval_ns ? round_ns : options->interval_ns;
}

/* The size of the payload is the only option in which the groups of a batch may differ. */
bool batch_is_same_host(const struct targets *targets, const struct target *a,
			const struct target *b)
{
	return address_equal(&a->address, &b->address) &&
	       target_group(targets, a)->options.size ==
		       target_group(targets, b)->options.size;
}

/* Whether target i is another host than the one before it. */
static bool begins_host(const struct batch *batch, size_t i)
{
	return i > 0 &&
	       !batch_is_same_host(batch->all, batch->targets[i - 1], batch->targets[i]);
}

/*
 * Neither sent nor lost: nothing is counted but the reason. The targets are told because
 * jitter compares consecutive rounds only (stats.h).
 */
static void discard_round(struct batch *batch, enum discard_reason reason)
{
	batch->discarded[reason]++;
	for (size_t i = 0; i < batch->count; i++)
		stats_discard_round(&batch->targets[i]->run);
}

/* Credits each sample to all targets that have the address. */
static void add_samples(struct batch *batch, const struct sample *samples)
{
	const struct buckets *buckets = &batch->all->config->collector.buckets;
	struct stats_totals ignored = {.requests = 0};
	bool any_sent = false;

	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];

		samples += begins_host(batch, i);
		/* What roaming finds counts for the group, not for the peer. */
		stats_add(target->roams ? &ignored : &target->totals, &target->run,
			  buckets, samples);
		any_sent |= samples->outcome != SAMPLE_UNSENT;
	}
	/* A run whose requests all failed to leave has measured nothing. */
	batch->measured += any_sent;
}

/* The targets of a batch are sorted by host, and the failures are not. */
static void add_failures(struct running *running)
{
	struct batch *batch = running->batch;
	size_t count, host = 0;
	const struct probe_failure *failures = probe_get_failures(running->probe, &count);
	const struct probe_failure **of_host;

	if (count == 0)
		return;
	of_host = calloc(batch->addresses, sizeof(*of_host));
	for (size_t i = 0; of_host && i < count; i++)
		of_host[failures[i].host] = &failures[i];
	for (size_t i = 0; of_host && i < batch->count; i++) {
		host += begins_host(batch, i);
		/* A reply came all the same, as after an error that was forged. */
		if (of_host[host] && running->samples[host].outcome != SAMPLE_REPLY)
			(void)failure_add(&batch->targets[i]->failures,
					  of_host[host]->reason, &of_host[host]->from);
	}
	free(of_host);
}

/*
 * What every round counts, warm-up and discarded ones included: requests that left, and
 * irregular replies. One request may serve several targets; it counts for the first.
 */
static void count_packets(struct running *running)
{
	struct batch *batch = running->batch;
	size_t host = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];
		const uint8_t *irregular;

		if (i > 0 && !begins_host(batch, i))
			continue;
		host += begins_host(batch, i);
		irregular = probe_get_irregular(running->probe, host);
		for (size_t kind = 0; kind < IRREGULAR_KINDS; kind++)
			batch->all->groups[target->peer->group].irregular[kind] +=
				irregular[kind];
		if (!target->roams && running->samples[host].outcome != SAMPLE_UNSENT)
			target->totals.echo_requests++;
	}
}

static void count_round(struct running *running, enum round_result result)
{
	struct batch *batch = running->batch;

	switch (result) {
	case ROUND_MEASURED:
		add_samples(batch, running->samples);
		add_failures(running);
		break;
	case ROUND_CLOCK_STEP: discard_round(batch, DISCARD_CLOCK_STEP); break;
	case ROUND_RECEIVE_DROPS: discard_round(batch, DISCARD_RECEIVE_DROPS); break;
	case ROUND_INTERRUPTED: discard_round(batch, DISCARD_INTERRUPTED); break;
	}
}

/* From `round` on no round begins. Warm-up rounds are never counted. */
static void discard_rest(struct batch *batch, unsigned round, enum discard_reason reason)
{
	const struct options *options = batch->options;

	for (; round < options->warmup + options->count; round++)
		if (round >= options->warmup)
			discard_round(batch, reason);
}

/*
 * False if the next round would begin after the deadline. The run ends then, and not after
 * an interval, which may be an hour.
 */
static bool wait_for_next(const struct batch *batch, int64_t start_ns)
{
	int64_t next_ns = start_ns + batch->options->interval_ns;
	struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

	if (next_ns > batch->deadline_ns)
		return false;
	/* run_rounds() looks for a stop request itself. */
	while (clock_monotonic_ns() < next_ns && !stop_requested())
		task_wait(&stop, 1, next_ns);
	return true;
}

static void take_turn(struct running *running)
{
	struct turns *turns = running->batch->turns;
	size_t turn = turns->taken++;

	running->has_turn = true;
	/* Whoever has the turn hears of a stop request, and ends it. */
	while (turns->ended < turn)
		task_sleep(INT64_MAX);
}

static void end_turn(struct running *running)
{
	if (!running->has_turn)
		return;
	running->has_turn = false;
	running->batch->turns->ended++;
	task_notify();
}

/* Callback for probe_run_round(). */
static void end_sending(void *arg)
{
	struct running *running = arg;

	end_turn(running);
	running->on_sent(running->arg);
}

/* False if no further round is to begin. */
static bool run_round(struct running *running, unsigned round, int64_t start_ns)
{
	struct batch *batch = running->batch;
	enum round_result result;

	if (stop_requested()) {
		discard_rest(batch, round, DISCARD_INTERRUPTED);
		return false;
	}
	if (start_ns > batch->deadline_ns) {
		discard_rest(batch, round, DISCARD_DEADLINE);
		return false;
	}
	result = probe_run_round(running->probe, running->samples, end_sending, running);
	count_packets(running);
	if (round >= batch->options->warmup)
		count_round(running, result);
	return true;
}

static void run_rounds(struct running *running)
{
	struct batch *batch = running->batch;
	unsigned rounds = batch->options->warmup + batch->options->count;
	bool goes_on = true;

	for (unsigned round = 0; round < rounds && goes_on; round++) {
		int64_t start_ns;

		take_turn(running);
		start_ns = clock_monotonic_ns();
		goes_on = run_round(running, round, start_ns);
		end_turn(running);
		if (!goes_on)
			return;
		if (batch->progress)
			batch->progress(batch, round + 1, rounds);
		if (round + 1 < rounds && !wait_for_next(batch, start_ns)) {
			discard_rest(batch, round + 1, DISCARD_DEADLINE);
			return;
		}
	}
}

/* Nothing can be sent, so nothing is waited for. */
static void count_unsent(struct batch *batch)
{
	const struct sample unsent = {.outcome = SAMPLE_UNSENT};
	const struct buckets *buckets = &batch->all->config->collector.buckets;
	struct stats_totals ignored = {.requests = 0};

	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];

		for (unsigned round = 0; round < batch->options->count; round++)
			stats_add(target->roams ? &ignored : &target->totals,
				  &target->run, buckets, &unsent);
	}
}

/* `period_ns` is that of a round in which a peer is unresponsive. */
static struct probe_settings make_settings(const struct batch *batch)
{
	const struct options *o = batch->options;
	struct probe_settings settings = {
		.mark = o->mark,
		.ttl = o->ttl,
		.dscp = o->dscp,
		.timeout_ns = o->timeout_ns,
		.spacing_ns = o->spacing_ns,
		.period_ns = batch_round_ns(o, 0),
	};

	if (batch->targets[0]->address.family == ADDRESS_IPV4)
		settings.source.v4 = o->source.v4;
	else
		settings.source.v6 = o->source.v6;
	memcpy(settings.device, o->device, sizeof(settings.device));
	return settings;
}

static int add_hosts(struct running *running)
{
	struct batch *batch = running->batch;
	struct probe_host *hosts = calloc(batch->addresses, sizeof(*hosts));
	size_t host = 0;
	int result;

	if (!hosts) {
		log_errx("out of memory");
		return -1;
	}
	for (size_t i = 0; i < batch->count; i++) {
		const struct target *target = batch->targets[i];

		host += begins_host(batch, i);
		hosts[host] = (struct probe_host){
			target->address, target_group(batch->all, target)->options.size,
			target->peer->name};
	}
	result = probe_add_hosts(running->probe, hosts, batch->addresses,
				 batch->first_ident);
	free(hosts);
	return result;
}

static bool lacks_source_interface(const struct batch *batch)
{
	const struct source *source = &batch->options->source;

	return batch->targets[0]->address.family == ADDRESS_IPV6 && *source->interface &&
	       source->v6.scope == 0;
}

/* liboping would bind to the address without its interface, and say only that it failed. */
static void refuse_source(struct batch *batch)
{
	const struct source *source = &batch->options->source;
	struct probe_report *report = &batch->report;
	char text[ADDRESS_TEXT_SIZE];

	address_format(&source->v6, text);
	report->refused = batch->addresses;
	report->refused_name = batch->targets[0]->peer->name;
	snprintf(report->refused_reason, sizeof(report->refused_reason),
		 "source = %s%%%s: no such interface", text, source->interface);
}

/*
 * If liboping refuses an option there is no probe, and all targets are unsent: other batches
 * must go on.
 */
static int open_probe(struct running *running)
{
	struct probe_settings settings = make_settings(running->batch);
	struct cookie cookie;

	if (lacks_source_interface(running->batch)) {
		refuse_source(running->batch);
		return 0;
	}
	if (cookie_init(&cookie) < 0) {
		log_err("cannot read random numbers");
		return -1;
	}
	running->probe = probe_new(&settings, &cookie);
	return running->probe ? add_hosts(running) : 0;
}

int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg)
{
	struct running running = {.batch = batch, .on_sent = on_sent, .arg = arg};
	int result = 0;

	if (batch->addresses > 0)
		result = open_probe(&running);
	if (result == 0 && running.probe) {
		running.samples = calloc(batch->addresses, sizeof(*running.samples));
		if (running.samples)
			run_rounds(&running);
		else
			log_errx("out of memory");
		result = running.samples ? 0 : -1;
		batch->report = probe_get_report(running.probe);
	} else if (result == 0) {
		count_unsent(batch);
	}
	free(running.samples);
	probe_free(running.probe);
	return result;
}
