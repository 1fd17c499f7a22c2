#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

enum { PHASES_MAX = 32, RANGE_MAX = 1 << 20 };
static const double DELAY_MAX_S = 3600;

/* A line under way: its behaviour so far and where it stands, for messages. */
struct line {
	const char *path;
	size_t number;
	struct address first;
	struct address last;
	size_t phase_count;
	struct phase phases[PHASES_MAX];
};

static int complain(const struct line *line, const char *what, const char *where)
{
	fprintf(stderr, "simnet: %s:%zu: %s: '%s'\n", line->path, line->number, what,
		where);
	return -1;
}

/* Values: each parser returns true if the whole text was a value of its kind. */

static bool parse_count(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	char *end = NULL;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

static bool parse_duration(int64_t *out_ns, const char *text)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
	char *end = NULL;
	double value = strtod(text, &end);

	if (*text < '0' || *text > '9')
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		double seconds = value * units[i].seconds;
		if (strcmp(end, units[i].name) == 0 && seconds >= 0 &&
		    seconds <= DELAY_MAX_S) {
			*out_ns = (int64_t)(seconds * 1e9 + 0.5);
			return true;
		}
	}
	return false;
}

static bool parse_percent(uint64_t *out_ppm, const char *text)
{
	char *end = NULL;
	double value = strtod(text, &end);
	if (*text < '0' || *text > '9' || strcmp(end, "%") != 0 ||
	    !(value >= 0 && value <= 100))
		return false;
	*out_ppm = (uint64_t)(value * 1e4 + 0.5);
	return true;
}

static bool parse_fraction(uint64_t *out_part, uint64_t *out_whole, const char *text)
{
	char part[24];
	size_t length = strcspn(text, "/");
	if (text[length] != '/' || length >= sizeof part)
		return false;
	memcpy(part, text, length);
	part[length] = '\0';
	return parse_count(out_whole, text + length + 1, 1, 1000000000) &&
	       parse_count(out_part, part, 0, *out_whole);
}

static bool parse_peer_address(struct address *out, const char *text,
			       const struct line *line)
{
	return address_parse(out, text) && out->family == line->first.family;
}

/* `corrupt` and its like, and with -copy behind it; 0 if the word is none of them. */
static unsigned parse_fault(const char *word, bool *copy)
{
	static const char *const names[] = {"corrupt",	     "wrong-ident", "wrong-seq",
					    "wrong-payload", "truncated",   "oversized",
					    "options",	     "shortened"};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		size_t length = strlen(names[i]);
		if (strncmp(word, names[i], length) != 0)
			continue;
		*copy = strcmp(word + length, "-copy") == 0;
		if (*copy || word[length] == '\0')
			return 1U << i;
	}
	return 0;
}

/* True if the word was understood: one without a value. */
static bool parse_flag(struct phase *phase, const char *word)
{
	bool copy = false;
	unsigned fault = parse_fault(word, &copy);

	if (fault != 0 && copy)
		phase->copies |= fault;
	else if (fault != 0)
		phase->faults |= fault;
	else if (strcmp(word, "silent") == 0)
		phase->silent = true;
	else if (strcmp(word, "unreachable") == 0)
		phase->unreachable = true;
	else
		return strcmp(word, "also") == 0;
	return true;
}

/* True if KEY=VALUE was understood. */
static bool parse_setting(struct line *line, struct phase *phase, const char *key,
			  const char *value)
{
	if (strcmp(key, "delay") == 0)
		return parse_duration(&phase->delay_ns, value);
	if (strcmp(key, "jitter") == 0)
		return parse_duration(&phase->jitter_ns, value);
	if (strcmp(key, "drop") == 0)
		return parse_fraction(&phase->drop, &phase->drop_of, value);
	if (strcmp(key, "loss") == 0)
		return parse_percent(&phase->loss_ppm, value);
	if (strcmp(key, "dup") == 0)
		return parse_count(&phase->duplicates, value, 0, 1000);
	if (strcmp(key, "ttl") == 0)
		return parse_count(&phase->ttl, value, 1, 255);
	if (strcmp(key, "for") == 0)
		return parse_count(&phase->requests, value, 1, UINT32_MAX);
	if (strcmp(key, "from") == 0)
		return parse_peer_address(&phase->from, value, line);
	if (strcmp(key, "foreign-copy") == 0)
		return parse_peer_address(&phase->foreign_copy, value, line);
	return false;
}

