#include "config/configload.h"

#include <stdlib.h>
#include <string.h>

#include "config/configcheck.h"
#include "config/dropins.h"
#include "config/inifile.h"
#include "base/log.h"
#include "config/peerline.h"
#include "base/text.h"

/* What a section sets, and where. */
struct settings {
	option_set set;
	struct place places[OPTIONS_KEYS_MAX];
};

/* A group while its files are being read. */
struct draft {
	char *name;
	struct options options;
	struct settings settings;
	struct label_list labels;
	struct place mentioned; /* its first [probe] or [labels] */
	bool has_mention, has_peers;
};

enum section {
	SECTION_NONE,
	SECTION_COLLECTOR,
	SECTION_PROBE,
	SECTION_PEERS,
	SECTION_LABELS
};

struct loader {
	struct config *config;
	struct options base; /* [probe] */
	struct settings collector_settings, base_settings;
	struct draft *drafts;
	size_t draft_count;
	size_t peer_room;
	enum section section;
	size_t current; /* the draft of the section, if has_current */
	bool has_current;
	bool no_memory;
};

static struct place here(const struct loader *l, const struct inifile *file)
{
	return (struct place){(uint32_t)(l->config->file_count - 1), file->line};
}

static const char *file_of(const struct loader *l, struct place place)
{
	return l->config->files[place.file];
}

static void out_of_memory(struct loader *l)
{
	if (!l->no_memory)
		log_errx("out of memory");
	l->no_memory = true;
}

/* Room for one more item; NULL if there is none. The new item is zeroed. */
static void *grow(void *items, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	char *moved;

	if (count < *room)
		return items;
	moved = reallocarray(items, more, size);
	if (!moved)
		return NULL;
	memset(moved + count * size, 0, (more - count) * size);
	*room = more;
	return moved;
}

/* Its index; the number of drafts if there is none yet. */
static size_t draft_of(const struct loader *l, const char *name)
{
	size_t i = 0;

	while (i < l->draft_count && strcmp(l->drafts[i].name, name) != 0)
		i++;
	return i;
}

/* The draft of a group, made at its first mention; false without memory. */
static bool find_draft(struct loader *l, const char *name)
{
	struct draft *drafts;
	size_t i = draft_of(l, name);

	if (i == l->draft_count) {
		drafts = reallocarray(l->drafts, i + 1, sizeof(*drafts));
		if (drafts) {
			l->drafts = drafts;
			memset(&drafts[i], 0, sizeof(drafts[i]));
			drafts[i].name = strdup(name);
		}
		if (!drafts || !drafts[i].name)
			return false;
		l->draft_count++;
	}
	l->current = i;
	l->has_current = true;
	return true;
}

/* Enters [KIND GROUP]. */
static void enter_group(struct loader *l, struct inifile *file, enum section section,
			const char *group)
{
	struct draft *draft;

	if (group[text_until(group, " \t")]) {
		inifile_complain(file, "group `%s`: expected a name without blanks",
				 group);
		return;
	}
	if (draft_of(l, group) == CONFIG_GROUPS_MAX) {
		inifile_complain(
			file,
			"group `%s` is one more than %d groups, expected at most so many",
			group, CONFIG_GROUPS_MAX);
		return;
	}
	if (!find_draft(l, group)) {
		out_of_memory(l);
		return;
	}
	draft = &l->drafts[l->current];
	l->section = section;
	if (section == SECTION_PEERS) {
		draft->has_peers = true;
	} else if (!draft->has_mention) {
		draft->has_mention = true;
		draft->mentioned = here(l, file);
	}
}

static void handle_section(struct inifile *file, const char *name, void *arg)
{
	struct loader *l = arg;
	size_t kind = text_until(name, " \t");
	const char *group = name + kind + text_span(name + kind, " \t");

	l->section = SECTION_NONE;
	l->has_current = false;
	if (strcmp(name, "collector") == 0)
		l->section = SECTION_COLLECTOR;
	else if (strcmp(name, "probe") == 0)
		l->section = SECTION_PROBE;
	else if (strcmp(name, "peers") == 0)
		enter_group(l, file, SECTION_PEERS, CONFIG_DEFAULT_GROUP);
	else if (kind == 5 && *group && strncmp(name, "probe", kind) == 0)
		enter_group(l, file, SECTION_PROBE, group);
	else if (kind == 5 && *group && strncmp(name, "peers", kind) == 0)
		enter_group(l, file, SECTION_PEERS, group);
	else if (kind == 6 && *group && strncmp(name, "labels", kind) == 0)
		enter_group(l, file, SECTION_LABELS, group);
	else
		inifile_complain(
			file,
			"unknown section [%s], expected [collector], [probe], [probe GROUP], [peers], [peers GROUP] or [labels GROUP]",
			name);
}

