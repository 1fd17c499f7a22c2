/*
 * Which peer a node is: a table of situations, each with what is found and which peers are
 * not to be pinged or are listed wrongly; then what is read from the system.
 */
#include "fleet.h"

#include "peers/self.h"

#define LOCAL_MAX 1100

/* What is known of this host; the addresses are separated by blanks. */
struct host {
	const char *configured, *name, *full_name, *addresses;
};

static struct self make_self(const struct host *host, const struct config *config)
{
	char *copy = strdup(host->addresses ? host->addresses : ""), *rest = copy;
	struct self self = {.addresses = calloc(LOCAL_MAX, sizeof(struct address)),
			    .evidence = calloc(config->peer_count + 1, 1)};

	strcpy(self.name, host->configured ? host->configured : "");
	strcpy(self.host, host->name ? host->name : "");
	strcpy(self.qualified, host->full_name ? host->full_name : "");
	for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
		assert_true(address_parse(word, &self.addresses[self.address_count++]));
	/* As self_init() has them. */
	qsort(self.addresses, self.address_count, sizeof(struct address),
	      (int (*)(const void *, const void *))address_compare);
	free(copy);
	return self;
}

/* The names of the peers of the first group that are marked, "a b"; of each peer once. */
static void list_marked(const struct fleet *fleet, bool conflicts, char out[static 256])
{
	const struct peer *last = NULL;

	out[0] = '\0';
	for (size_t i = 0; i < fleet->targets.count; i++) {
		const struct target *target = &fleet->targets.items[i];

		if (!(conflicts ? target->has_conflict : target->is_local) ||
		    target->peer == last)
			continue;
		last = target->peer;
		if (strlen(out) + strlen(last->name) < 250)
			strcat(strcat(out, *out ? " " : ""), last->name);
	}
}

static const char *name_of(const struct peer *peer)
{
	return peer ? peer->name : "";
}

struct situation {
	const char *what, *ini;
	struct host host;
	const char
		*looked_up;   /* "PEER=ADDRESS", of the first target of the first group */
	const char *previous; /* this node in the previous run */
	const char *self;     /* "" or NULL: none */
	const char *local, *conflicts;
};

static void set_up_situation(struct fleet *fleet, const struct situation *s)
{
	fleet_load(fleet, s->ini);
	if (s->looked_up) {
		size_t len = strcspn(s->looked_up, "=");
		char peer[64] = "";

		memcpy(peer, s->looked_up, len);
		assert_true(address_parse(
			s->looked_up + len + 1,
			&fleet_target(fleet, fleet->config.groups[0].name, peer, "")
				 ->address));
	}
	if (s->previous)
		fleet->targets.groups[0].last_self =
			targets_find_peer(&fleet->targets, 0, s->previous);
}

static void assert_situation(const struct situation *s)
{
	struct fleet fleet;
	struct self self;
	char local[256], conflicts[256];
	const char *found;

	set_up_situation(&fleet, s);
	self = make_self(&s->host, &fleet.config);
	self_find(&self, &fleet.targets, false);
	found = name_of(fleet.targets.groups[0].self);
	list_marked(&fleet, false, local);
	list_marked(&fleet, true, conflicts);
	if (strcmp(found, s->self ? s->self : "") != 0 ||
	    strcmp(local, s->local ? s->local : "") != 0 ||
	    strcmp(conflicts, s->conflicts ? s->conflicts : "") != 0)
		fail_msg("%s: self `%s`, local `%s`, conflicts `%s`", s->what, found,
			 local, conflicts);
	self_free(&self);
	fleet_free(&fleet);
}

static void assert_situations(const struct situation *situations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_situation(&situations[i]);
}

#define ASSERT_ALL(table) assert_situations(table, sizeof(table) / sizeof((table)[0]))

#define MESH "[peers]\nw1 = 10.0.0.1\nw2 = 10.0.0.2\nw3 = 10.0.0.3\n"
#define FULL                                                                             \
	"[peers]\nw1.a.example = 10.0.0.1\nw1.b.example = 10.0.0.2\nw2.a.example = "     \
	"10.0.0.3\n"
