/*
 * Main file and drop-ins as one configuration: defaults, overrides, labels, order.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/configload.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static char directory[SUPPORT_PATH_SIZE];

/* Each test works in an empty directory, so that messages have short paths. */
static int begin(void **state)
{
	(void)state;
	support_make_dir(directory);
	return chdir(directory);
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	support_remove_dir(directory);
	return 0;
}

static void put(const char *path, const char *content)
{
	support_write_file(path, content, strlen(content));
}

static enum config_result load(struct config *config, const char *drop_ins, char **log)
{
	enum config_result result;

	support_capture_begin();
	result = configload_read(config, "c.ini", drop_ins);
	*log = support_capture_end();
	return result;
}

static void load_valid(struct config *config, const char *drop_ins)
{
	enum config_result result;
	char *log;

	result = load(config, drop_ins, &log);
	assert_string_equal(log, "");
	assert_int_equal(result, CONFIG_VALID);
	free(log);
}

static void load_invalid(const char *drop_ins, const char *wanted)
{
	enum config_result result;
	struct config config;
	char *log;

	result = load(&config, drop_ins, &log);
	config_free(&config);
	assert_string_equal(log, wanted);
	assert_int_equal(result, CONFIG_INVALID);
	free(log);
}

static const struct peer *peer_of(const struct config *config, const char *group,
				  const char *name)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (strcmp(config->groups[config->peers[i].group].name, group) == 0 &&
		    strcmp(config->peers[i].name, name) == 0)
			return &config->peers[i];
	fail_msg("no peer %s in group %s", name, group);
	return NULL;
}

static const struct group *group_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (strcmp(config->groups[i].name, name) == 0)
			return &config->groups[i];
	fail_msg("no group %s", name);
	return NULL;
}

static void an_empty_file_is_a_fleet_of_defaults(void **state)
{
	struct collector_options collector;
	struct options options;
	struct config config;

	(void)state;
	options_defaults(&collector, &options);
	put("c.ini", "");
	load_valid(&config, NULL);
	assert_int_equal(config.group_count, 0);
	assert_int_equal(config.peer_count, 0);
	assert_int_equal(config.file_count, 1);
	assert_string_equal(config.files[0], "c.ini");
	assert_string_equal(config.collector.textfile, collector.textfile);
	assert_int_equal(config.collector.deadline_ns, collector.deadline_ns);
	assert_memory_equal(&config.collector.buckets, &collector.buckets,
			    sizeof(collector.buckets));
	assert_false(config_has_names(&config));
	config_free(&config);
}

static void a_group_may_have_no_peers(void **state)
{
	struct config config;

	(void)state;
	put("c.ini", "[peers]\n[peers storage]\n[labels storage]\na = b\n");
	load_valid(&config, NULL);
	assert_int_equal(config.group_count, 2);
	assert_int_equal(config.peer_count, 0);
	assert_string_equal(config.groups[0].name, CONFIG_DEFAULT_GROUP);
	assert_int_equal(config.groups[0].peer_count, 0);
	config_free(&config);
}

static void keys_of_the_collector_are_taken(void **state)
{
	struct config config;

	(void)state;
	put("c.ini",
	    "[collector]\ntextfile = /srv/x y.prom\nself = W1\nskip_self = no\n"
	    "deadline = 2.5s\nresolve_timeout = 10ms\nresolve_every = 0\nfsync = no\n"
	    "[probe]\nbuckets = 1ms 2ms\n");
	load_valid(&config, NULL);
	assert_string_equal(config.collector.textfile, "/srv/x y.prom");
	assert_string_equal(config.collector.self, "W1");
	assert_false(config.collector.skip_self || config.collector.fsync);
	assert_int_equal(config.collector.deadline_ns, 2500 * MS);
	assert_int_equal(config.collector.resolve_timeout_ns, 10 * MS);
	assert_int_equal(config.collector.resolve_every_ns, 0);
	assert_int_equal(config.collector.buckets.count, 2);
	config_free(&config);
}