static void handle_option(struct loader *l, struct inifile *file,
			  enum options_section section, const char *key,
			  const char *value)
{
	struct draft *draft = l->has_current ? &l->drafts[l->current] : NULL;
	struct settings *settings = section == OPTIONS_COLLECTOR ? &l->collector_settings
				    : draft			 ? &draft->settings
								 : &l->base_settings;
	int index = options_find(section, key);
	char expected[OPTIONS_EXPECTED_SIZE];

	if (index < 0) {
		options_list(section, expected);
		inifile_complain(file, "unknown key `%s`, expected one of %s", key,
				 expected);
		return;
	}
	if (draft && options_is_fleet_wide((size_t)index)) {
		inifile_complain(file,
				 "key `%s` in [probe %s], expected it in [probe] alone",
				 key, draft->name);
		return;
	}
	if (settings->set >> index & 1) {
		inifile_complain(
			file,
			"key `%s` a second time, expected it once: already set at %s:%u",
			key, file_of(l, settings->places[index]),
			settings->places[index].line);
		return;
	}
	settings->set |= UINT32_C(1) << index;
	settings->places[index] = here(l, file);
	if (!options_set(section, (size_t)index, value, &l->config->collector,
			 draft ? &draft->options : &l->base, expected))
		inifile_complain(file, "%s = `%s`, expected %s", key, value, expected);
}

static void handle_label(struct loader *l, struct inifile *file, const char *key,
			 const char *value)
{
	struct draft *draft = &l->drafts[l->current];
	const char *why = labels_forbidden(key);
	char unquoted[INIFILE_LINE_MAX + 1];

	if (why) {
		inifile_complain(file, "label `%s` %s", key, why);
		return;
	}
	if (draft->labels.count == LABELS_GROUP_MAX) {
		inifile_complain(
			file,
			"group `%s` has more than %d labels, expected at most so many",
			draft->name, LABELS_GROUP_MAX);
		return;
	}
	if (!text_copy(unquoted, sizeof(unquoted), value) || !labels_unquote(unquoted)) {
		inifile_complain(
			file, "unbalanced quotes at label `%s`, expected \"value\"", key);
		return;
	}
	switch (labels_add(&draft->labels, key, unquoted)) {
	case LABELS_ADDED: return;
	case LABELS_NO_MEMORY: out_of_memory(l); return;
	case LABELS_DUPLICATE: break;
	}
	inifile_complain(file, "label `%s` of group `%s` a second time, expected it once",
			 key, draft->name);
}

static void handle_peer(struct loader *l, struct inifile *file, const char *name,
			const char *value)
{
	struct config *config = l->config;
	struct peer *peers, *peer;

	for (const char *p = name; *p; p++) {
		if (text_is_blank(*p)) {
			inifile_complain(
				file, "peer `%s`: expected a name without blanks", name);
			return;
		}
	}
	peers = grow(config->peers, config->peer_count, &l->peer_room, sizeof(*peers));
	if (!peers) {
		out_of_memory(l);
		return;
	}
	config->peers = peers;
	peer = &peers[config->peer_count++];
	*peer = (struct peer){.group = l->current, .place = here(l, file)};
	peer->name = strdup(name);
	if (!peer->name) {
		out_of_memory(l);
		return;
	}
	if (!peerline_parse(file, name, value, peer) && file->errors == 0)
		l->no_memory = true;
}

static void handle_entry(struct inifile *file, const char *key, const char *value,
			 void *arg)
{
	struct loader *l = arg;

	switch (l->section) {
	case SECTION_COLLECTOR:
		handle_option(l, file, OPTIONS_COLLECTOR, key, value);
		break;
	case SECTION_PROBE: handle_option(l, file, OPTIONS_PROBE, key, value); break;
	case SECTION_PEERS: handle_peer(l, file, key, value); break;
	case SECTION_LABELS: handle_label(l, file, key, value); break;
	case SECTION_NONE: break;
	}
}