#define NAMES "[peers]\nw1.a.example =\nw2.a.example =\n"
#define VIPS "[peers]\nvip-a = 10.9.0.1\nvip-b = 10.9.0.2\nw1 = 10.0.0.1\n"

static void a_node_is_found_by_its_names(void **state)
{
	static const struct situation situations[] = {
		{"host name", MESH, {.name = "w2"}, .self = "w2"},
		{"another case", MESH, {.name = "W2"}, .self = "w2"},
		{"host name of a fully qualified host",
		 MESH,
		 {.name = "w2", .full_name = "w2.a.example"},
		 .self = "w2"},
		{"full name",
		 FULL,
		 {.name = "w1", .full_name = "W1.B.example"},
		 .self = "w1.b.example"},
		{"absolute name (with a dot at its end)",
		 "[peers]\ndb1 = pg1.example.net.\ndb2 = pg2.example.net.\n",
		 {.name = "pg1", .full_name = "pg1.example.net"},
		 .self = "db1"},
		{"full name before host name",
		 "[peers]\nw1 = 10.0.0.1\nw1.b = 10.0.0.2\n",
		 {.name = "w1", .full_name = "w1.b"},
		 .self = "w1.b"},
		{"alias, and a host with the full name (127.0.1.1 in /etc/hosts)",
		 "[peers]\ndb1 = pg1.example.net\ndb2 = pg2.example.net\n",
		 {.name = "pg1", .full_name = "pg1.example.net"},
		 .self = "db1"},
		{"host name as a host",
		 "[peers]\ndb1 = pg1\ndb2 = pg2\n",
		 {.name = "pg1"},
		 .self = "db1"},
		{"beginning of the full name in the list",
		 "[peers]\nw1.b =\n",
		 {.name = "w1", .full_name = "w1.b.example"},
		 .self = NULL},
		{"cloud NAT: the listed address is not local",
		 "[peers]\nw1 = 203.0.113.1\nw2 = 203.0.113.2\n",
		 {.name = "w1", .addresses = "10.0.0.5"},
		 .self = "w1"},
		{"part of a label", MESH, {.name = "w"}, .self = NULL},
		{"in no group",
		 MESH,
		 {.name = "x", .addresses = "10.0.0.9"},
		 .self = NULL},
		{"no peers", "[peers]\n", {.name = "x"}, .self = NULL},
	};

	(void)state;
	ASSERT_ALL(situations);
}

static void a_first_label_is_not_enough(void **state)
{
	static const struct situation situations[] = {
		{"a host of others",
		 "[peers]\nns1.registrar.example = 192.0.2.1\n",
		 {.name = "ns1", .addresses = "10.0.0.1"},
		 .self = NULL},
		{"the same without an address yet",
		 "[peers]\nns1.registrar.example =\n",
		 {.name = "ns1"},
		 .self = NULL},
		{"a full name that contradicts",
		 FULL,
		 {.name = "w2", .full_name = "w2.b.example"},
		 .self = NULL},
		{"two peers with the same first label",
		 FULL,
		 {.name = "w1", .addresses = "192.0.2.1"},
		 .self = NULL},
		{"the address agrees",
		 FULL,
		 {.name = "w1", .addresses = "10.0.0.2"},
		 .self = "w1.b.example"},
		{"a looked-up address agrees",
		 NAMES,
		 {.name = "w1", .addresses = "10.0.0.1"},
		 .looked_up = "w1.a.example=10.0.0.1",
		 .self = "w1.a.example"},
		{"the previous run agreed, and had the full name",
		 "[peers]\nw1 =\nw1.b.example =\n",
		 {.name = "w1"},
		 .previous = "w1.b.example",
		 .self = "w1.b.example"},
		{"the previous run agreed, but a known address is elsewhere",
		 "[peers]\nw1.b.example = 10.0.0.9\nw2.b.example = 10.0.0.8\n[peers z]\nown = 10.0.0.1\n",
		 {.name = "w1", .addresses = "10.0.0.1"},
		 .previous = "w1.b.example",
		 .self = NULL},
		{"the full name of this run goes before that",
		 FULL,
		 {.name = "w1", .full_name = "w1.a.example"},
		 .previous = "w1.b.example",
		 .self = "w1.a.example"},
		{"of two local addresses the one with the label",
		 "[peers]\nvip = 10.9.0.1\nw1.a.example = 10.0.0.1\n",
		 {.name = "w1", .addresses = "10.0.0.1 10.9.0.1"},
		 .self = "w1.a.example",
		 .local = "vip"},
	};

	(void)state;
	ASSERT_ALL(situations);
}