/* [probe] may stand below the groups that it is for. */
static void a_group_has_the_options_of_probe_with_its_own_over_them(void **state)
{
	struct config config;
	const struct options *own, *common;

	(void)state;
	put("c.ini",
	    "[probe storage]\ndscp = af41\ncount = 5\nmembers_only = no\n"
	    "[peers storage]\na = 10.0.0.1\n[peers]\na = 10.0.0.1\n"
	    "[probe]\ncount = 9\ndscp = ef\nttl = 7\nmembers_only = yes\nmark = 0x2a\n");
	load_valid(&config, NULL);
	own = &group_of(&config, "storage")->options;
	common = &group_of(&config, "default")->options;
	assert_int_equal(own->dscp, 34);
	assert_int_equal(own->count, 5);
	assert_int_equal(own->ttl, 7);
	assert_int_equal(own->mark.value, 42);
	assert_int_equal(own->size, 56);
	assert_false(own->members_only);
	assert_int_equal(common->dscp, 46);
	assert_int_equal(common->count, 9);
	assert_int_equal(common->ttl, 7);
	assert_true(common->members_only);
	config_free(&config);
}

static void probe_default_is_for_the_group_without_a_name(void **state)
{
	struct config config;

	(void)state;
	put("c.ini",
	    "[probe default]\ncount = 3\n[labels default]\nx = y\n[peers]\na = 10.0.0.1\n"
	    "[peers default]\nb = 10.0.0.2\n");
	load_valid(&config, NULL);
	assert_int_equal(config.group_count, 1);
	assert_int_equal(config.groups[0].options.count, 3);
	assert_int_equal(config.groups[0].labels.count, 1);
	assert_int_equal(config.groups[0].peer_count, 2);
	config_free(&config);
}

static void drop_ins_are_read_in_lexical_order(void **state)
{
	static const char *const order[] = {"c.ini", "c.ini.d/10-a.ini", "c.ini.d/9.ini",
					    "c.ini.d/B.ini", "c.ini.d/a.ini"};
	struct config config;

	(void)state;
	put("c.ini", "[peers]\nmain = 10.0.0.1\n");
	assert_int_equal(mkdir("c.ini.d", 0755), 0);
	put("c.ini.d/a.ini", "[peers]\na = 10.0.0.2\n");
	put("c.ini.d/B.ini", "[peers]\nb = 10.0.0.3\n");
	put("c.ini.d/9.ini", "");
	put("c.ini.d/10-a.ini", "[probe]\ncount = 3\n[peers storage]\nc = 10.0.0.4\n");
	put("c.ini.d/README", "nothing");
	put("c.ini.d/x.ini~", "nothing");
	put("c.ini.d/.ini", "nothing");
	put("c.ini.d/.hidden.ini", "nothing");
	put("c.ini.d/x.INI", "nothing");
	load_valid(&config, NULL);
	assert_int_equal(config.file_count, COUNT(order));
	for (size_t i = 0; i < COUNT(order); i++)
		assert_string_equal(config.files[i], order[i]);
	assert_int_equal(config.peer_count, 4);
	assert_int_equal(group_of(&config, "default")->options.count, 3);
	assert_int_equal(peer_of(&config, "default", "b")->place.file, 3);
	assert_int_equal(peer_of(&config, "default", "b")->place.line, 2);
	config_free(&config);
}

static void another_directory_of_drop_ins_takes_the_place_of_the_usual_one(void **state)
{
	struct config config;

	(void)state;
	put("c.ini", "");
	assert_int_equal(mkdir("c.ini.d", 0755) | mkdir("other", 0755), 0);
	put("c.ini.d/a.ini", "broken");
	put("other/a.ini", "[peers]\na = 10.0.0.1\n");
	load_valid(&config, "other");
	assert_int_equal(config.peer_count, 1);
	assert_string_equal(config.files[1], "other/a.ini");
	config_free(&config);
}

static void a_directory_of_drop_ins_that_is_asked_for_must_exist(void **state)
{
	(void)state;
	put("c.ini", "");
	load_invalid(
		"other",
		"nodecanary: other: cannot read the directory of drop-ins: No such file or directory\n");
	put("other", "");
	load_invalid(
		"other",
		"nodecanary: other: cannot read the directory of drop-ins: Not a directory\n");
}

static void a_drop_in_that_cannot_be_opened_is_an_error(void **state)
{
	(void)state;
	put("c.ini", "");
	assert_int_equal(mkdir("c.ini.d", 0755) | symlink("gone", "c.ini.d/a.ini") |
				 symlink("/proc/self/mem", "c.ini.d/b.ini"),
			 0);
	load_invalid(NULL,
		     "nodecanary: c.ini.d/a.ini: cannot open: No such file or directory\n"
		     "nodecanary: c.ini.d/b.ini: cannot read: Input/output error\n");
}

