#include "ping/batches.h"

#include <stdlib.h>
#include <string.h>

#include "ping/runner.h"
#include "base/log.h"
#include "ping/icmpsocket.h"

/*
 * Everything that liboping keeps for each object, and everything that makes up a round. The
 * payload's size is not among them, as liboping keeps a payload for each host.
 */
bool batches_may_share(const struct options *a, const struct options *b)
{
	return a->count == b->count && a->warmup == b->warmup &&
	       a->interval_ns == b->interval_ns && a->timeout_ns == b->timeout_ns &&
	       a->spacing_ns == b->spacing_ns && a->ttl == b->ttl && a->dscp == b->dscp &&
	       address_equal(&a->source.v4, &b->source.v4) &&
	       address_equal(&a->source.v6, &b->source.v6) &&
	       strcmp(a->device, b->device) == 0 && a->mark.is_set == b->mark.is_set &&
	       a->mark.value == b->mark.value;
}

/* A target, and what decides which batch it is in. */
struct placement {
	struct target *target;
	size_t first_group; /* the first group with the same options as the target's */
	/* That of the address if the options name a source, otherwise ADDRESS_NONE. */
	enum address_family family;
	size_t repetition; /* how many placements before it have the same address */
	bool is_deferred;
};

static int compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

/* Equal if both could use the same sockets. */
static int compare_options(const struct placement *a, const struct placement *b)
{
	int order = compare_numbers(a->first_group, b->first_group);

	return order ? order : compare_numbers(a->family, b->family);
}

/* Equal if both are in the same batch. */
static int compare_batches(const struct placement *a, const struct placement *b)
{
	int order = compare_options(a, b);

	if (order == 0)
		order = compare_numbers(a->repetition, b->repetition);
	return order ? order : a->is_deferred - b->is_deferred;
}

/* All targets are in one array. Their order makes every sort a stable one. */
static int compare_targets(const struct placement *a, const struct placement *b)
{
	return a->target < b->target ? -1 : a->target > b->target;
}

static int by_address(const void *a, const void *b)
{
	const struct placement *one = a, *other = b;
	int order = compare_options(one, other);

	if (order == 0)
		order = address_compare(&one->target->address, &other->target->address);
	return order ? order : compare_targets(one, other);
}

static bool was_unresponsive(const struct target *target)
{
	return target->state == TARGET_PROBED && target->previous == TARGET_DOWN;
}

/*
 * Within a batch: responsive targets first, then new ones, unresponsive ones, and last,
 * as struct batch wants it, those without an address.
 */
static int rank(const struct target *target)
{
	if (target->state != TARGET_PROBED)
		return 3;
	return was_unresponsive(target) ? 2 : target->previous == TARGET_UNKNOWN;
}

static int by_batch(const void *a, const void *b)
{
	const struct placement *one = a, *other = b;
	int order = compare_batches(one, other);

	if (order == 0)
		order = rank(one->target) - rank(other->target);
	return order ? order : compare_targets(one, other);
}

/* Quadratic at worst: half a million comparisons for the 1,024 groups that may be. */
static size_t find_first_group(const struct config *config, size_t group)
{
	size_t first = 0;

	while (first < group && !batches_may_share(&config->groups[first].options,
						   &config->groups[group].options))
		first++;
	return first;
}

/* All that are measured; the others are not asked and have no series. */
static size_t list_targets(struct targets *targets, struct placement *placements)
{
	size_t count = 0, first_group = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];
		const struct source *source =
			&target_group(targets, target)->options.source;
		bool has_source = source->v4.family || source->v6.family;

		/* Targets are sorted by group. */
		if (i == 0 || target->peer->group != target[-1].peer->group)
			first_group =
				find_first_group(targets->config, target->peer->group);
		if (target_is_measured(target))
			placements[count++] = (struct placement){
				.target = target,
				.first_group = first_group,
				.family = has_source ? target->address.family
						     : ADDRESS_NONE};
	}
	return count;
}

/*
 * Sorted by address, equal ones of the same options are next to each other. liboping
 * ignores an address that an object has already, so the second one needs another object.
 */
static void set_repetitions(struct placement *placements, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct placement *last = &placements[i - 1];
		const struct address *address = &placements[i].target->address;

		if (compare_options(last, &placements[i]) == 0 &&
		    address->family != ADDRESS_NONE &&
		    address_equal(&last->target->address, address))
			placements[i].repetition = last->repetition + 1;
	}
}

/*
 * Sorted by options: defers the unresponsive targets of each if they are many. What is
 * unresponsive is known from the previous run; a new peer is given the benefit of doubt.
 */
