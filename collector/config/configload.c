/*
 * Sections may come in any order and from any file: [probe] after [probe storage], labels
 * of a group before its peers. So a group begins with what its own sections say, and is
 * completed when the last file has been read:
 *
 *     load_files        each section and entry goes to on_section() and on_entry()
 *     check_mentions    what only all files together show about groups
 *     complete_groups   what [probe] and [labels] say, below what the group says
 *     sort_peers        by group and name, whatever the order of the files
 *     configcheck       what only all peers together show
 *
 * An error does not end this. It makes the result worse, and the rest is read all the same,
 * so that an administrator sees all mistakes in one go.
 */
#include "config/configload.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/configcheck.h"
#include "config/inifile.h"
#include "config/peerline.h"

#define BLANKS " \t"

/*
 * What a section sets, and where: a key that is set again, in whatever file, is an error
 * that names the first place. Of two values neither is the obvious one.
 */
struct settings {
	option_set set;
	struct place places[OPTIONS_KEYS_MAX];
};

/* What is known of a group only while the files are being read. */
struct draft {
	struct settings settings;
	struct place mention; /* its first [probe] or [labels]; without path: none */
	bool has_peers;
};

enum section { SECTION_COLLECTOR, SECTION_PROBE, SECTION_PEERS, SECTION_LABELS };

/* inih hands over `KIND GROUP` as one name. */
static const struct section_kind {
	const char *kind;
	const char *alone; /* the group of [KIND]; "": it is of no group */
	bool takes_group;  /* whether there is [KIND GROUP] */
} sections[] = {
	[SECTION_COLLECTOR] = {"collector", "", false},
	[SECTION_PROBE] = {"probe", "", true},
	[SECTION_PEERS] = {"peers", CONFIG_DEFAULT_GROUP, true},
	[SECTION_LABELS] = {"labels", "", true},
};

struct loader {
	struct config *config;
	enum config_result result;
	struct settings collector_settings;
	struct group every; /* what holds for every group; it has no name */
	struct draft every_draft;
	struct draft *drafts; /* those of config.groups */
	size_t peer_room;
	enum section section;
	struct group *group; /* what the section is of: a group, or `every` */
	struct draft *draft;
};

static void merge(struct loader *l, enum config_result result)
{
	l->result = config_worse(l->result, result);
}

/* Inserts a group where it belongs by its name. */
static enum config_result insert_group(struct loader *l, size_t at, const char *name)
{
	struct group *groups = l->config->groups;
	size_t after = l->config->group_count - at;
	char *copy = strdup(name);

	if (!copy)
		return CONFIG_NO_MEMORY;
	memmove(groups + at + 1, groups + at, after * sizeof(*groups));
	memmove(l->drafts + at + 1, l->drafts + at, after * sizeof(*l->drafts));
	groups[at] = (struct group){.name = copy};
	l->drafts[at] = (struct draft){.has_peers = false};
	l->config->group_count++;
	for (size_t i = 0; i < l->config->peer_count; i++)
		l->config->peers[i].group += l->config->peers[i].group >= at;
	return CONFIG_VALID;
}

/*
 * Makes the group current, as a new one at its first mention. Groups are kept sorted, so
 * that the metrics do not depend on the order of the files.
 */
static enum config_result find_group(struct loader *l, struct place place,
				     const char *name)
{
	struct config *config = l->config;
	enum config_result result = CONFIG_VALID;
	size_t at = 0;

	while (at < config->group_count && strcmp(config->groups[at].name, name) < 0)
		at++;
	if (at == config->group_count || strcmp(config->groups[at].name, name) != 0) {
		if (config->group_count == CONFIG_GROUPS_MAX)
			return config_error(place,
					    "group `%s`: too many groups (at most %d)",
					    name, CONFIG_GROUPS_MAX);
		result = insert_group(l, at, name);
	}
	l->group = &config->groups[at];
	l->draft = &l->drafts[at];
	return result;
}

/*
 * A name is published as a label, so nearly everything is allowed. Blanks are not: they
 * separate the fields of `--list-peers`. Quotes and commas would be those of another
 * format, and no part of the name that was meant.
 */
static enum config_result check_name(struct place place, const char *kind,
				     const char *name)
{
	uint32_t code = text_not_of_name(name);

	if (code == 0)
		return CONFIG_VALID;
	return config_error(
		place,
		"%s `%s`: U+%04X in the name, expected no blanks, quotes or commas", kind,
		name, code);
}

static enum config_result enter_group(struct loader *l, struct place place,
				      const char *name)
{
	enum config_result result;

	result = check_name(place, "group", name);
	if (result == CONFIG_VALID)
		result = find_group(l, place, name);
	if (result != CONFIG_VALID)
		return result;
	/* An empty [peers GROUP] is a group, too: a drop-in may add its peers later. */
	if (l->section == SECTION_PEERS)
		l->draft->has_peers = true;
	else if (!l->draft->mention.path)
		l->draft->mention = place;
	return CONFIG_VALID;
}