static void groups_and_peers_are_sorted_whatever_the_order_of_the_files(void **state)
{
	static const char *const sorted[] = {"a", "a-1", "b", "A", "a", "c"};
	struct config config;

	(void)state;
	put("c.ini",
	    "[peers z]\nc = 10.0.0.1\n[peers B]\na-1 = 10.0.0.1\nb = 10.0.0.2\n"
	    "[peers z]\na = 10.0.0.3\n[peers B]\na = 10.0.0.4\n[peers]\nA = 10.0.0.5\n");
	load_valid(&config, NULL);
	assert_int_equal(config.group_count, 3);
	assert_string_equal(config.groups[0].name, "B");
	assert_string_equal(config.groups[1].name, "default");
	assert_string_equal(config.groups[2].name, "z");
	assert_int_equal(config.groups[0].first_peer, 0);
	assert_int_equal(config.groups[0].peer_count, 3);
	assert_int_equal(config.groups[1].first_peer, 3);
	assert_int_equal(config.groups[2].first_peer, 4);
	assert_int_equal(config.groups[2].peer_count, 2);
	assert_int_equal(config.peer_count, COUNT(sorted));
	for (size_t i = 0; i < COUNT(sorted); i++) {
		assert_string_equal(config.peers[i].name, sorted[i]);
		assert_int_equal(config.peers[i].group, i < 3 ? 0 : i < 4 ? 1 : 2);
	}
	config_free(&config);
}

static void labels_of_a_group_are_merged_over_files(void **state)
{
	struct labels_cursor cursor = {0, 0};
	struct config config;
	const struct group *group;
	const struct peer *peer;
	const struct label *label;
	char out[128] = "";

	(void)state;
	put("c.ini", "[labels storage]\nzone = a\nrow = 1\n[peers storage]\n"
		     "a = 10.0.0.1 zone=b name=\"two words\"\n");
	assert_int_equal(mkdir("c.ini.d", 0755), 0);
	put("c.ini.d/a.ini", "[labels storage]\nowner = \"team x\"\n");
	load_valid(&config, NULL);
	group = group_of(&config, "storage");
	peer = peer_of(&config, "storage", "a");
	while ((label = labels_next(&group->labels, &peer->labels, &cursor)) != NULL) {
		size_t len = strlen(out);

		snprintf(out + len, sizeof(out) - len, "%s=<%s>", label->name,
			 label->value);
	}
	assert_string_equal(out, "name=<two words>owner=<team x>row=<1>zone=<b>");
	config_free(&config);
}

/* labels_of CONFIG GROUP PEER: as they are published. */
static const char *labels_of(const struct config *config, const char *group,
			     const char *peer)
{
	static char out[1024];
	struct labels_cursor cursor = {0, 0};
	const struct label *label;

	out[0] = '\0';
	while ((label = labels_next(&group_of(config, group)->labels,
				    &peer_of(config, group, peer)->labels, &cursor))) {
		size_t len = strlen(out);

		snprintf(out + len, sizeof(out) - len, "%s=%s ", label->name,
			 label->value);
	}
	return out;
}

static void labels_of_every_group_are_below_those_of_a_group_and_a_peer(void **state)
{
	struct config config;

	(void)state;
	put("c.ini", "[peers]\na = 10.0.0.1\n[peers s]\na = 10.0.0.1 zone=peer\n"
		     "b = 10.0.0.2\n[labels s]\nrow = group\n");
	assert_int_equal(mkdir("c.ini.d", 0755), 0);
	put("c.ini.d/a.ini", "[labels]\nrow = all\nzone = all\nsite = \"x y\"\n");
	load_valid(&config, NULL);
	assert_string_equal(labels_of(&config, CONFIG_DEFAULT_GROUP, "a"),
			    "row=all site=x y zone=all ");
	assert_string_equal(labels_of(&config, "s", "a"),
			    "row=group site=x y zone=peer ");
	assert_string_equal(labels_of(&config, "s", "b"), "row=group site=x y zone=all ");
	config_free(&config);
}