static void set_deferred(struct placement *placements, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i = end) {
		size_t unresponsive = 0;

		for (end = i; end < count &&
			      compare_options(&placements[i], &placements[end]) == 0;
		     end++)
			unresponsive += was_unresponsive(placements[end].target);
		for (size_t j = i; j < end && unresponsive > BATCHES_UNRESPONSIVE_MAX;
		     j++)
			placements[j].is_deferred =
				was_unresponsive(placements[j].target);
	}
}

/* Sorted by batch: whether this placement is the first of one. */
static bool begins_batch(const struct placement *placements, size_t i)
{
	return i == 0 || compare_batches(&placements[i - 1], &placements[i]) != 0;
}

static size_t count_batches(const struct placement *placements, size_t count)
{
	size_t batches = 0;

	for (size_t i = 0; i < count; i++)
		batches += begins_batch(placements, i);
	return batches;
}

/*
 * The placements of all measured targets, sorted by batch; the caller frees them. NULL
 * without memory.
 */
static struct placement *place_targets(struct targets *targets, size_t *count)
{
	struct placement *placements = calloc(targets->count + 1, sizeof(*placements));

	if (!placements)
		return NULL;
	*count = list_targets(targets, placements);
	qsort(placements, *count, sizeof(*placements), by_address);
	set_repetitions(placements, *count);
	set_deferred(placements, *count);
	qsort(placements, *count, sizeof(*placements), by_batch);
	if (count_batches(placements, *count) > BATCHES_MAX) {
		/* A configuration must not become invalid because peers are down. */
		for (size_t i = 0; i < *count; i++)
			placements[i].is_deferred = false;
		qsort(placements, *count, sizeof(*placements), by_batch);
	}
	return placements;
}

/*
 * Each batch is a run of equal placements. Targets without an address are the last of their
 * batch, so that `targets` and `absent` are two parts of one array.
 */
static int make_batches(struct batches *batches, struct targets *targets,
			const struct placement *placements, size_t count,
			int64_t deadline_ns)
{
	struct batch *batch = NULL;

	if (count_batches(placements, count) > BATCHES_MAX) {
		log_errx(
			"too many sets of peers with different options, or with one address in several groups (at most %d)",
			BATCHES_MAX);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		struct target *target = placements[i].target;

		batches->order[i] = target;
		if (begins_batch(placements, i)) {
			batch = &batches->items[batches->count++];
			*batch = (struct batch){
				.options = &target_group(targets, target)->options,
				.buckets = &targets->config->collector.buckets,
				.targets = &batches->order[i],
				.is_deferred = placements[i].is_deferred,
				.deadline_ns = deadline_ns};
		}
		if (target->state == TARGET_PROBED)
			batch->count++;
		else
			batch->absent_count++;
		batch->absent = batch->targets + batch->count;
	}
	return 0;
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

	/* A batch with a source address has one family. */
	if (batch->targets[0]->address.family == ADDRESS_IPV4)
		settings.source.v4 = o->source.v4;
	else
		settings.source.v6 = o->source.v6;
	memcpy(settings.device, o->device, sizeof(settings.device));
	return settings;
}

/*
 * If liboping refuses an option, the batch has no probe and its targets are unsent: other
 * batches must go on. -1 without memory or idents.
 */
static int open_probe(struct batch *batch, unsigned number, const struct targets *targets,
		      const struct cookie *cookie, struct idents *idents)
{
	struct probe_settings settings = make_settings(batch);
	struct cookie own;
	struct probe_host *hosts = calloc(batch->count, sizeof(*hosts));
	int result;

	if (!hosts) {
		log_errx("out of memory");
		return -1;
	}
	cookie_derive(cookie, number, &own);
	for (size_t i = 0; i < batch->count; i++)
		hosts[i] = (struct probe_host){
			batch->targets[i]->address,
			target_group(targets, batch->targets[i])->options.size};
	batch->probe = probe_new(&settings, &own, idents);
	result = batch->probe ? probe_add_hosts(batch->probe, hosts, batch->count) : 0;
	free(hosts);
	return result;
}

/* Those that are kept have been restored; new peers and groups need theirs. */
static int add_histograms(struct targets *targets)
{
	const struct config *config = targets->config;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];

		if (target->state == TARGET_PROBED && !target->totals.histogram.counts &&
		    target_group(targets, target)->options.histogram != HISTOGRAM_OFF &&
		    targets_add_counts(targets, &target->totals.histogram) < 0)
			return -1;
	}
	for (size_t i = 0; i < config->group_count; i++)
		if (!targets->groups[i].histogram.counts &&
		    config->groups[i].options.histogram == HISTOGRAM_GROUP &&
		    targets_add_counts(targets, &targets->groups[i].histogram) < 0)
			return -1;
	return 0;
}

