#include "ping/batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ping/runner.h"
#include "base/log.h"
#include "config/inifile.h"
#include "ping/icmpsocket.h"

/* Beyond the process numbers of a small system, which other programs use as idents. */
#define FIRST_IDENT 0x8000

/* Peers that a message names. */
#define NAMES_MAX 3

/*
 * Everything that liboping keeps for each object, and everything that makes up a round. The
 * payload's size is not among them, as liboping keeps a payload for each host.
 */
static bool may_share(const struct options *a, const struct options *b)
{
	return a->count == b->count && a->warmup == b->warmup &&
	       a->interval_ns == b->interval_ns && a->timeout_ns == b->timeout_ns &&
	       a->spacing_ns == b->spacing_ns && a->ttl == b->ttl && a->dscp == b->dscp &&
	       address_equal(&a->source.v4, &b->source.v4) &&
	       address_equal(&a->source.v6, &b->source.v6) &&
	       strcmp(a->source.interface, b->source.interface) == 0 &&
	       strcmp(a->device, b->device) == 0 && a->mark.is_set == b->mark.is_set &&
	       a->mark.value == b->mark.value;
}

/* How a target responded in the run before this one, in the order of sending. */
enum past { RESPONDED, UNKNOWN, DID_NOT_RESPOND };

/* A target, and what decides which batch it is in. */
struct entry {
	struct target *target;
	const struct target *first; /* that has the address; the order of the addresses */
	size_t first_group; /* the first group with the same options as the target's */
	uint32_t size;	    /* of the payload */
	/* Of all targets that have the address: that of the best one. */
	enum past past;
	bool is_deferred;
	bool begins_list, begins_batch, begins_host;
};

static int compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

/* Equal if both are in one list. Deferred lists are the last, as runner.h wants them. */
static int compare_lists(const struct entry *a, const struct entry *b)
{
	int order = a->is_deferred - b->is_deferred;

	if (order == 0)
		order = compare_numbers(a->first_group, b->first_group);
	return order ? order
		     : compare_numbers(a->target->address.family,
				       b->target->address.family);
}

/* Equal if both are one host for liboping. */
static int compare_hosts(const struct entry *a, const struct entry *b)
{
	int order = address_compare(&a->target->address, &b->target->address);

	return order ? order : compare_numbers(a->size, b->size);
}

/* All targets are in one array. */
static int compare_targets(const struct target *a, const struct target *b)
{
	return a < b ? -1 : a > b;
}

static int by_host(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = compare_lists(one, other);

	if (order == 0)
		order = compare_hosts(one, other);
	return order ? order : compare_targets(one->target, other->target);
}

static int by_batch(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = compare_lists(one, other);

	if (order == 0)
		order = compare_numbers(one->past, other->past);
	if (order == 0)
		order = compare_targets(one->first, other->first);
	return order ? order : compare_targets(one->target, other->target);
}

/* Quadratic at worst: half a million comparisons for the 1,024 groups that may be. */
static size_t find_first_group(const struct config *config, size_t group)
{
	size_t first = 0;

	while (first < group &&
	       !may_share(&config->groups[first].options, &config->groups[group].options))
		first++;
	return first;
}

static enum past find_past(const struct target *target)
{
	if (target->state != TARGET_PROBED)
		return UNKNOWN;
	switch (target->previous) {
	case TARGET_UP: return RESPONDED;
	case TARGET_DOWN: return DID_NOT_RESPOND;
	case TARGET_UNKNOWN: break;
	}
	return UNKNOWN;
}

/* All that are measured, or asked by roaming. */
static size_t list_targets(struct targets *targets, struct entry *entries)
{
	size_t count = 0, first_group = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];
		struct entry *entry = &entries[count];

		/* Targets are sorted by group. */
		if (i == 0 || target->peer->group != target[-1].peer->group)
			first_group =
				find_first_group(targets->config, target->peer->group);
		if (!target_is_measured(target) && !target_is_asked(target))
			continue;
		*entry = (struct entry){
			.target = target,
			.first_group = first_group,
			.size = target_group(targets, target)->options.size,
			.past = find_past(target)};
		count++;
	}
	return count;
}

/* Sorted by host: what all targets of one host have in common. */
static void join_hosts(struct entry *entries, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1;
		     end < count && compare_lists(&entries[i], &entries[end]) == 0 &&
		     compare_hosts(&entries[i], &entries[end]) == 0;
		     end++)
			if (entries[end].past < entries[i].past)
				entries[i].past = entries[end].past;
		for (size_t j = i; j < end; j++) {
			entries[j].past = entries[i].past;
			entries[j].first = entries[i].target;
		}
	}
}

/*
 * Sorted by list: defers the unresponsive targets of each if they are many. What is
 * unresponsive is known from the previous run; a new peer is given the benefit of doubt.
 */