/* A group that has all that it may have takes those of every group as well. */
static void no_label_is_lost_where_both_sections_are_full(void **state)
{
	char content[4096] = "[peers g]\na = 10.0.0.1\n";
	struct config config;

	(void)state;
	for (int i = 0; i < 2 * LABELS_MAX; i++) {
		size_t len = strlen(content);

		snprintf(content + len, sizeof(content) - len, "%sl%d = %d\n",
			 i == 0		   ? "[labels]\n"
			 : i == LABELS_MAX ? "[labels g]\n"
					   : "",
			 i, i);
	}
	put("c.ini", content);
	load_valid(&config, NULL);
	assert_int_equal(config.groups[0].labels.count, 2 * LABELS_MAX);
	config_free(&config);
}

static void the_line_of_a_peer_has_room_for_its_labels(void **state)
{
	static const char wanted[] =
		"app_id=edmdm basename=yes fqdn=edmpsdm01.ent.wide.bank.example "
		"frequency=180 grp=cor_edmdm host=edmpsdm01 module=icmp note=two words "
		"owner=network-operations@bank.example probe_timeout=60 "
		"site=frankfurt-am-main type=pingmonitor ";
	struct config config;

	(void)state;
	put("c.ini",
	    "[peers]\nedmdm_ping_edmpsdm01 = edmpsdm01.ent.wide.bank.example "
	    "frequency=180 grp=cor_edmdm host=edmpsdm01 "
	    "fqdn=edmpsdm01.ent.wide.bank.example module=icmp probe_timeout=60 "
	    "type=pingmonitor app_id=edmdm basename=yes note=\"two words\" "
	    "owner=network-operations@bank.example site=frankfurt-am-main ; 12 labels\n");
	load_valid(&config, NULL);
	assert_string_equal(
		labels_of(&config, CONFIG_DEFAULT_GROUP, "edmdm_ping_edmpsdm01"), wanted);
	config_free(&config);
}

/* 30 peers of the wrong family: 20 lines, and how many more there are. */
static void errors_are_limited_where_nobody_asked_for_all(void **state)
{
	char content[4096] = "[probe]\nfamily = ipv6\n[peers]\n", *log, *last;
	struct config config;
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(content + strlen(content), 64, "p%d = 10.0.0.%d\n", i, i + 1);
	put("c.ini", content);
	config_limit_errors(20);
	assert_int_equal(load(&config, NULL, &log), CONFIG_INVALID);
	config_limit_errors(SIZE_MAX);
	config_free(&config);
	for (const char *p = log; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 21);
	last = strstr(log, "nodecanary: and ");
	assert_non_null(last);
	assert_string_equal(last,
			    "nodecanary: and 10 more; `nodecanary --check` prints all\n");
	free(log);
	assert_int_equal(load(&config, NULL, &log), CONFIG_INVALID);
	config_free(&config);
	assert_null(strstr(log, "more"));
	free(log);
}

static void a_group_has_at_most_32_labels(void **state)
{
	char content[1024] = "[peers g]\n[labels g]\n";
	struct config config;

	(void)state;
	for (int i = 0; i < LABELS_MAX; i++) {
		size_t len = strlen(content);

		snprintf(content + len, sizeof(content) - len, "l%d = %d\n", i, i);
	}
	put("c.ini", content);
	load_valid(&config, NULL);
	assert_int_equal(config.groups[0].labels.count, LABELS_MAX);
	config_free(&config);
	snprintf(content + strlen(content), 16, "one_more = x\n");
	put("c.ini", content);
	load_invalid(
		NULL,
		"nodecanary: c.ini:35: label `one_more`: too many labels (at most 32)\n");
}

static void the_same_name_and_address_may_stand_in_two_groups(void **state)
{
	struct config config;

	(void)state;
	put("c.ini",
	    "[peers]\na = 10.0.0.1\n[peers storage]\na = 10.0.0.1\nA2 = 10.0.0.2\n");
	load_valid(&config, NULL);
	assert_int_equal(config.peer_count, 3);
	config_free(&config);
}

static void names_to_look_up_are_seen(void **state)
{
	struct config config;

	(void)state;
	put("c.ini", "[peers]\na = 10.0.0.1\n10.0.0.2 =\n");
	load_valid(&config, NULL);
	assert_false(config_has_names(&config));
	config_free(&config);
	put("c.ini", "[peers]\na = 10.0.0.1\nb =\n");
	load_valid(&config, NULL);
	assert_true(config_has_names(&config));
	assert_string_equal(peer_of(&config, "default", "b")->host, "b");
	config_free(&config);
}