int batches_build(struct batches *batches, struct targets *targets,
		  const struct cookie *cookie, int64_t deadline_ns)
{
	size_t count = 0;
	struct placement *placements = place_targets(targets, &count);
	int result = -1;

	*batches = (struct batches){.items = calloc(count_batches(placements, count) + 1,
						    sizeof(*batches->items)),
				    .order = calloc(count + 1, sizeof(*batches->order)),
				    .idents = calloc(1, sizeof(*batches->idents))};
	if (placements && batches->items && batches->order && batches->idents)
		result = make_batches(batches, targets, placements, count, deadline_ns);
	else
		log_errx("out of memory");
	free(placements);
	for (size_t i = 0; result == 0 && i < batches->count; i++)
		if (batches->items[i].count > 0)
			result = open_probe(&batches->items[i], (unsigned)i, targets,
					    cookie, batches->idents);
	return result == 0 ? add_histograms(targets) : result;
}

size_t batches_count(struct targets *targets)
{
	size_t count = 0;
	struct placement *placements = place_targets(targets, &count);
	size_t batches = count_batches(placements, count);

	free(placements);
	return batches;
}

/* For one line of log for the whole run, however many batches are affected. */
static struct probe_report sum_reports(const struct batches *batches)
{
	struct probe_report sum = {.receive_drops = 0};

	for (size_t i = 0; i < batches->count; i++) {
		struct probe_report one = {.receive_drops = 0};

		if (batches->items[i].probe)
			one = probe_get_report(batches->items[i].probe);
		if (sum.failed == 0)
			sum.first_errno = one.first_errno;
		sum.failed += one.failed;
		sum.receive_drops += one.receive_drops;
		sum.starved |= one.starved;
		/* Sysctls limit each socket, so what the largest one wants is enough. */
		if (one.starved && one.send_wanted > sum.send_wanted)
			sum.send_wanted = one.send_wanted;
		if (one.receive_drops > 0 && one.receive_wanted > sum.receive_wanted)
			sum.receive_wanted = one.receive_wanted;
	}
	return sum;
}

/*
 * The kernel doubles what it is asked for and reports the double, so half of what is wanted
 * is named. systemd/60-nodecanary-sysctl.conf has both settings.
 */
static void log_report(const struct probe_report *sum)
{
	if (sum->failed > 0)
		log_warnx("%zu requests could not be sent: %s%s", sum->failed,
			  strerror(sum->first_errno),
			  icmpsocket_explain(sum->first_errno));
	if (sum->starved && sum->send_wanted > 0)
		log_warnx(
			"requests could not be sent before the timeout because the send buffer was full: raise net.core.wmem_max to %llu",
			(unsigned long long)(sum->send_wanted / 2));
	else if (sum->starved)
		log_warnx(
			"requests could not be sent before the timeout: the network device accepts them too slowly");
	if (sum->receive_drops > 0 && sum->receive_wanted > 0)
		log_warnx(
			"%llu packets were dropped because the receive buffer was full: raise net.core.rmem_max to %llu",
			(unsigned long long)sum->receive_drops,
			(unsigned long long)(sum->receive_wanted / 2));
	else if (sum->receive_drops > 0)
		log_warnx(
			"%llu packets were dropped at sockets that hold two replies of each peer: are there duplicates, or does an IPsec policy refuse replies?",
			(unsigned long long)sum->receive_drops);
}

int batches_run(struct batches *batches, struct targets *targets, struct stats_node *node)
{
	int result = batches->count ? runner_run(batches->items, batches->count) : 0;
	struct probe_report sum = sum_reports(batches);

	if (batches->count && batches->items[0].progress)
		batches->items[0].progress(&batches->items[0], 0, 0);
	log_report(&sum);
	node->receive_drops += sum.receive_drops;
	for (size_t i = 0; i < batches->count; i++)
		for (size_t j = 0; j < DISCARD_REASONS; j++)
			node->discarded_rounds[j] += batches->items[i].discarded[j];
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->totals.histogram.counts &&
		    target_group(targets, target)->options.histogram == HISTOGRAM_GROUP)
			stats_merge(&targets->groups[target->peer->group].histogram,
				    &target->totals.histogram,
				    &targets->config->collector.buckets);
	}
	return result;
}

/* Otherwise a run whose requests all failed to leave would look like a success. */
bool batches_measured(const struct batches *batches)
{
	for (size_t i = 0; i < batches->count; i++)
		if (batches->items[i].measured > 0)
			return true;
	return batches->count == 0;
}

void batches_free(struct batches *batches)
{
	for (size_t i = 0; i < batches->count; i++)
		probe_free(batches->items[i].probe);
	free(batches->items);
	free(batches->order);
	free(batches->idents);
	memset(batches, 0, sizeof(*batches));
}