/* "probe storage": the kind, blanks, and perhaps a group. */
static enum config_result enter_section(struct loader *l, struct place place,
					const char *name)
{
	size_t len = text_until(name, BLANKS);
	const char *group = text_skip_blanks(name + len);

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct section_kind *kind = &sections[i];

		if (strlen(kind->kind) != len || memcmp(kind->kind, name, len) != 0)
			continue;
		if (name[len] && (!kind->takes_group || !*group))
			break;
		if (!name[len])
			group = kind->alone;
		l->section = (enum section)i;
		l->group = &l->every;
		l->draft = &l->every_draft;
		return *group ? enter_group(l, place, group) : CONFIG_VALID;
	}
	return config_error(
		place,
		"unknown section [%s], expected [collector], [probe], [probe GROUP], [peers], [peers GROUP], [labels] or [labels GROUP]",
		name);
}

static bool on_section(struct place place, const char *name, void *arg)
{
	enum config_result result = enter_section(arg, place, name);

	merge(arg, result);
	return result == CONFIG_VALID;
}

/* A key of [collector], [probe] or [probe GROUP]. */
static enum config_result add_option(struct loader *l, struct place place,
				     enum options_section section, const char *key,
				     const char *value)
{
	struct settings *settings = section == OPTIONS_COLLECTOR ? &l->collector_settings
								 : &l->draft->settings;
	int index = options_find(section, key);
	char expected[OPTIONS_EXPECTED_SIZE];
	const struct place *first;

	/* The message lists the keys, so that a misspelt one is put right at once. */
	if (index < 0) {
		options_list(section, expected);
		return config_error(place, "unknown key `%s`, expected one of %s", key,
				    expected);
	}
	if (l->group->name && options_is_fleet_wide((size_t)index))
		return config_error(place,
				    "key `%s`: allowed in [probe], not in [probe %s]",
				    key, l->group->name);
	first = &settings->places[index];
	if (settings->set >> index & 1)
		return config_error(place, "key `%s`: already set at %s:%u", key,
				    first->path, first->line);
	/* Even if the value is wrong: setting the key again would be a second mistake. */
	settings->set |= UINT32_C(1) << index;
	settings->places[index] = place;
	if (!options_set(section, (size_t)index, value, &l->config->collector,
			 &l->group->options, expected))
		return config_error(place, "%s = `%s`, expected %s", key, value,
				    expected);
	return CONFIG_VALID;
}

/* A line of [labels] or [labels GROUP]. */
static enum config_result add_label(struct loader *l, struct place place, const char *key,
				    const char *value)
{
	char copy[INIFILE_LINE_MAX + 1]; /* inih's value is not ours to change */

	text_copy(copy, sizeof(copy), value);
	return config_add_label(place, NULL, &l->group->labels, key, copy);
}

/*
 * Makes room for one more. Room doubles: there may be 65,536 peers, and growing by one
 * would copy them over and over.
 */
static bool grow_peers(struct loader *l)
{
	size_t room = l->peer_room ? l->peer_room * 2 : 16;
	struct peer *peers;

	if (l->config->peer_count < l->peer_room)
		return true;
	peers = reallocarray(l->config->peers, room, sizeof(*peers));
	if (!peers)
		return false;
	l->config->peers = peers;
	l->peer_room = room;
	return true;
}

/* A line of [peers GROUP]. */
static enum config_result add_peer(struct loader *l, struct place place, const char *name,
				   const char *value)
{
	struct config *config = l->config;
	struct peer *peer;

	if (check_name(place, "peer", name) != CONFIG_VALID)
		return CONFIG_INVALID;
	if (!grow_peers(l))
		return CONFIG_NO_MEMORY;
	/* Counted at once, so that config_free() frees it whatever happens next. */
	peer = &config->peers[config->peer_count++];
	*peer = (struct peer){.group = (size_t)(l->group - config->groups),
			      .place = place,
			      .name = strdup(name)};
	return peer->name ? peerline_parse(value, peer) : CONFIG_NO_MEMORY;
}

static void on_entry(struct place place, const char *key, const char *value, void *arg)
{
	struct loader *l = arg;

	switch (l->section) {
	case SECTION_COLLECTOR:
		merge(l, add_option(l, place, OPTIONS_COLLECTOR, key, value));
		break;
	case SECTION_PROBE:
		merge(l, add_option(l, place, OPTIONS_PROBE, key, value));
		break;
	case SECTION_PEERS: merge(l, add_peer(l, place, key, value)); break;
	case SECTION_LABELS: merge(l, add_label(l, place, key, value)); break;
	}
}