static void a_node_is_found_by_its_address(void **state)
{
	static const struct situation situations[] = {
		{"host with another name",
		 MESH,
		 {.name = "ip-10-0-0-2", .addresses = "172.17.0.1 10.0.0.2"},
		 .self = "w2"},
		{"host named localhost: self_init() leaves no name",
		 "[peers]\nlocalhost = 10.0.0.1\nw2 = 10.0.0.2\n",
		 {.addresses = "10.0.0.2"},
		 .self = "w2"},
		{"the second address of a peer",
		 "[probe]\nfamily = ipv4\n[peers]\na = 10.0.0.1, fd00::1\nb = 10.0.0.2\n",
		 {.addresses = "fd00::1"},
		 .self = "a"},
		{"two addresses of one peer",
		 "[probe]\nfamily = both\n[peers]\na = 10.0.0.1, fd00::1\nb = 10.0.0.2\n",
		 {.addresses = "10.0.0.1 fd00::1"},
		 .self = "a"},
		{"a looked-up address",
		 NAMES,
		 {.name = "x", .addresses = "10.0.0.2"},
		 .looked_up = "w2.a.example=10.0.0.2",
		 .self = "w2.a.example"},
		{"loopback, which every host has",
		 "[peers]\na = 127.0.0.1\nb = ::1\n",
		 {.name = "x", .addresses = "10.0.0.1"},
		 .self = NULL},
	};

	(void)state;
	ASSERT_ALL(situations);
}

static void virtual_addresses_are_nobody(void **state)
{
	static const struct situation situations[] = {
		{"one beside the own address",
		 VIPS,
		 {.name = "w1", .addresses = "10.0.0.1 10.9.0.1"},
		 .self = "w1",
		 .local = "vip-a"},
		{"two beside the own address, which was known before",
		 VIPS,
		 {.name = "x", .addresses = "10.0.0.1 10.9.0.1 10.9.0.2"},
		 .previous = "w1",
		 .self = "w1",
		 .local = "vip-a vip-b"},
		{"two, and the own address is not there yet",
		 VIPS,
		 {.name = "x", .addresses = "10.9.0.1 10.9.0.2"},
		 .previous = "w1",
		 .self = "w1",
		 .local = "vip-a vip-b"},
		{"two, and never anything else",
		 VIPS,
		 {.name = "x", .addresses = "10.9.0.1 10.9.0.2"},
		 .local = "vip-a vip-b"},
		{"two make no list wrong",
		 VIPS,
		 {.name = "w1", .addresses = "10.9.0.1 10.9.0.2 192.0.2.1"},
		 .self = "w1",
		 .local = "vip-a vip-b"},
		{"one that has moved away while the network is up",
		 VIPS "[peers z]\nw1 = 10.0.0.1\n",
		 {.name = "x", .addresses = "10.0.0.1"},
		 .previous = "vip-a",
		 .self = "w1"},
	};

	(void)state;
	ASSERT_ALL(situations);
}

/* In a group of its own, so that nothing else speaks for another peer. */
static void a_virtual_address_that_has_moved_away_is_pinged_again(void **state)
{
	static const struct situation situation = {
		"moved away",
		"[peers a]\nvip-a = 10.9.0.1\nvip-b = 10.9.0.2\n[peers b]\nw1 = 10.0.0.1\n",
		{.name = "x", .addresses = "10.0.0.1"},
		.previous = "vip-a"};

	(void)state;
	assert_situation(&situation);
}

static void the_previous_run_decides_while_the_network_is_not_up(void **state)
{
	static const struct situation situations[] = {
		{"no address yet (DHCP)",
		 MESH,
		 {.name = "x"},
		 .previous = "w2",
		 .self = "w2"},
		{"renamed host", MESH, {.name = "y"}, .previous = "w2", .self = "w2"},
		{"renamed host that has the name of another peer",
		 MESH,
		 {.name = "w3"},
		 .previous = "w2",
		 .self = "w3"},
		{"cloned image: the state of another node",
		 MESH,
		 {.name = "x", .addresses = "10.0.0.3"},
		 .previous = "w2",
		 .self = "w3"},
		{"a peer that is no longer listed",
		 MESH,
		 {.name = "x"},
		 .previous = "w9"},
	};

	(void)state;
	ASSERT_ALL(situations);
}