static void sections_may_be_repeated_in_other_files(void **state)
{
	struct config config;

	(void)state;
	put("c.ini", "[probe]\ncount = 3\n[probe]\nttl = 9\n[peers]\na = 10.0.0.1\n");
	assert_int_equal(mkdir("c.ini.d", 0755), 0);
	put("c.ini.d/a.ini", "[probe]\nsize = 99\n[probe default]\ncount = 4\n");
	load_valid(&config, NULL);
	assert_int_equal(config.groups[0].options.ttl, 9);
	assert_int_equal(config.groups[0].options.size, 99);
	assert_int_equal(config.groups[0].options.count, 4);
	config_free(&config);
}

static void one_key_of_two_groups_is_set_twice_without_an_error(void **state)
{
	struct config config;

	(void)state;
	put("c.ini",
	    "[probe a]\ninterval = 1s\n[probe b]\ninterval = 2s\n[probe]\ninterval = 3s\n"
	    "[peers a]\n[peers b]\n[peers c]\n");
	load_valid(&config, NULL);
	assert_int_equal(group_of(&config, "a")->options.interval_ns, 1 * S);
	assert_int_equal(group_of(&config, "b")->options.interval_ns, 2 * S);
	assert_int_equal(group_of(&config, "c")->options.interval_ns, 3 * S);
	config_free(&config);
}

static void errors_of_the_main_file_do_not_hide_those_of_drop_ins(void **state)
{
	(void)state;
	assert_int_equal(mkdir("c.ini.d", 0755), 0);
	put("c.ini.d/a.ini", "[collector]\nfsync = 1\n");
	load_invalid(NULL,
		     "nodecanary: c.ini: cannot open: No such file or directory\n"
		     "nodecanary: c.ini.d/a.ini:2: fsync = `1`, expected yes or no\n");
}

/* Name and address are both there twice, but the mistake is one. */
static void a_repeated_line_is_one_error(void **state)
{
	(void)state;
	put("c.ini", "[peers]\na = 10.0.0.1\na = 10.0.0.1\n");
	load_invalid(
		NULL,
		"nodecanary: c.ini:3: peer `a`: already in group `default` at c.ini:2\n");
}

static void thousands_of_peers_are_read(void **state)
{
	FILE *out = fopen("c.ini", "we");
	struct config config;

	(void)state;
	assert_non_null(out);
	fputs("[peers]\n", out);
	for (int i = 9999; i >= 0; i--)
		fprintf(out, "node%04d = 10.1.%d.%d rack=r%d\n", i, i / 250, i % 250 + 1,
			i % 40);
	assert_int_equal(fclose(out), 0);
	load_valid(&config, NULL);
	assert_int_equal(config.peer_count, 10000);
	for (int i = 0; i < 10000; i += 1111) {
		char name[16];

		snprintf(name, sizeof(name), "node%04d", i);
		assert_string_equal(config.peers[i].name, name);
		assert_int_equal(config.peers[i].place.line, 10001 - i);
	}
	config_free(&config);
}

/* Something of everything, to be damaged. */
static const char whole[] =
	"[collector]\ntextfile = /srv/x.prom ; here\nself = a\ndeadline = 5s\n\n[probe]\n"
	"count = 3\ninterval = 2.5ms\ndscp = ef\nsource = 10.0.0.1, fd00::1\n"
	"buckets = 1ms 2ms 1s\n\n[probe storage]\nfamily = both\nmark = 0x2a\n[labels storage]\n"
	"zone = eu-1a\n[peers]\na = 10.0.0.1 rack=r7 note=\"two words\"\nb =\n"
	"c = c.example.net x=1\n[peers storage]\na = 10.0.0.1, fd00::2\nd = fe80::1%eth0\n";

static size_t damage(char *text, size_t len)
{
	static const char junk[] = "\0\n\r\t [];:=,.#%\"0x\xff\xc3\xa9\x7f-";
	size_t at = (size_t)lrand48() % len;

	switch (lrand48() % 3) {
	case 0: text[at] = junk[(size_t)lrand48() % (sizeof(junk) - 1)]; return len;
	case 1: memmove(text + at, text + at + 1, len - at - 1); return len - 1;
	default: text[at] = text[(size_t)lrand48() % len]; return len;
	}
}