static void set_deferred(struct entry *entries, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i = end) {
		size_t unresponsive = 0;

		for (end = i;
		     end < count && compare_lists(&entries[i], &entries[end]) == 0; end++)
			unresponsive += entries[end].past == DID_NOT_RESPOND;
		for (size_t j = i; j < end && unresponsive > BATCHES_UNRESPONSIVE_MAX;
		     j++)
			entries[j].is_deferred = entries[j].past == DID_NOT_RESPOND;
	}
}

/* Sorted by batch: where lists, batches and hosts begin. Returns how many batches there are. */
static size_t cut(struct entry *entries, size_t count)
{
	size_t batches = 0, addresses = 0;

	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &entries[i];

		entry->begins_list = i == 0 || compare_lists(entry - 1, entry) != 0;
		entry->begins_host =
			entry->begins_list || compare_hosts(entry - 1, entry) != 0;
		entry->begins_batch =
			entry->begins_list ||
			(entry->begins_host && addresses == BATCH_ADDRESSES_MAX);
		if (entry->begins_batch)
			addresses = 0;
		batches += entry->begins_batch;
		addresses += entry->begins_host;
	}
	return batches;
}

/*
 * The entries of all measured targets, sorted and cut; the caller frees them. NULL without
 * memory.
 */
static struct entry *make_entries(struct targets *targets, size_t *count)
{
	struct entry *entries = calloc(targets->count + 1, sizeof(*entries));

	if (!entries)
		return NULL;
	*count = list_targets(targets, entries);
	qsort(entries, *count, sizeof(*entries), by_host);
	join_hosts(entries, *count);
	set_deferred(entries, *count);
	qsort(entries, *count, sizeof(*entries), by_batch);
	return entries;
}

static void begin_batch(struct batches *batches, const struct targets *targets,
			const struct entry *entry, struct target **members)
{
	struct batch *batch = &batches->items[batches->count++];

	*batch = (struct batch){
		.all = targets,
		.options = &targets->config->groups[entry->first_group].options,
		.targets = members,
		.is_deferred = entry->is_deferred};
	batch->turns = entry->begins_list ? &batches->turns[batches->count - 1]
					  : batch[-1].turns;
}

/*
 * Idents of a family are given out one after the other, so that no two addresses of a run
 * share one, and firewalls that keep track of idents see the same ones in each run.
 */
static void fill_batches(struct batches *batches, const struct targets *targets,
			 const struct entry *entries, size_t count)
{
	uint16_t idents[] = {FIRST_IDENT, FIRST_IDENT, FIRST_IDENT}; /* by family */

	for (size_t i = 0; i < count; i++) {
		enum address_family family = entries[i].target->address.family;
		struct batch *batch;

		batches->order[i] = entries[i].target;
		if (entries[i].begins_batch)
			begin_batch(batches, targets, &entries[i], &batches->order[i]);
		batch = &batches->items[batches->count - 1];
		if (entries[i].begins_batch)
			batch->first_ident = idents[family];
		batch->count++;
		if (family != ADDRESS_NONE && entries[i].begins_host) {
			batch->addresses++;
			batch->turns->addresses++;
			idents[family]++;
		}
	}
}