/* kube-ipvs0 has the addresses of services before eth0 has that of the node. */
static void virtual_addresses_of_another_group_say_nothing_about_the_network(void **state)
{
	static const struct situation situation = {
		"own address missing",
		MESH "[peers services]\na = 10.9.0.1\nb = 10.9.0.2\nc = 10.9.0.3\n",
		{.name = "x", .addresses = "10.9.0.1 10.9.0.2"},
		.previous = "w2",
		.self = "w2",
		.local = "a b"};

	(void)state;
	assert_situation(&situation);
}

static void the_previous_run_is_believed_for_a_bounded_number_of_runs(void **state)
{
	struct fleet fleet;
	struct self self;
	struct target_group *group;

	(void)state;
	fleet_load(&fleet, MESH);
	self = make_self(&(struct host){.name = "x", .addresses = "192.0.2.1"},
			 &fleet.config);
	group = &fleet.targets.groups[0];
	group->last_self = targets_find_peer(&fleet.targets, 0, "w2");
	for (unsigned run = 0; run < SELF_RUNS_KEPT_MAX; run++) {
		self_find(&self, &fleet.targets, false);
		assert_string_equal(name_of(group->self), "w2");
		assert_int_equal(group->next_runs_kept, run + 1);
		group->runs_kept = group->next_runs_kept;
	}
	self_find(&self, &fleet.targets, false);
	assert_null(group->self);
	/* With its address here again it is that peer, and the count begins anew. */
	assert_true(address_parse("10.0.0.2", &self.addresses[0]));
	self_find(&self, &fleet.targets, false);
	assert_string_equal(name_of(group->self), "w2");
	assert_int_equal(group->next_runs_kept, 0);
	self_free(&self);
	fleet_free(&fleet);
}

static void a_wrong_list_is_seen(void **state)
{
	static const struct situation situations[] = {
		{"swapped addresses",
		 "[peers]\nn1 = 10.0.0.2\nn2 = 10.0.0.1\nn3 = 10.0.0.3\n",
		 {.name = "n1", .addresses = "10.0.0.1"},
		 .self = "n2",
		 .conflicts = "n2"},
		{"the same with `self`",
		 "[peers]\nn1 = 10.0.0.2\nn2 = 10.0.0.1\nn3 = 10.0.0.3\n",
		 {.configured = "n1", .addresses = "10.0.0.1"},
		 .self = "n1",
		 .local = "n2",
		 .conflicts = "n2"},
		{"the same in both families",
		 "[probe]\nfamily = both\n[peers]\nn1 = 10.0.0.2, fd00::2\n"
		 "n2 = 10.0.0.1, fd00::1\n",
		 {.name = "n1", .addresses = "10.0.0.1 fd00::1"},
		 .self = "n2",
		 .conflicts = "n2"},
		{"cloned host name",
		 MESH,
		 {.name = "w1", .addresses = "10.0.0.2"},
		 .self = "w2",
		 .conflicts = "w2"},
	};

	(void)state;
	ASSERT_ALL(situations);
}

static void configured_name_goes_before_everything(void **state)
{
	static const struct situation situations[] = {
		{"it names a peer",
		 MESH,
		 {"w3", "w1", "w1.example", "192.0.2.1"},
		 .self = "w3"},
		{"another case", MESH, {.configured = "W3"}, .self = "w3"},
		{"another peer has a local address",
		 VIPS,
		 {.configured = "w1", .addresses = "10.0.0.1 10.9.0.1"},
		 .self = "w1",
		 .local = "vip-a"},
		{"host names count in a group that has no such peer",
		 "[peers a]\nx = 10.0.0.1\n[peers b]\nw1 = 10.0.0.2\n",
		 {.configured = "w1", .name = "x"},
		 .self = "x"},
		{"and in no other",
		 "[peers a]\nw1 = 10.0.0.1\nx = 10.0.0.2\n",
		 {.configured = "w1", .name = "x"},
		 .self = "w1"},
		{"addresses do",
		 "[peers a]\nx = 10.0.0.1\n[peers b]\nw1 = 10.0.0.2\n",
		 {.configured = "w1", .addresses = "10.0.0.1 10.0.0.2"},
		 .self = "x"},
		{"it is misspelt",
		 MESH,
		 {.configured = "wroker1", .name = "w1"},
		 .self = "w1"},
		{"it is misspelt, and nothing else is known",
		 MESH,
		 {.configured = "wroker1", .name = "x"},
		 .self = NULL},
	};

	(void)state;
	ASSERT_ALL(situations);
}