static int begin_phase(struct line *line)
{
	if (line->phase_count == PHASES_MAX)
		return complain(line, "too many phases", "then");
	if (line->phase_count > 0 && line->phases[line->phase_count - 1].requests == 0)
		return complain(line, "a phase before 'then' needs for=N", "then");
	line->phases[line->phase_count++] = (struct phase){.ttl = 64};
	return 0;
}

static int parse_word(struct line *line, char *word)
{
	struct phase *phase = &line->phases[line->phase_count - 1];
	char *equals = strchr(word, '=');
	bool understood = false;

	if (strcmp(word, "then") == 0)
		return begin_phase(line);
	if (equals == NULL) {
		understood = parse_flag(phase, word);
	} else {
		*equals = '\0';
		understood = parse_setting(line, phase, word, equals + 1);
		*equals = '=';
	}
	return understood ? 0 : complain(line, "unknown word or bad value", word);
}

static int parse_range(struct line *line, char *word)
{
	char *dash = strchr(word, '-');
	if (dash != NULL)
		*dash = '\0';
	if (!address_parse(&line->first, word))
		return complain(line, "not an address", word);
	line->last = line->first;
	if (dash != NULL && !parse_peer_address(&line->last, dash + 1, line))
		return complain(line, "not an address of the same family", dash + 1);
	if (address_compare(&line->first, &line->last) > 0)
		return complain(line, "the range's end lies before its beginning",
				dash + 1);
	return 0;
}

static struct behaviour *keep_behaviour(struct plan *plan, const struct line *line)
{
	size_t size = line->phase_count * sizeof *line->phases;
	struct behaviour *behaviour = malloc(sizeof *behaviour + size);
	if (behaviour == NULL)
		return NULL;
	behaviour->next = plan->behaviours;
	behaviour->phase_count = line->phase_count;
	memcpy(behaviour->phases, line->phases, size);
	plan->behaviours = behaviour;
	return behaviour;
}

static int apply(const struct line *line, struct peers *peers,
		 const struct behaviour *behaviour)
{
	struct address address = line->first;
	for (size_t n = 0; n < RANGE_MAX; n++) {
		size_t index = peers_obtain(peers, &address);
		if (index == PEERS_NONE)
			return complain(line, "out of memory", "");
		peers_at(peers, index)->behaviour = behaviour;
		if (address_compare(&address, &line->last) == 0)
			return 0;
		address_increment(&address);
	}
	return complain(line, "more than 1048576 addresses in one range", "");
}

static int parse_line(struct plan *plan, struct peers *peers, struct line *line,
		      char *text)
{
	char *rest = NULL;
	text[strcspn(text, "#\r\n")] = '\0';
	char *word = strtok_r(text, " \t", &rest);

	if (word == NULL)
		return 0;
	line->phase_count = 0;
	if (parse_range(line, word) != 0 || begin_phase(line) != 0)
		return -1;
	while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
		if (parse_word(line, word) != 0)
			return -1;
	}
	if (line->phases[line->phase_count - 1].requests != 0)
		return complain(line, "the last phase lasts", "for=");
	struct behaviour *behaviour = keep_behaviour(plan, line);
	if (behaviour == NULL)
		return complain(line, "out of memory", "");
	return apply(line, peers, behaviour);
}

int plan_load(struct plan *plan, struct peers *peers, const char *path)
{
	FILE *in = fopen(path, "re");
	struct line line = {.path = path};
	char *text = NULL;
	size_t size = 0;
	int result = 0;

	if (in == NULL) {
		fprintf(stderr, "simnet: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (result == 0 && getline(&text, &size, in) >= 0) {
		line.number++;
		result = parse_line(plan, peers, &line, text);
	}
	if (ferror(in) != 0)
		result = complain(&line, "read error", strerror(errno));
	free(text);
	if (fclose(in) != 0 && result == 0)
		result = complain(&line, "read error", strerror(errno));
	return result;
}

void plan_free(struct plan *plan)
{
	while (plan->behaviours != NULL) {
		struct behaviour *next = plan->behaviours->next;
		free(plan->behaviours);
		plan->behaviours = next;
	}
}
