#include "peers/lookup.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "peers/resolve.h"
#include "peers/route.h"

/* What the children wait for a name server before they turn to the next one. */
#define SLOW_NS CLOCK_NS_PER_S

/* All questions of a run. Those for one target are next to each other. */
struct questions {
	struct resolve_query *items;
	size_t count;
};

/* Names that no run has come to, before those that nobody has answered. */
enum turn { TURN_NONE, TURN_FIRST, TURN_SECOND };

/*
 * An unselected peer is looked up only where its address may tell that it is this node, or
 * no longer is of this host: a fleet must not flood its DNS with names that it does not
 * ping.
 */
static enum turn find_turn(const struct targets *targets, const struct target *target)
{
	/* A name that roaming visits was forgotten after the last visit. */
	if (target->peer->host && target->roams)
		return TURN_FIRST;
	if (!target->peer->host ||
	    (target->state == TARGET_UNSELECTED && !target->is_local &&
	     targets->groups[target->peer->group].self))
		return TURN_NONE;
	if (target->lookup == TARGET_NOT_LOOKED_UP)
		return TURN_FIRST;
	if (!target->is_due)
		return TURN_NONE;
	return target->lookup == TARGET_LOOKUP_FAILED ? TURN_SECOND : TURN_FIRST;
}

/*
 * Makes all names due when `resolve_every` has passed and no name waits for its first turn.
 * Otherwise the last names would never be asked for where all of them take longer than that.
 */
static void begin_turn(struct targets *targets, struct stats_node *node, int64_t wall_ns)
{
	int64_t age_ns = wall_ns - node->last_resolve_ns;

	/* After a step back of the clock the age of the addresses is unknown. */
	if (age_ns >= 0 && age_ns < targets->config->collector.resolve_every_ns)
		return;
	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].is_due &&
		    find_turn(targets, &targets->items[i]) == TURN_FIRST)
			return;
	for (size_t i = 0; i < targets->count; i++)
		targets->items[i].is_due = targets->items[i].peer->host != NULL;
	node->last_resolve_ns = wall_ns;
}

static void ask(const struct targets *targets, struct target *target,
		enum address_family family, struct questions *questions)
{
	const struct peer *self = targets->groups[target->peer->group].self;

	if (target->family != ADDRESS_NONE && target->family != family)
		return;
	questions->items[questions->count++] = (struct resolve_query){
		.host = target->peer->host,
		.family = family,
		.owner = target,
		.options = &target_group(targets, target)->options,
		.allows_loopback =
			target->peer == self && !targets->config->collector.skip_self,
		.address = target->address};
}

/*
 * Begins with a different name in each run, so that each has its turn among those that
 * nobody answers. The runs are as regular as their timer, so the time itself could select
 * the same ones again and again; Fibonacci hashing (Knuth, TAOCP 3, 6.4) spreads it.
 */
static void collect(struct targets *targets, enum turn turn, int64_t wall_ns,
		    struct questions *questions)
{
	size_t first = (size_t)((uint64_t)wall_ns * UINT64_C(0x9e3779b97f4a7c15) >> 33);

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[(first + i) % targets->count];

		if (find_turn(targets, target) != turn)
			continue;
		ask(targets, target, ADDRESS_IPV4, questions);
		ask(targets, target, ADDRESS_IPV6, questions);
	}
}

/* True if the lookup neither confirms nor replaces the address in use, which has its family. */
static bool leaves_address(const struct resolve_query *answer)
{
	const struct target *target = answer->owner;

	switch (answer->result) {
	case RESOLVE_NOT_ASKED:
	case RESOLVE_CUT_OFF:
	case RESOLVE_FAILED: return answer->family == target->address.family;
	case RESOLVE_NO_ADDRESS:
	case RESOLVE_REFUSED:
	case RESOLVE_FOUND: break;
	}
	return false;
}

static bool has_route(const struct resolve_query *answer)
{
	const struct options *o = answer->options;

	return route_find(&answer->address, &o->source, o->device, o->mark, NULL) == 0;
}

/*
 * IPv6 comes first where all else is equal, as in RFC 6724. An outage of DNS in the family
 * of the address in use moves nobody to the other family, unless that alone has a route.
 */
static int rate(const struct resolve_query *answer)
{
	const struct target *target = answer->owner;
	bool is_left = leaves_address(answer);
	bool is_reachable = is_left ? has_route(answer) : answer->is_reachable;

	if (!is_left && answer->result != RESOLVE_FOUND)
		return -1;
	return 4 * is_reachable + 2 * address_equal(&answer->address, &target->address) +
	       (answer->family == ADDRESS_IPV6);
}

/*
 * The answer that counts of two for one target. One address is enough. Without any, what is
 * known least decides: a name that was not asked for in both families is not unresolved.
 */
static const struct resolve_query *choose(const struct resolve_query *one,
					  const struct resolve_query *other)
{
	if (rate(one) != rate(other))
		return rate(one) > rate(other) ? one : other;
	return one->result < other->result ? one : other;
}