/* kube-ipvs0 has the address of each service on every node. */
static void a_thousand_local_addresses_are_not_pinged_and_no_error(void **state)
{
	char *ini, *addresses;
	size_t size, n;
	FILE *file = open_memstream(&ini, &size), *local = open_memstream(&addresses, &n);
	struct situation situation = {.what = "kube-ipvs0", .self = "w1"};
	struct fleet fleet;
	struct self self;

	(void)state;
	fputs("[peers]\nw1 = 10.0.0.1\n", file);
	fputs("10.0.0.1", local);
	for (unsigned i = 0; i < 1000; i++) {
		fprintf(file, "s%u = 10.96.%u.%u\n", i, i / 250, i % 250);
		fprintf(local, " 10.96.%u.%u", i / 250, i % 250);
	}
	fclose(file);
	fclose(local);
	situation.ini = ini;
	situation.host = (struct host){.name = "w1", .addresses = addresses};
	set_up_situation(&fleet, &situation);
	self = make_self(&situation.host, &fleet.config);
	self_find(&self, &fleet.targets, false);
	targets_select(&fleet.targets, "w1");
	assert_string_equal(name_of(fleet.targets.groups[0].self), "w1");
	assert_int_equal(fleet.targets.groups[0].states[TARGET_UNSELECTED], 1000);
	assert_int_equal(fleet.targets.groups[0].states[TARGET_PROBED], 0);
	assert_true(targets_measure_nobody(&fleet.targets));
	self_free(&self);
	fleet_free(&fleet);
	free(ini);
	free(addresses);
}

