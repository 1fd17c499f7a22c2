/*
 * Sections may come in any order and from any file: [probe] after [probe storage], labels
 * of a group before its peers. So files are read into a draft of each group, and groups are
 * put together when the last file has been read:
 *
 *     load_files      each section and entry goes to on_section() and on_entry()
 *     check_mentions  what only all files together show about groups
 *     build_groups    [probe], overridden by [probe GROUP]
 *     sort_peers      by group and name, whatever the order of the files
 *     configcheck     what only all peers together show
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

/* A group while the files are being read. */
struct draft {
	struct group group; /* with the options of [probe GROUP] alone */
	size_t index;	    /* what its peers have as `group` until all are sorted */
	struct settings settings;
	struct place mention; /* its first [probe] or [labels]; without path: none */
	bool has_peers;
};

enum section { SECTION_COLLECTOR, SECTION_PROBE, SECTION_PEERS, SECTION_LABELS };

/* inih hands over `KIND GROUP` as one name. */
static const struct section_kind {
	const char *kind;
	const char *alone; /* the group of [KIND]; "": no group; NULL: no such section */
	bool takes_group;  /* whether there is [KIND GROUP] */
} sections[] = {
	[SECTION_COLLECTOR] = {"collector", "", false},
	[SECTION_PROBE] = {"probe", "", true},
	[SECTION_PEERS] = {"peers", CONFIG_DEFAULT_GROUP, true},
	[SECTION_LABELS] = {"labels", NULL, true},
};

struct loader {
	struct config *config;
	enum config_result result;
	struct options base; /* [probe] */
	struct settings collector_settings, base_settings;
	struct draft *drafts;
	size_t draft_count;
	size_t peer_room;
	enum section section;
	struct draft *current; /* the group of the section; NULL: it is of no group */
};

static void merge(struct loader *l, enum config_result result)
{
	l->result = config_worse(l->result, result);
}

/*
 * `items` with room for one more, which is zeroed; NULL if there is no memory. Room doubles:
 * there may be 65,536 peers, and growing by one would copy them over and over.
 */
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

/* Makes the group current, as a new one at its first mention. */
static enum config_result find_draft(struct loader *l, struct place place,
				     const char *name)
{
	struct draft *drafts;
	size_t i = 0;

	while (i < l->draft_count && strcmp(l->drafts[i].group.name, name) != 0)
		i++;
	if (i == CONFIG_GROUPS_MAX)
		return config_error(place, "group `%s`: too many groups (at most %d)",
				    name, CONFIG_GROUPS_MAX);
	if (i == l->draft_count) {
		/* This moves the drafts; l->current is set again below. */
		drafts = reallocarray(l->drafts, i + 1, sizeof(*drafts));
		if (!drafts)
			return CONFIG_NO_MEMORY;
		l->drafts = drafts;
		drafts[i] = (struct draft){.index = i, .group.name = strdup(name)};
		if (!drafts[i].group.name)
			return CONFIG_NO_MEMORY;
		l->draft_count++;
	}
	l->current = &l->drafts[i];
	return CONFIG_VALID;
}

static enum config_result enter_group(struct loader *l, struct place place,
				      const char *name)
{
	enum config_result result;

	if (name[text_until(name, BLANKS)])
		return config_error(place, "group `%s`: a name cannot contain blanks",
				    name);
	result = find_draft(l, place, name);
	if (result != CONFIG_VALID)
		return result;
	/* An empty [peers GROUP] is a group, too: a drop-in may add its peers later. */
	if (l->section == SECTION_PEERS)
		l->current->has_peers = true;
	else if (!l->current->mention.path)
		l->current->mention = place;
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
		if (name[len] ? !kind->takes_group || !*group : !kind->alone)
			break;
		if (!name[len])
			group = kind->alone;
		l->section = (enum section)i;
		l->current = NULL;
		return *group ? enter_group(l, place, group) : CONFIG_VALID;
	}
	return config_error(
		place,
		"unknown section [%s], expected [collector], [probe], [probe GROUP], [peers], [peers GROUP] or [labels GROUP]",
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
	struct draft *draft = l->current;
	struct settings *settings = section == OPTIONS_COLLECTOR ? &l->collector_settings
				    : draft			 ? &draft->settings
								 : &l->base_settings;
	int index = options_find(section, key);
	char expected[OPTIONS_EXPECTED_SIZE];
	const struct place *first;

	/* The message lists the keys, so that a misspelt one is put right at once. */
	if (index < 0) {
		options_list(section, expected);
		return config_error(place, "unknown key `%s`, expected one of %s", key,
				    expected);
	}
	if (draft && options_is_fleet_wide((size_t)index))
		return config_error(place,
				    "key `%s`: allowed in [probe], not in [probe %s]",
				    key, draft->group.name);
	first = &settings->places[index];
	if (settings->set >> index & 1)
		return config_error(place, "key `%s`: already set at %s:%u", key,
				    first->path, first->line);
	/* Even if the value is wrong: setting the key again would be a second mistake. */
	settings->set |= UINT32_C(1) << index;
	settings->places[index] = place;
	if (!options_set(section, (size_t)index, value, &l->config->collector,
			 draft ? &draft->group.options : &l->base, expected))
		return config_error(place, "%s = `%s`, expected %s", key, value,
				    expected);
	return CONFIG_VALID;
}