/* A failure without any address is asked for again at once: the peer is not measured. */
static void update_target(const struct resolve_query *answer)
{
	struct target *target = answer->owner;

	switch (answer->result) {
	case RESOLVE_NOT_ASKED: return;
	case RESOLVE_CUT_OFF:
	case RESOLVE_FAILED:
	case RESOLVE_REFUSED: target->lookup = TARGET_LOOKUP_FAILED; break;
	case RESOLVE_NO_ADDRESS: target->lookup = TARGET_NO_ADDRESS; break;
	case RESOLVE_FOUND:
		target->lookup = TARGET_RESOLVED;
		if (!address_equal(&target->address, &answer->address))
			targets_forget_path(target);
		target->address = answer->address;
		break;
	}
	target->is_due = answer->result == RESOLVE_CUT_OFF ||
			 (answer->result == RESOLVE_FAILED &&
			  target->address.family == ADDRESS_NONE);
}

/* Updates all targets, and leaves one answer for each. */
static void store_answers(struct questions *questions)
{
	size_t kept = 0;

	for (size_t i = 0; i < questions->count; i++) {
		const struct resolve_query *answer = &questions->items[i];

		if (!answer->owner)
			continue;
		if (i + 1 < questions->count && answer[1].owner == answer->owner)
			answer = choose(answer, &questions->items[++i]);
		update_target(answer);
		questions->items[kept++] = *answer;
	}
	questions->count = kept;
}

/*
 * With an address of the other family the name is in order. The name of this node may lead
 * to loopback, as in Debian's /etc/hosts.
 */
static bool is_excused(const struct targets *targets, const struct resolve_query *answer)
{
	const struct target *target = answer->owner;
	const struct target *sibling = targets_sibling(targets, target);

	return target->state == TARGET_SELF ||
	       (answer->result == RESOLVE_NOT_ASKED &&
		(target->address.family != ADDRESS_NONE || stop_requested())) ||
	       (answer->result == RESOLVE_NO_ADDRESS && sibling &&
		sibling->lookup != TARGET_NO_ADDRESS);
}

/*
 * One line for each reason that an administrator can mend, with the first name. False if no
 * name has this reason.
 */
static bool report(const struct targets *targets, const struct questions *questions,
		   enum resolve_result result, const char *reason)
{
	const struct resolve_query *first = NULL;
	char address[ADDRESS_TEXT_SIZE] = "";
	size_t names = 0;

	for (size_t i = 0; i < questions->count; i++) {
		const struct resolve_query *answer = &questions->items[i];

		if (answer->result != result || is_excused(targets, answer))
			continue;
		if (names++ == 0)
			first = answer;
	}
	if (!first)
		return false;
	if (result == RESOLVE_REFUSED) {
		address_format(&first->address, address);
		reason = address_unsuitable(&first->address, false);
	}
	log_warnx("cannot resolve `%s`: %s%s%s (names: %zu)", first->host, address,
		  *address ? " " : "", reason, names);
	return true;
}

/* The first name server of several may be down for weeks before anybody notices. */
static void report_slowness(const struct questions *questions)
{
	int64_t fastest_ns = INT64_MAX;

	for (size_t i = 0; i < questions->count; i++)
		if (questions->items[i].result == RESOLVE_FOUND &&
		    questions->items[i].took_ns < fastest_ns)
			fastest_ns = questions->items[i].took_ns;
	if (fastest_ns >= SLOW_NS && fastest_ns < INT64_MAX)
		log_warnx(
			"the fastest lookup took %.1f s: does the first name server of /etc/resolv.conf answer?",
			(double)fastest_ns / 1e9);
}

static void store_and_report(const struct targets *targets, struct questions *questions)
{
	store_answers(questions);
	/* Lookups without an answer are the reason why others were not asked. */
	if (!report(targets, questions, RESOLVE_CUT_OFF,
		    "no answer in time from the name servers of /etc/resolv.conf"))
		report(targets, questions, RESOLVE_NOT_ASKED,
		       "not asked within resolve_timeout; the next run continues with it");
	report(targets, questions, RESOLVE_FAILED,
	       "no name server of /etc/resolv.conf answers without an error");
	report(targets, questions, RESOLVE_REFUSED, "");
	report(targets, questions, RESOLVE_NO_ADDRESS,
	       "no such name, or it has no address of the family");
	report_slowness(questions);
}

int lookup_run(struct targets *targets, struct stats_node *node, struct self *self,
	       int64_t deadline_ns, int64_t wall_ns)
{
	struct questions questions = {
		.items = calloc(2 * targets->count + 1, sizeof(*questions.items))};
	char full_name[RESOLVE_NAME_SIZE] = "";
	int64_t last_ns = node->last_resolve_ns;
	bool wants_full_name;
	int result;

	if (!questions.items) {
		log_errx("out of memory");
		return -1;
	}
	begin_turn(targets, node, wall_ns);
	wants_full_name = self_wants_full_name(self, targets);
	if (wants_full_name)
		questions.items[questions.count++] = (struct resolve_query){
			.host = self->host, .canonical = full_name};
	collect(targets, TURN_FIRST, wall_ns, &questions);
	collect(targets, TURN_SECOND, wall_ns, &questions);
	/* Between two turns the full name is asked for only together with names of peers. */
	if (wants_full_name && questions.count == 1 && node->last_resolve_ns == last_ns)
		questions.count = 0;
	result = resolve_run(questions.items, questions.count, deadline_ns);
	if (result < 0 || questions.count == 0)
		node->last_resolve_ns = last_ns;
	if (result == 0) {
		self_set_full_name(self, full_name);
		store_and_report(targets, &questions);
	}
	free(questions.items);
	return result;
}