/* No damage may crash the loader, or be refused without a word. */
static void damaged_configurations_are_valid_or_explained(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	char text[sizeof(whole)];

	(void)state;
	print_message("# seed %u\n", seed);
	srand48(seed);
	for (int turn = 0; turn < 3000; turn++) {
		size_t len = sizeof(whole) - 1;
		enum config_result result;
		struct config config;
		char *log;

		memcpy(text, whole, len);
		for (long i = turn ? lrand48() % 4 + 1 : 0; i > 0; i--)
			len = damage(text, len);
		support_write_file("c.ini", text, len);
		result = load(&config, NULL, &log);
		config_free(&config);
		assert_int_equal(result, *log ? CONFIG_INVALID : CONFIG_VALID);
		assert_true(turn > 0 || result == CONFIG_VALID);
		free(log);
	}
}

static void a_group_name_is_one_of_at_most_1024(void **state)
{
	FILE *out = fopen("c.ini", "we");

	(void)state;
	assert_non_null(out);
	for (int i = 0; i <= CONFIG_GROUPS_MAX; i++)
		fprintf(out, "[peers g%d]\n", i);
	fputs("[peers g0]\n", out);
	assert_int_equal(fclose(out), 0);
	load_invalid(
		NULL,
		"nodecanary: c.ini:1025: group `g1024`: too many groups (at most 1024)\n");
}

/* There is no limit of ours, so the kernel's is reported, for the file and its drop-ins. */
static void a_path_that_is_too_long_cannot_be_opened(void **state)
{
	char path[301], wanted[1024], *log;
	struct config config;

	(void)state;
	memset(path, 'x', 300);
	path[300] = '\0';
	snprintf(
		wanted, sizeof(wanted),
		"nodecanary: %s: cannot open: File name too long\nnodecanary: %s.d: cannot read the directory of drop-ins: File name too long\n",
		path, path);
	support_capture_begin();
	assert_int_equal(configload_read(&config, path, NULL), CONFIG_INVALID);
	log = support_capture_end();
	config_free(&config);
	assert_string_equal(log, wanted);
	free(log);
}

static void an_error_names_the_line_if_there_is_one(void **state)
{
	struct place place = {.path = "f.ini", .line = 7};
	char *log;

	(void)state;
	support_capture_begin();
	assert_int_equal(config_error(place, "%s %d", "wrong", 1), CONFIG_INVALID);
	place.line = 0;
	assert_int_equal(config_error(place, "100%% wrong"), CONFIG_INVALID);
	log = support_capture_end();
	assert_string_equal(
		log, "nodecanary: f.ini:7: wrong 1\nnodecanary: f.ini: 100% wrong\n");
	free(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_is_a_fleet_of_defaults),
		TEST(a_group_may_have_no_peers),
		TEST(keys_of_the_collector_are_taken),
		TEST(a_group_has_the_options_of_probe_with_its_own_over_them),
		TEST(probe_default_is_for_the_group_without_a_name),
		TEST(drop_ins_are_read_in_lexical_order),
		TEST(another_directory_of_drop_ins_takes_the_place_of_the_usual_one),
		TEST(a_directory_of_drop_ins_that_is_asked_for_must_exist),
		TEST(a_drop_in_that_cannot_be_opened_is_an_error),
		TEST(groups_and_peers_are_sorted_whatever_the_order_of_the_files),
		TEST(labels_of_a_group_are_merged_over_files),
		TEST(a_group_has_at_most_32_labels),
		TEST(labels_of_every_group_are_below_those_of_a_group_and_a_peer),
		TEST(no_label_is_lost_where_both_sections_are_full),
		TEST(the_line_of_a_peer_has_room_for_its_labels),
		TEST(errors_are_limited_where_nobody_asked_for_all),
		TEST(the_same_name_and_address_may_stand_in_two_groups),
		TEST(names_to_look_up_are_seen),
		TEST(sections_may_be_repeated_in_other_files),
		TEST(one_key_of_two_groups_is_set_twice_without_an_error),
		TEST(errors_of_the_main_file_do_not_hide_those_of_drop_ins),
		TEST(a_repeated_line_is_one_error),
		TEST(thousands_of_peers_are_read),
		TEST(a_group_name_is_one_of_at_most_1024),
		TEST(a_path_that_is_too_long_cannot_be_opened),
		TEST(an_error_names_the_line_if_there_is_one),
		TEST(damaged_configurations_are_valid_or_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