/* The decision alone: numbers of enum self_evidence, and the index of the peer. */
static void the_strongest_evidence_decides(void **state)
{
	enum { P = SELF_PREVIOUS, L = SELF_LABEL, A = SELF_ADDRESS, H = SELF_HOST_NAME };
	enum { F = SELF_FULL_NAME, C = SELF_CONFIGURED, E = SELF_ELSEWHERE };
	static const struct {
		unsigned char evidence[3];
		bool keeps_previous;
		size_t peer, misplaced;
	} cases[] = {
		{{0, 0, 0}, true, SIZE_MAX, SIZE_MAX},
		{{H, F, 0}, false, 1, SIZE_MAX},
		{{F, C, A}, false, 1, SIZE_MAX},
		{{A, H, 0}, false, 1, SIZE_MAX},
		{{L, L, 0}, false, SIZE_MAX, SIZE_MAX},
		{{L | P, 0, 0}, false, SIZE_MAX, SIZE_MAX},
		{{H, H, 0}, false, SIZE_MAX, SIZE_MAX},
		{{H, H | A, 0}, false, 1, SIZE_MAX},
		{{H, H | P, 0}, false, 1, SIZE_MAX},
		{{A, A, 0}, false, SIZE_MAX, SIZE_MAX},
		{{A, A | P, 0}, false, 1, SIZE_MAX},
		{{A, A, P | E}, false, 2, SIZE_MAX},
		{{P | E, E, 0}, true, 0, SIZE_MAX},
		{{P | E, E, 0}, false, SIZE_MAX, SIZE_MAX},
		{{P | E, A, 0}, false, 1, SIZE_MAX},
		{{H | E, A, 0}, false, 1, 0},
		{{H | E, A, A}, false, 0, SIZE_MAX},
		{{C | E, A, 0}, false, 0, 0},
		{{H, A, E}, false, 0, SIZE_MAX},
		{{H | E, E, 0}, false, 0, SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct self_decision d = self_decide(cases[i].evidence, 3, SELF_ADDRESS,
						     cases[i].keeps_previous);

		if (d.peer != cases[i].peer || d.misplaced != cases[i].misplaced)
			fail_msg("case %zu: peer %zu, misplaced %zu", i, d.peer,
				 d.misplaced);
	}
}

static void a_guess_takes_a_first_label(void **state)
{
	static const struct situation situation = {
		"guess", NAMES, {.name = "w1", .addresses = "192.0.2.1"}, .self = NULL};
	struct fleet fleet;
	struct self self;

	(void)state;
	set_up_situation(&fleet, &situation);
	self = make_self(&situation.host, &fleet.config);
	self_find(&self, &fleet.targets, true);
	assert_string_equal(name_of(fleet.targets.groups[0].self), "w1.a.example");
	self_find(&self, &fleet.targets, false);
	assert_null(fleet.targets.groups[0].self);
	self_free(&self);
	fleet_free(&fleet);
}

static bool wants_full_name(const char *ini, const struct host *host)
{
	const struct situation situation = {"full name", ini, *host, .self = NULL};
	struct fleet fleet;
	struct self self;
	bool result;

	set_up_situation(&fleet, &situation);
	self = make_self(host, &fleet.config);
	self_find(&self, &fleet.targets, false);
	result = self_wants_full_name(&self, &fleet.targets);
	self_free(&self);
	fleet_free(&fleet);
	return result;
}

static void full_name_is_wanted_where_it_could_decide(void **state)
{
	(void)state;
	assert_true(wants_full_name(FULL, &(struct host){.name = "w1"}));
	assert_true(wants_full_name("[peers]\ndb1 = w1.example\n",
				    &(struct host){.name = "w1"}));
	/* An address has confirmed the peer already. */
	assert_false(wants_full_name(
		FULL, &(struct host){.name = "w1", .addresses = "10.0.0.1"}));
	assert_false(wants_full_name(MESH, &(struct host){.name = "w1"}));
	assert_false(wants_full_name(
		FULL, &(struct host){.name = "w1", .full_name = "w1.c.example"}));
	assert_false(wants_full_name(
		FULL, &(struct host){.configured = "w1.a.example", .name = "w1"}));
	assert_false(wants_full_name(FULL, &(struct host){.name = "x"}));
}

static void only_a_qualified_name_is_a_full_name(void **state)
{
	struct self self = {.name = ""};

	(void)state;
	self_set_full_name(&self, "");
	self_set_full_name(&self, "w1");
	self_set_full_name(&self, "localhost.localdomain");
	assert_string_equal(self.qualified, "");
	self_set_full_name(&self, "w1.example");
	assert_string_equal(self.qualified, "w1.example");
}

/* One message with each of these parts; `is_known` is what self_report() says. */
static void assert_report(const char *ini, const struct host *host, bool is_known,
			  const char *const *parts)
{
	const struct situation situation = {"report", ini, *host, .self = NULL};
	struct fleet fleet;
	struct self self;
	char *message;

	set_up_situation(&fleet, &situation);
	self = make_self(host, &fleet.config);
	self_find(&self, &fleet.targets, false);
	support_capture_begin();
	assert_int_equal(self_report(&self, &fleet.targets), is_known);
	message = support_capture_end();
	support_assert_parts(message, parts);
	free(message);
	self_free(&self);
	fleet_free(&fleet);
}

static void what_is_wrong_is_reported_with_its_names(void **state)
{
	(void)state;
	assert_report(MESH, &(struct host){.configured = "wroker1"}, false,
		      (const char *const[]){"self = `wroker1`", NULL});
	assert_report(MESH, &(struct host){.name = "w1", .addresses = "10.0.0.2"}, true,
		      (const char *const[]){"`default`", "peer `w2` has an address",
					    "which is peer `w1`", NULL});
	assert_report("[peers g]\nw1 = a\nb = w1\n", &(struct host){.name = "w1"}, true,
		      (const char *const[]){"`g`", "several peers", "`self`", NULL});
	assert_report(
		VIPS,
		&(struct host){.name = "x", .addresses = "10.9.0.1 10.9.0.2 192.0.2.1"},
		true, (const char *const[]){NULL});
}

static void each_group_is_decided_separately(void **state)
{
	static const char ini[] = "[peers a]\nweb = 10.0.0.1\ndb = 10.0.0.2\n"
				  "[peers b]\nx1 = 10.1.0.1\nx2 = 10.1.0.2\n"
				  "[peers c]\ny = 10.2.0.1\n"
				  "[peers d]\nv1 = 10.1.0.1\nv2 = 10.0.0.2\n";
	static const struct host host = {.name = "db",
					 .full_name = "db.example",
					 .addresses = "10.0.0.2 10.1.0.1"};
	struct fleet fleet;
	struct self self;

	(void)state;
	fleet_load(&fleet, ini);
	self = make_self(&host, &fleet.config);
	self_find(&self, &fleet.targets, false);
	assert_string_equal(name_of(fleet.targets.groups[0].self), "db");
	assert_string_equal(name_of(fleet.targets.groups[1].self), "x1");
	assert_null(fleet.targets.groups[2].self);
	assert_null(fleet.targets.groups[3].self);
	self_free(&self);
	fleet_free(&fleet);
}

static void scope_is_compared_where_it_is_configured(void **state)
{
	static const struct host host = {.name = "x", .addresses = "fe80::1"};
	struct fleet fleet;
	struct target *target;
	struct self self;

	(void)state;
	fleet_load(&fleet, "[peers]\na =\n");
	target = &fleet.targets.items[0];
	self = make_self(&host, &fleet.config);
	assert_true(address_parse("fe80::1", &target->address));
	target->address.scope = 2;
	self.addresses[0].scope = 3;
	self_find(&self, &fleet.targets, false);
	assert_null(fleet.targets.groups[0].self);
	self.addresses[0].scope = 2;
	self_find(&self, &fleet.targets, false);
	assert_ptr_equal(fleet.targets.groups[0].self, target->peer);
	target->address.scope = 0;
	self_find(&self, &fleet.targets, false);
	assert_ptr_equal(fleet.targets.groups[0].self, target->peer);
	self_free(&self);
	fleet_free(&fleet);
}

static void host_name_and_addresses_come_from_the_system(void **state)
{
	char name[SELF_NAME_SIZE] = "";
	struct config config = {.collector = {.self = "given"}};
	struct self self;

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	assert_int_equal(self_init(&self, &config), 0);
	assert_string_equal(self.name, "given");
	assert_null(strchr(self.host, '.'));
	if (strncmp(name, "localhost", 9) != 0)
		assert_memory_equal(self.host, name, strlen(self.host));
	for (size_t i = 0; i < self.address_count; i++) {
		assert_false(address_is_loopback(&self.addresses[i]));
		if (i > 0)
			assert_true(address_compare(&self.addresses[i - 1],
						    &self.addresses[i]) <= 0);
	}
	self_free(&self);
	assert_null(self.addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_found_by_its_names),
		cmocka_unit_test(a_first_label_is_not_enough),
		cmocka_unit_test(a_node_is_found_by_its_address),
		cmocka_unit_test(virtual_addresses_are_nobody),
		cmocka_unit_test(a_virtual_address_that_has_moved_away_is_pinged_again),
		cmocka_unit_test(the_previous_run_decides_while_the_network_is_not_up),
		cmocka_unit_test(
			virtual_addresses_of_another_group_say_nothing_about_the_network),
		cmocka_unit_test(
			the_previous_run_is_believed_for_a_bounded_number_of_runs),
		cmocka_unit_test(a_wrong_list_is_seen),
		cmocka_unit_test(configured_name_goes_before_everything),
		cmocka_unit_test(a_thousand_local_addresses_are_not_pinged_and_no_error),
		cmocka_unit_test(the_strongest_evidence_decides),
		cmocka_unit_test(a_guess_takes_a_first_label),
		cmocka_unit_test(full_name_is_wanted_where_it_could_decide),
		cmocka_unit_test(only_a_qualified_name_is_a_full_name),
		cmocka_unit_test(what_is_wrong_is_reported_with_its_names),
		cmocka_unit_test(each_group_is_decided_separately),
		cmocka_unit_test(scope_is_compared_where_it_is_configured),
		cmocka_unit_test(host_name_and_addresses_come_from_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