int batches_build(struct batches *batches, struct targets *targets, int64_t deadline_ns)
{
	size_t count = 0, batch_count = 0;
	struct entry *entries = make_entries(targets, &count);
	int result = 0;

	if (entries)
		batch_count = cut(entries, count);
	*batches = (struct batches){
		.items = calloc(batch_count + 1, sizeof(*batches->items)),
		.turns = calloc(batch_count + 1, sizeof(*batches->turns)),
		.order = calloc(count + 1, sizeof(*batches->order))};
	if (entries && batches->items && batches->turns && batches->order) {
		fill_batches(batches, targets, entries, count);
	} else {
		log_errx("out of memory");
		result = -1;
	}
	free(entries);
	for (size_t i = 0; i < batches->count; i++)
		batches->items[i].deadline_ns = deadline_ns;
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

/* For one line of log for the whole run, however many batches are affected. */
static struct probe_report sum_reports(const struct batches *batches)
{
	struct probe_report sum = {.receive_drops = 0};

	for (size_t i = 0; i < batches->count; i++) {
		const struct probe_report *one = &batches->items[i].report;

		if (sum.failed == 0)
			sum.first_errno = one->first_errno;
		sum.failed += one->failed;
		sum.receive_drops += one->receive_drops;
		sum.starved |= one->starved;
		/* Sysctls limit each socket, so what the largest one wants is enough. */
		if (one->starved && one->send_wanted > sum.send_wanted)
			sum.send_wanted = one->send_wanted;
		if (one->receive_drops > 0 && one->receive_wanted > sum.receive_wanted)
			sum.receive_wanted = one->receive_wanted;
	}
	return sum;
}

/* The first batch, beginning with `batch`, that was refused for this reason; otherwise `end`. */
static const struct batch *find_refused(const struct batch *batch,
					const struct batch *end, const char *reason)
{
	while (batch < end && (batch->report.refused == 0 ||
			       strcmp(batch->report.refused_reason, reason) != 0))
		batch++;
	return batch;
}

/* One line for each reason why liboping does not ping a host. */
static void log_refused(const struct batches *batches)
{
	const struct batch *end = batches->items + batches->count;

	for (const struct batch *first = batches->items; first < end; first++) {
		const char *reason = first->report.refused_reason;
		const char *family =
			address_family_name(first->targets[0]->address.family);
		size_t refused = 0;

		if (find_refused(batches->items, end, reason) != first)
			continue;
		for (const struct batch *batch = first; batch < end;
		     batch = find_refused(batch + 1, end, reason)) {
			refused += batch->report.refused;
			if (batch->targets[0]->address.family !=
			    first->targets[0]->address.family)
				family = "the";
		}
		if (refused == 1)
			log_warnx("peer `%s`: cannot be pinged: %s",
				  first->report.refused_name, reason);
		else
			log_warnx(
				"cannot ping %s peers: %s (%zu peers, the first is `%s`)",
				family, reason, refused, first->report.refused_name);
	}
}

/* As words for a message: "; peers: a, b, c and 7 more". */
static void list_unsent(const struct targets *targets, char *out, size_t size)
{
	size_t count = 0, used = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (!target_is_asked(target) || target->run.unsent == 0)
			continue;
		if (count++ < NAMES_MAX)
			used += (size_t)snprintf(
				out + used, size - used, "%s%s",
				used ? ", " : "; peers: ", target->peer->name);
	}
	if (count > NAMES_MAX)
		snprintf(out + used, size - used, " and %zu more", count - NAMES_MAX);
}

static void log_failed(const struct targets *targets, const struct probe_report *sum)
{
	char peers[NAMES_MAX * (INIFILE_KEY_MAX + 2) + 64] = "";

	if (sum->failed == 0)
		return;
	list_unsent(targets, peers, sizeof(peers));
	log_warnx("%zu requests could not be sent: %s%s%s", sum->failed,
		  strerror(sum->first_errno), icmpsocket_explain(sum->first_errno),
		  peers);
}

/* The first ICMP error in the list; what this host's kernel said is in log_failed(). */
static const struct failure *find_icmp_error(const struct failure *failure)
{
	while (failure && failure->from.family == ADDRESS_NONE)
		failure = failure->next;
	return failure;
}

/* One line for all peers of which a router or a host said why a request failed. */
static void log_icmp_errors(const struct targets *targets)
{
	char peers[NAMES_MAX * (INIFILE_KEY_MAX + ADDRESS_TEXT_SIZE + 32) + 64];
	char from[ADDRESS_TEXT_SIZE];
	size_t count = 0, used = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		const struct failure *failure = find_icmp_error(target->failures);

		if (!failure || target->roams)
			continue;
		address_format(&failure->from, from);
		if (count++ < NAMES_MAX)
			used += (size_t)snprintf(
				peers + used, sizeof(peers) - used, "%s%s (%s from %s)",
				used ? ", " : "", target->peer->name,
				failure_reason_names[failure->reason], from);
	}
	if (count > NAMES_MAX)
		snprintf(peers + used, sizeof(peers) - used, " and %zu more",
			 count - NAMES_MAX);
	if (count > 0)
		log_warnx("there was no reply but an ICMP error: %s", peers);
}

/*
 * The kernel doubles what it is asked for and reports the double, so half of what is wanted
 * is named. systemd/60-nodecanary-sysctl.conf has both settings.
 */
static void log_report(const struct probe_report *sum)
{
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
	struct probe_report sum;
	int result = add_histograms(targets);

	if (result == 0 && batches->count > 0)
		result = runner_run(batches->items, batches->count);
	sum = sum_reports(batches);
	if (batches->count && batches->items[0].progress)
		batches->items[0].progress(&batches->items[0], 0, 0);
	log_refused(batches);
	log_failed(targets, &sum);
	log_icmp_errors(targets);
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

bool batches_missed_deadline(const struct batches *batches)
{
	for (size_t i = 0; i < batches->count; i++)
		if (batches->items[i].discarded[DISCARD_DEADLINE] ==
		    batches->items[i].options->count)
			return true;
	return false;
}

void batches_free(struct batches *batches)
{
	free(batches->items);
	free(batches->order);
	free(batches->turns);
	*batches = (struct batches){.items = NULL};
}
