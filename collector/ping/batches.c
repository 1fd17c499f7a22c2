#include "ping/batches.h"

#include <stdlib.h>
#include <string.h>

#include "ping/runner.h"
#include "base/log.h"
#include "ping/rawsocket.h"

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

/* A target on its way to its batch. */
struct seat {
	struct target *target;
	size_t class;		    /* the first group whose batch its group shares */
	enum address_family family; /* where the class has a source, else ADDRESS_NONE */
	size_t rank;		    /* how many seats before it have its address */
	bool deferred;		    /* with the dead */
};

static int compare_class(const struct seat *a, const struct seat *b)
{
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return a->family < b->family ? -1 : a->family > b->family;
}

/* Targets lie in one array, in the order of their series. */
static int compare_position(const struct seat *a, const struct seat *b)
{
	return a->target < b->target ? -1 : a->target > b->target;
}

static int by_address(const void *a, const void *b)
{
	const struct seat *one = a, *other = b;
	int order = compare_class(one, other);

	if (order == 0)
		order = address_compare(&one->target->address, &other->target->address);
	return order ? order : compare_position(one, other);
}

/* Those that answered, those of which nothing is known, the dead, those without address.
 */
static int precedence(const struct target *target)
{
	if (target->state != TARGET_PROBED)
		return 3;
	return target->previous == TARGET_UP ? 0 : target->previous == TARGET_UNKNOWN ? 1 : 2;
}

/* Of one class. */
static int compare_batch(const struct seat *a, const struct seat *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->deferred - b->deferred;
}

static int by_batch(const void *a, const void *b)
{
	const struct seat *one = a, *other = b;
	int order = compare_class(one, other);

	if (order == 0)
		order = compare_batch(one, other);
	if (order == 0)
		order = precedence(one->target) - precedence(other->target);
	return order ? order : compare_position(one, other);
}

/* The first group that shares batches with each. */
static size_t *find_classes(const struct config *config)
{
	size_t *classes = calloc(config->group_count + 1, sizeof(*classes));

	for (size_t i = 0; classes && i < config->group_count; i++)
		while (classes[i] < i &&
		       !batches_may_share(&config->groups[classes[i]].options,
					  &config->groups[i].options))
			classes[i]++;
	return classes;
}

static bool was_unresponsive(const struct seat *seat)
{
	return seat->target->state == TARGET_PROBED && seat->target->previous == TARGET_DOWN;
}

/* Sorted by class: puts the dead of each class apart if they are many. */
static void set_deferred(struct seat *seats, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i = end) {
		size_t dead = 0;

		for (end = i; end < count && compare_class(&seats[i], &seats[end]) == 0;
		     end++)
			dead += was_unresponsive(&seats[end]);
		for (size_t j = i; j < end && dead > BATCHES_UNRESPONSIVE_MAX; j++)
			seats[j].deferred = was_unresponsive(&seats[j]);
	}
}

/* Whether the seat begins a batch. */
static bool begins_batch(const struct seat *seats, size_t i)
{
	return i == 0 || compare_class(&seats[i - 1], &seats[i]) != 0 ||
	       compare_batch(&seats[i - 1], &seats[i]) != 0;
}

static size_t count_batches(const struct seat *seats, size_t count)
{
	size_t batches = 0;

	for (size_t i = 0; i < count; i++)
		batches += begins_batch(seats, i);
	return batches;
}

static size_t take_seats(struct targets *targets, const size_t *classes,
			 struct seat *seats)
{
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];
		const struct source *source =
			&target_group(targets, target)->options.source;
		struct seat *seat = &seats[count];

		if (!target_is_measured(target))
			continue;
		*seat = (struct seat){.target = target,
				      .class = classes[target->peer->group]};
		if (source->v4.family != ADDRESS_NONE ||
		    source->v6.family != ADDRESS_NONE)
			seat->family = target->address.family;
		count++;
	}
	qsort(seats, count, sizeof(*seats), by_address);
	for (size_t i = 1; i < count; i++)
		if (compare_class(&seats[i - 1], &seats[i]) == 0 &&
		    seats[i].target->address.family != ADDRESS_NONE &&
		    address_equal(&seats[i - 1].target->address,
				  &seats[i].target->address))
			seats[i].rank = seats[i - 1].rank + 1;
	set_deferred(seats, count);
	qsort(seats, count, sizeof(*seats), by_batch);
	if (count_batches(seats, count) > BATCHES_MAX) {
		/* An outage must not be what makes them too many. */
		for (size_t i = 0; i < count; i++)
			seats[i].deferred = false;
		qsort(seats, count, sizeof(*seats), by_batch);
	}
	return count;
}