/* Three strings as one, to be freed; NULL if there is no memory. */
static char *join(const char *head, const char *middle, const char *tail)
{
	char *joined = malloc(strlen(head) + strlen(middle) + strlen(tail) + 1);

	if (joined)
		stpcpy(stpcpy(stpcpy(joined, head), middle), tail);
	return joined;
}

/* Reads one file. Its path, which may be NULL, belongs to the configuration then. */
static enum config_result load_file(struct loader *l, char *path)
{
	const struct inifile_handler handler = {on_section, on_entry, l};
	struct config *config = l->config;
	struct place place = {.path = path, .file = (uint32_t)config->file_count};
	char **files =
		reallocarray(config->files, config->file_count + 1, sizeof(*files));

	if (files)
		config->files = files;
	if (!files || !path) {
		free(path);
		return CONFIG_NO_MEMORY;
	}
	files[config->file_count++] = path;
	return inifile_read(place, &handler);
}

/* Not what an editor or a package manager leaves: .x.ini, x.ini~, x.ini.dpkg-old. */
static int is_drop_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       strcmp(entry->d_name + len - 4, ".ini") == 0;
}

/* Not alphasort(), which compares by the locale: all nodes must read in the same order. */
static int by_file_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_drop_ins(struct loader *l, const char *directory, bool must_exist)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_drop_in, by_file_name);

	/* Only the default directory may be missing: a named one is probably misspelt. */
	if (count < 0 && (must_exist || errno != ENOENT))
		merge(l, config_error((struct place){.path = directory},
				      "cannot read the directory of drop-ins: %s",
				      strerror(errno)));
	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		merge(l, load_file(l, join(directory, "/", entries[i]->d_name)));
		free(entries[i]);
	}
	free(entries);
}

static void load_files(struct loader *l, const char *file, const char *drop_ins)
{
	char *beside = join(file, ".d", "");

	merge(l, beside ? load_file(l, join(file, "", "")) : CONFIG_NO_MEMORY);
	if (beside)
		load_drop_ins(l, drop_ins ? drop_ins : beside, drop_ins != NULL);
	free(beside);
}

/* [probe X] and [labels X] without [peers X] have no effect: X is probably misspelt. */
static void check_mentions(struct loader *l)
{
	for (size_t i = 0; i < l->config->group_count; i++) {
		const struct draft *draft = &l->drafts[i];
		const char *name = l->config->groups[i].name;

		if (!draft->has_peers && draft->mention.path)
			merge(l, config_error(
					 draft->mention,
					 "group `%s`: no section [peers %s] in any file",
					 name, name));
	}
}

/* What holds for every group, below what the group says itself. */
static enum config_result complete_groups(struct loader *l)
{
	const struct label_list *labels = &l->every.labels;

	for (size_t i = 0; i < l->config->group_count; i++) {
		struct group *group = &l->config->groups[i];
		struct options own = group->options;

		group->options = l->every.options;
		options_override(&group->options, &own, l->drafts[i].settings.set);
		/* A label that the group has keeps its value. */
		for (size_t j = 0; j < labels->count; j++)
			if (labels_add(&group->labels, labels->items[j].name,
				       labels->items[j].value) == LABELS_NO_MEMORY)
				return CONFIG_NO_MEMORY;
	}
	return CONFIG_VALID;
}

static int by_group_and_name(const void *a, const void *b)
{
	const struct peer *one = a, *other = b;

	if (one->group != other->group)
		return one->group < other->group ? -1 : 1;
	return strcmp(one->name, other->name);
}

static void sort_peers(struct config *config)
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

enum config_result configload_read(struct config *config, const char *file,
				   const char *drop_ins)
{
	struct loader l = {.config = config};

	memset(config, 0, sizeof(*config));
	options_defaults(&config->collector, &l.every.options);
	/* Of this the kernel backs only what is used. */
	config->groups = calloc(CONFIG_GROUPS_MAX, sizeof(*config->groups));
	l.drafts = calloc(CONFIG_GROUPS_MAX, sizeof(*l.drafts));
	if (config->groups && l.drafts)
		load_files(&l, file, drop_ins);
	else
		l.result = CONFIG_NO_MEMORY;
	check_mentions(&l);
	/* Without memory peers may lack their names, which sorting needs. */
	if (l.result != CONFIG_NO_MEMORY)
		merge(&l, complete_groups(&l));
	if (l.result != CONFIG_NO_MEMORY) {
		sort_peers(config);
		merge(&l, configcheck_peers(config));
	}
	free(l.drafts);
	labels_free(&l.every.labels);
	config_finish_errors();
	if (l.result == CONFIG_NO_MEMORY)
		log_errx("out of memory");
	return l.result;
}