/* A line of [labels GROUP]. */
static enum config_result add_label(struct loader *l, struct place place, const char *key,
				    const char *value)
{
	struct group *group = &l->current->group;
	const char *why = labels_forbidden(key);
	char unquoted[INIFILE_LINE_MAX + 1];

	if (why)
		return config_error(place, "label `%s`: %s", key, why);
	if (group->labels.count == LABELS_GROUP_MAX)
		return config_error(place, "group `%s`: too many labels (at most %d)",
				    group->name, LABELS_GROUP_MAX);
	/* inih's value is not ours to change. */
	if (!text_copy(unquoted, sizeof(unquoted), value) || !labels_unquote(unquoted))
		return config_error(
			place, "label `%s`: unbalanced quotes, expected \"value\"", key);
	switch (labels_add(&group->labels, key, unquoted)) {
	case LABELS_ADDED: return CONFIG_VALID;
	case LABELS_NO_MEMORY: return CONFIG_NO_MEMORY;
	case LABELS_DUPLICATE: break;
	}
	return config_error(place, "label `%s`: already set for group `%s`", key,
			    group->name);
}

/*
 * A line of [peers GROUP]. A name is published as a label, so nearly everything is allowed;
 * blanks are not: they separate the fields of `--list-peers`.
 */
static enum config_result add_peer(struct loader *l, struct place place, const char *name,
				   const char *value)
{
	struct config *config = l->config;
	struct peer *peers, *peer;

	if (name[text_until(name, BLANKS)])
		return config_error(place, "peer `%s`: a name cannot contain blanks",
				    name);
	peers = grow(config->peers, config->peer_count, &l->peer_room, sizeof(*peers));
	if (!peers)
		return CONFIG_NO_MEMORY;
	config->peers = peers;
	/* Counted at once, so that config_free() frees it whatever happens next. */
	peer = &peers[config->peer_count++];
	*peer = (struct peer){
		.group = l->current->index, .place = place, .name = strdup(name)};
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
	size_t size = strlen(head) + strlen(middle) + strlen(tail) + 1;
	char *joined = malloc(size);

	if (joined) {
		size_t len = strlen(head) + strlen(middle);

		text_join(joined, size, head, middle);
		text_copy(joined + len, size - len, tail);
	}
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

	merge(l, load_file(l, join(file, "", "")));
	if (drop_ins)
		load_drop_ins(l, drop_ins, true);
	else if (beside)
		load_drop_ins(l, beside, false);
	else
		merge(l, CONFIG_NO_MEMORY);
	free(beside);
}

/* [probe X] and [labels X] without [peers X] have no effect: X is probably misspelt. */
static void check_mentions(struct loader *l)
{
	for (size_t i = 0; i < l->draft_count; i++) {
		const struct draft *draft = &l->drafts[i];

		if (!draft->has_peers && draft->mention.path)
			merge(l, config_error(
					 draft->mention,
					 "group `%s`: no section [peers %s] in any file",
					 draft->group.name, draft->group.name));
	}
}

static int by_draft_name(const void *a, const void *b)
{
	const struct draft *one = a, *other = b;

	return strcmp(one->group.name, other->group.name);
}

/* Makes config.groups of the drafts, sorted by name, and renumbers the peers' groups. */
static enum config_result build_groups(struct loader *l)
{
	size_t renumbered[CONFIG_GROUPS_MAX];
	struct config *config = l->config;

	config->groups = calloc(l->draft_count + 1, sizeof(*config->groups));
	if (!config->groups)
		return CONFIG_NO_MEMORY;
	/* Sorted, the metrics do not depend on the order of the files. */
	if (l->draft_count > 0)
		qsort(l->drafts, l->draft_count, sizeof(*l->drafts), by_draft_name);
	for (size_t i = 0; i < l->draft_count; i++) {
		const struct draft *draft = &l->drafts[i];
		struct group *group = &config->groups[i];

		*group = draft->group;
		group->options = l->base;
		options_override(&group->options, &draft->group.options,
				 draft->settings.set);
		renumbered[draft->index] = i;
	}
	/* Names and labels belong to the configuration now. */
	config->group_count = l->draft_count;
	l->draft_count = 0;
	for (size_t i = 0; i < config->peer_count; i++)
		config->peers[i].group = renumbered[config->peers[i].group];
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

static void free_drafts(struct loader *l)
{
	for (size_t i = 0; i < l->draft_count; i++) {
		free(l->drafts[i].group.name);
		labels_free(&l->drafts[i].group.labels);
	}
	free(l->drafts);
}

enum config_result configload_read(struct config *config, const char *file,
				   const char *drop_ins)
{
	struct loader l = {.config = config};

	memset(config, 0, sizeof(*config));
	options_defaults(&config->collector, &l.base);
	load_files(&l, file, drop_ins);
	check_mentions(&l);
	/* Without memory peers may lack their names, which sorting needs. */
	if (l.result != CONFIG_NO_MEMORY)
		merge(&l, build_groups(&l));
	if (l.result != CONFIG_NO_MEMORY) {
		sort_peers(config);
		merge(&l, configcheck_peers(config));
	}
	free_drafts(&l);
	if (l.result == CONFIG_NO_MEMORY)
		log_errx("out of memory");
	return l.result;
}