/* A batch for each run of seats that agree. */
static int make_batches(struct batches *batches, struct targets *targets,
			const struct seat *seats, size_t count, int64_t deadline_ns)
{
	struct batch *batch = NULL;

	for (size_t i = 0; i < count; i++) {
		batches->order[i] = seats[i].target;
		if (begins_batch(seats, i)) {
			if (batches->count == BATCHES_MAX) {
				log_errx(
					"more than %d sets of peers with different options, or with one address in so many groups",
					BATCHES_MAX);
				return -1;
			}
			batch = &batches->items[batches->count++];
			*batch = (struct batch){
				.options =
					&target_group(targets, seats[i].target)->options,
				.buckets = &targets->config->collector.buckets,
				.targets = &batches->order[i],
				.is_deferred = seats[i].deferred,
				.deadline_ns = deadline_ns};
		}
		if (seats[i].target->state == TARGET_PROBED)
			batch->count++;
		else
			batch->absent_count++;
		batch->absent = batch->targets + batch->count;
	}
	return 0;
}

static struct probe_settings batch_settings(struct batch *batch)
{
	const struct options *o = batch->options;
	struct probe_settings settings = {
		.mark = o->mark,
		.ttl = o->ttl,
		.dscp = o->dscp,
		.timeout_ns = o->timeout_ns,
		.spacing_ns = o->spacing_ns,
		.period_ns = batch_round_ns(o, 0),
		.on_sent = runner_sent,
		.arg = batch,
	};

	/* With a source the batch is of one family. */
	if (batch->targets[0]->address.family == ADDRESS_IPV4)
		settings.source.v4 = o->source.v4;
	else
		settings.source.v6 = o->source.v6;
	memcpy(settings.device, o->device, sizeof(settings.device));
	return settings;
}

/* An object that cannot be had leaves its targets unsent. -1 without memory. */
static int open_probe(struct batch *batch, unsigned number, const struct targets *targets,
		      const struct cookie *cookie, struct idents *idents)
{
	struct probe_settings settings = batch_settings(batch);
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
	result = batch->probe ? probe_add(batch->probe, hosts, batch->count) : 0;
	free(hosts);
	return result;
}

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
	struct seat *seats = calloc(targets->count + 1, sizeof(*seats));
	size_t *classes = find_classes(targets->config);
	size_t count;
	int result = -1;

	memset(batches, 0, sizeof(*batches));
	batches->order = calloc(targets->count + 1, sizeof(*batches->order));
	batches->items =
		calloc(targets->count < BATCHES_MAX ? targets->count + 1 : BATCHES_MAX,
		       sizeof(*batches->items));
	batches->idents = calloc(1, sizeof(*batches->idents));
	if (!seats || !classes || !batches->order || !batches->items ||
	    !batches->idents) {
		log_errx("out of memory");
		goto out;
	}
	count = take_seats(targets, classes, seats);
	result = make_batches(batches, targets, seats, count, deadline_ns);
	for (size_t i = 0; result == 0 && i < batches->count; i++)
		if (batches->items[i].count > 0)
			result = open_probe(&batches->items[i], (unsigned)i, targets,
					    cookie, batches->idents);
	if (result == 0)
		result = add_histograms(targets);
out:
	free(classes);
	free(seats);
	return result;
}

size_t batches_count(struct targets *targets)
{
	struct seat *seats = calloc(targets->count + 1, sizeof(*seats));
	size_t *classes = find_classes(targets->config);
	size_t batches = 0;

	if (seats && classes)
		batches = count_batches(seats, take_seats(targets, classes, seats));
	free(classes);
	free(seats);
	return batches;
}

/* One line for all that went wrong, with what helps against it. */
static void report(const struct batches *batches, struct stats_node *node)
{
	struct probe_report sum = {.receive_drops = 0};

	for (size_t i = 0; i < batches->count; i++) {
		struct probe_report one = {.receive_drops = 0};

		if (batches->items[i].probe)
			probe_report(batches->items[i].probe, &one);
		if (sum.failed == 0)
			sum.first_errno = one.first_errno;
		sum.failed += one.failed;
		sum.receive_drops += one.receive_drops;
		sum.starved |= one.starved;
		if (one.starved && one.send_wanted > sum.send_wanted)
			sum.send_wanted = one.send_wanted;
		if (one.receive_drops > 0 && one.receive_wanted > sum.receive_wanted)
			sum.receive_wanted = one.receive_wanted;
	}
	node->receive_drops += sum.receive_drops;
	if (sum.failed > 0)
		log_warnx("%zu requests could not be sent: %s%s", sum.failed,
			  strerror(sum.first_errno), rawsocket_hint(sum.first_errno));
	if (sum.starved)
		log_warnx(
			"requests waited for room in the send buffer until their round ended: raise net.core.wmem_max to %llu",
			(unsigned long long)(sum.send_wanted / 2));
	if (sum.receive_drops > 0)
		log_warnx(
			"%llu packets were dropped at full receive buffers: raise net.core.rmem_max to %llu",
			(unsigned long long)sum.receive_drops,
			(unsigned long long)(sum.receive_wanted / 2));
}

int batches_run(struct batches *batches, struct targets *targets, struct stats_node *node)
{
	int result = batches->count ? runner_run(batches->items, batches->count) : 0;

	if (batches->count && batches->items[0].progress)
		batches->items[0].progress(&batches->items[0], 0, 0);
	report(batches, node);
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
