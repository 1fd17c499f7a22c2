#include "print.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "peers/self.h"

/* SGR control sequences (ECMA-48). */
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define RESET "\033[0m"

/*
 * Widths of the columns that depend on the peers. All targets are measured before the
 * first line is printed, so that the columns of a whole table are aligned.
 */
struct widths {
	int group, peer, address; /* a group width of 0: no column of groups */
};

static void widen(int *width, const char *text)
{
	int len = (int)strlen(text);

	if (len > *width)
		*width = len;
}

static struct widths measure_columns(const struct targets *targets)
{
	struct widths widths = {.group = 5, .peer = 4, .address = 7};

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		char address[ADDRESS_TEXT_SIZE];

		address_format(&target->address, address);
		widen(&widths.group, target_group(targets, target)->name);
		widen(&widths.peer, target->peer->name);
		widen(&widths.address, address);
	}
	/* The name of the only group would tell nothing. */
	if (targets->config->group_count < 2)
		widths.group = 0;
	return widths;
}

static void print_names(FILE *out, const struct widths *widths, const char *group,
			const char *peer, const char *address)
{
	if (widths->group)
		fprintf(out, "%-*s  ", widths->group, group);
	fprintf(out, "%-*s  %-*s", widths->peer, peer, widths->address, address);
}

/* A target that was never resolved has "-" for its address, so that no column is empty. */
static void print_target_names(FILE *out, const struct widths *widths,
			       const struct targets *targets, const struct target *target)
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&target->address, address);
	print_names(out, widths, target_group(targets, target)->name, target->peer->name,
		    *address ? address : "-");
}

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

/* Why requests failed, where this host, a router or the peer said so. */
static void print_failures(FILE *out, const struct target *target)
{
	char from[ADDRESS_TEXT_SIZE];

	for (const struct failure *f = target->failures; f; f = f->next) {
		address_format(&f->from, from);
		fprintf(out, "  %s%s%s", failure_reason_names[f->reason],
			*from ? " from " : "", from);
	}
}

/*
 * What was not measured is "-", never 0: without a request there is no loss, and without a
 * reply no round-trip time.
 */
static void print_figures(FILE *out, const struct target *target)
{
	const struct stats_run *run = &target->run;

	fprintf(out, "  %5llu  %7llu", (unsigned long long)run->requests,
		(unsigned long long)run->replies);
	if (run->requests > 0)
		fprintf(out, "  %5.1f", (double)stats_loss_billionths(run) / 1e7);
	else
		fprintf(out, "  %5s", "-");
	if (run->replies > 0)
		fprintf(out, "  %8.3f  %8.3f  %8.3f  %8.3f", ms(run->min_ns),
			ms(stats_mean_ns(run)), ms(run->max_ns),
			ms(stats_stddev_ns(run)));
	else
		fprintf(out, "  %8s  %8s  %8s  %8s", "-", "-", "-", "-");
	if (target->state == TARGET_UNRESOLVED)
		fprintf(out, "  unresolved");
	else if (run->unsent > 0)
		fprintf(out, "  %llu unsent", (unsigned long long)run->unsent);
	print_failures(out, target);
}

void print_results(FILE *out, const struct targets *targets, bool colour)
{
	struct widths widths = measure_columns(targets);

	print_names(out, &widths, "group", "peer", "address");
	fprintf(out, "  %5s  %7s  %5s  %8s  %8s  %8s  %8s\n", "sent", "replies", "loss%",
		"min ms", "mean ms", "max ms", "stddev");
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		const struct stats_run *run = &target->run;
		const char *start = "";

		if (!target_is_measured(target))
			continue;
		if (colour && run->replies == 0)
			start = RED;
		else if (colour && (run->replies < run->requests || run->unsent > 0))
			start = YELLOW;
		fputs(start, out);
		print_target_names(out, &widths, targets, target);
		print_figures(out, target);
		fprintf(out, "%s\n", *start ? RESET : "");
	}
}

/* The strongest evidence says why. */
const char *print_self_reason(const struct target_group *group)
{
	static const struct {
		unsigned evidence;
		const char *one, *several;
	} reasons[] = {
		{SELF_CONFIGURED, "`self` names it", "`self` names several peers"},
		{SELF_FULL_NAME, "it has the full name of this host",
		 "several peers have the full name of this host"},
		{SELF_HOST_NAME, "it has the name of this host",
		 "several peers have the name of this host"},
		{SELF_ADDRESS, "it has an address of this host",
		 "several peers have an address of this host"},
		{SELF_PREVIOUS, "it was this node in the previous run", ""},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (group->self_evidence & reasons[i].evidence)
			return group->self ? reasons[i].one : reasons[i].several;
	return "no peer has the name or an address of this host";
}

void print_peers(FILE *out, const struct targets *targets)
{
	struct widths widths = measure_columns(targets);

	print_names(out, &widths, "group", "peer", "address");
	fprintf(out, "  state\n");
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->state == TARGET_ABSENT)
			continue;
		print_target_names(out, &widths, targets, target);
		fprintf(out, "  %s\n", targets_state_names[target->state]);
	}
	for (size_t i = 0; i < targets->config->group_count; i++) {
		const struct target_group *group = &targets->groups[i];

		fprintf(out, "group %s: this node is %s: %s\n",
			targets->config->groups[i].name,
			group->self ? group->self->name : "not among the peers",
			print_self_reason(group));
	}
}

int print_observers(FILE *out, const struct targets *targets)
{
	const struct config *config = targets->config;
	bool *chosen = calloc(config->peer_count + 1, sizeof(*chosen));

	if (!chosen) {
		log_errx("out of memory");
		return -1;
	}
	/*
	 * Every peer chooses as it would on its own node: the choice follows from the list
	 * alone, so this node can tell who pings whom.
	 */
	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *observer = &config->peers[i];
		const struct group *group = &config->groups[observer->group];

		targets_choose(targets, observer->group, observer, "", chosen);
		for (size_t j = 0; j < group->peer_count; j++)
			if (chosen[j])
				fprintf(out, "%s %s %s\n", group->name, observer->name,
					config->peers[group->first_peer + j].name);
	}
	free(chosen);
	return 0;
}

/* NO_COLOR counts if it is set and not empty, whatever its value (no-color.org). */
bool print_wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(fileno(out)) && (!no_color || !*no_color);
}