/* Reads one file; its errors are counted. */
static unsigned load_file(const char *path, void *arg)
{
	struct loader *l = arg;
	const struct inifile_handler handler = {handle_section, handle_entry, l};
	struct config *config = l->config;
	char **files =
		reallocarray(config->files, config->file_count + 1, sizeof(*files));
	char *copy = strdup(path);

	if (files)
		config->files = files;
	if (!files || !copy) {
		free(copy);
		out_of_memory(l);
		return 1;
	}
	files[config->file_count++] = copy;
	l->section = SECTION_NONE;
	return inifile_read(path, &handler);
}

static int by_draft_name(const void *a, const void *b)
{
	const struct draft *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

/* Makes config.groups of the drafts, sorted, and renumbers the peers' groups. */
static bool settle_groups(struct loader *l)
{
	struct config *config = l->config;
	struct draft **order = calloc(l->draft_count + 1, sizeof(*order));
	size_t *renumbered = calloc(l->draft_count + 1, sizeof(*renumbered));
	bool good = false;

	config->groups = calloc(l->draft_count + 1, sizeof(*config->groups));
	if (!order || !renumbered || !config->groups)
		goto out;
	for (size_t i = 0; i < l->draft_count; i++)
		order[i] = &l->drafts[i];
	qsort(order, l->draft_count, sizeof(*order), by_draft_name);
	for (size_t i = 0; i < l->draft_count; i++) {
		struct group *group = &config->groups[i];

		group->name = order[i]->name;
		group->labels = order[i]->labels;
		group->options = l->base;
		options_override(&group->options, &order[i]->options,
				 order[i]->settings.set);
		order[i]->name = NULL;
		order[i]->labels = (struct label_list){.items = NULL};
		renumbered[order[i] - l->drafts] = i;
	}
	config->group_count = l->draft_count;
	for (size_t i = 0; i < config->peer_count; i++)
		config->peers[i].group = renumbered[config->peers[i].group];
	good = true;
out:
	free(order);
	free(renumbered);
	return good;
}

static int by_group_and_name(const void *a, const void *b)
{
	const struct peer *one = a, *other = b;

	if (one->group != other->group)
		return one->group < other->group ? -1 : 1;
	return strcmp(one->name, other->name);
}

static void settle_peers(struct config *config)
{
	if (config->peer_count > 0)
		qsort(config->peers, config->peer_count, sizeof(*config->peers),
		      by_group_and_name);
	for (size_t i = 0; i < config->peer_count; i++) {
		struct group *group = &config->groups[config->peers[i].group];

		if (group->peer_count++ == 0)
			group->first_peer = i;
	}
}

/* [probe X] and [labels X] without [peers X] would be without effect: a slip of the pen.
 */
static unsigned check_mentions(const struct loader *l)
{
	unsigned errors = 0;

	for (size_t i = 0; i < l->draft_count; i++) {
		const struct draft *draft = &l->drafts[i];
		struct inifile file = {.line = draft->mentioned.line};

		if (draft->has_peers || !draft->has_mention)
			continue;
		file.path = file_of(l, draft->mentioned);
		inifile_complain(
			&file,
			"group `%s` has no peers section, expected [peers %s] somewhere",
			draft->name, draft->name);
		errors += file.errors;
	}
	return errors;
}

static void free_drafts(struct loader *l)
{
	for (size_t i = 0; i < l->draft_count; i++) {
		free(l->drafts[i].name);
		labels_free(&l->drafts[i].labels);
	}
	free(l->drafts);
}

enum configload_result configload_read(struct config *config, const char *file,
				       const char *drop_ins)
{
	struct loader l = {.config = config};
	char beside[PATH_MAX];
	unsigned errors;

	memset(config, 0, sizeof(*config));
	options_defaults(&config->collector, &l.base);
	if (!text_join(beside, sizeof(beside), file, ".d")) {
		log_errx("%s: a path that is too long", file);
		return CONFIGLOAD_INVALID;
	}
	errors = load_file(file, &l);
	errors += dropins_each(drop_ins ? drop_ins : beside, drop_ins != NULL, load_file,
			       &l);
	errors += check_mentions(&l);
	if (!l.no_memory && !settle_groups(&l))
		out_of_memory(&l);
	if (!l.no_memory) {
		settle_peers(config);
		errors += configcheck_peers(config, &l.no_memory);
	}
	free_drafts(&l);
	if (l.no_memory)
		return CONFIGLOAD_NO_MEMORY;
	return errors ? CONFIGLOAD_INVALID : CONFIGLOAD_VALID;
}
