/*
 * Which peer a node is: by its configured name, by the names of the host, by its
 * addresses; and none where there are two candidates.
 */
#include "fleet.h"

#include "peers/self.h"

/* This host, without the system: the addresses are separated by blanks. */
static struct self make_self(const char *name, const char *host, const char *qualified,
			     const char *addresses)
{
	static struct address room[8];
	struct self self = {.addresses = room};
	char copy[256], *rest = copy;

	strcpy(self.name, name);
	strcpy(self.host, host);
	strcpy(self.qualified, qualified);
	strcpy(copy, addresses);
	for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
		assert_true(address_parse(word, &room[self.address_count++]));
	return self;
}

/* The name of the peer that this host is in the first group, "" if it is none. */
static void assert_self(const char *ini, const struct self *self, const char *expected)
{
	struct fleet fleet;
	const struct peer *found;

	fleet_load(&fleet, ini);
	assert_int_equal(self_find(self, &fleet.targets), 0);
	found = fleet.targets.groups[0].self;
	assert_string_equal(found ? found->name : "", expected);
	fleet_free(&fleet);
}

static void assert_two_candidates(const char *ini, const struct self *self,
				  const char *const *parts)
{
	struct fleet fleet;
	char *message;
	int result;

	fleet_load(&fleet, ini);
	support_capture_begin();
	result = self_find(self, &fleet.targets);
	message = support_capture_end();
	assert_int_equal(result, -1);
	for (; *parts; parts++)
		if (!strstr(message, *parts))
			fail_msg("`%s` is not in `%s`", *parts, message);
	free(message);
	fleet_free(&fleet);
}

#define WEBS                                                                             \
	"[peers]\n"                                                                      \
	"web.a.example = 10.0.0.1\n"                                                     \
	"web.b.example = 10.0.0.2\n"                                                     \
	"web10 = 10.0.0.3\n"                                                             \
	"db.a.example = db.a.example\n"

static void configured_name_decides_alone(void **state)
{
	struct self self =
		make_self("web10", "web", "web.a.example", "10.0.0.1 10.0.0.2");

	(void)state;
	assert_self(WEBS, &self, "web10");
	self = make_self("WEB10", "", "", "");
	assert_self(WEBS, &self, "web10");
	self = make_self("stranger", "web10", "web.a.example", "10.0.0.1");
	assert_self(WEBS, &self, "");
	/* It is a name, and no first label. */
	self = make_self("db", "", "", "");
	assert_self(WEBS, &self, "");
	assert_self("[peers]\n", &self, "");
}

static void qualified_name_comes_first(void **state)
{
	struct self self = make_self("", "web", "web.b.example", "10.0.0.1");

	(void)state;
	assert_self(WEBS, &self, "web.b.example");
	self = make_self("", "WEB", "Web.B.Example", "");
	assert_self(WEBS, &self, "web.b.example");
	self = make_self("", "web", "web.b.example", "");
	assert_self("[peers]\nweb = 10.0.0.1\nweb.b.example = 10.0.0.2\n", &self,
		    "web.b.example");
}

static void host_name_matches_a_first_label(void **state)
{
	struct self self = make_self("", "db", "", "10.0.0.1");

	(void)state;
	assert_self(WEBS, &self, "db.a.example");
	self = make_self("", "DB", "", "");
	assert_self(WEBS, &self, "db.a.example");
	self = make_self("", "web10", "", "");
	assert_self(WEBS, &self, "web10");
	self = make_self("", "web1", "", "");
	assert_self(WEBS, &self, "");
	self = make_self("", "example", "", "");
	assert_self(WEBS, &self, "");
	self = make_self("", "", "", "");
	assert_self(WEBS, &self, "");
}

static void short_name_matches_the_qualified_name(void **state)
{
	const struct self self = make_self("", "web", "web.c.example", "");

	(void)state;
	assert_self("[peers]\nweb = 10.0.0.1\ndb = 10.0.0.2\n", &self, "web");
	assert_self("[peers]\nweb.c = 10.0.0.1\ndb = 10.0.0.2\n", &self, "web.c");
}

/* Then the addresses decide. */
static void name_that_contradicts_the_qualified_name_is_no_candidate(void **state)
{
	struct self self = make_self("", "web", "web.c.example", "");

	(void)state;
	assert_self(WEBS, &self, "");
	self = make_self("", "web", "web.c.example", "10.0.0.3");
	assert_self(WEBS, &self, "web10");
	self = make_self("", "db", "db.b.example", "10.0.0.2");
	assert_self(WEBS, &self, "web.b.example");
}

static void names_come_before_addresses(void **state)
{
	const struct self self = make_self("", "db", "", "10.0.0.3");

	(void)state;
	assert_self(WEBS, &self, "db.a.example");
}

static void two_candidates_by_name_are_an_error_naming_both(void **state)
{
	static const char *const parts[] = {"fleet.ini:3: ",
					    "`web.b.example`",
					    "`web.a.example`",
					    "fleet.ini:2",
					    "`default`",
					    "self",
					    NULL};
	struct self self = make_self("", "web", "", "10.0.0.1");

	(void)state;
	assert_two_candidates(WEBS, &self, parts);
	assert_two_candidates("[collector]\n[peers]\nweb.b.example = 10.0.0.2\n"
			      "web.a.example = 10.0.0.1\n",
			      &self,
			      (const char *const[]){"`web.a.example`", "`web.b.example`",
						    "fleet.ini:3", "fleet.ini:4", NULL});
}

static void host_name_is_no_better_than_a_first_label(void **state)
{
	const struct self self = make_self("", "web", "", "");

	(void)state;
	assert_two_candidates("[peers]\nweb = 10.0.0.1\nweb.b.example = 10.0.0.2\n",
			      &self,
			      (const char *const[]){"`web`", "`web.b.example`", NULL});
}

static bool is_ambiguous(const char *ini, const struct self *self)
{
	struct fleet fleet;
	bool result;

	fleet_load(&fleet, ini);
	result = self_is_ambiguous(self, &fleet.targets, false);
	fleet_free(&fleet);
	return result;
}

static void qualified_name_is_looked_up_only_where_ambiguous(void **state)
{
	struct self self = make_self("", "web", "", "");

	(void)state;
	assert_true(is_ambiguous(WEBS, &self));
	assert_true(is_ambiguous("[peers a]\nx = 10.0.0.1\n" WEBS, &self));
	assert_false(is_ambiguous("[peers]\nweb.a = 10.0.0.1\n[peers b]\n"
				  "web.b = 10.0.0.2\n",
				  &self));
	self = make_self("", "db", "", "");
	assert_false(is_ambiguous(WEBS, &self));
	self = make_self("", "web", "web.a.example", "");
	assert_false(is_ambiguous(WEBS, &self));
	self = make_self("web10", "web", "", "");
	assert_false(is_ambiguous(WEBS, &self));
	self = make_self("", "", "", "");
	assert_false(is_ambiguous(WEBS, &self));
}

static void an_address_of_either_family_identifies(void **state)
{
	static const char ini[] = "[probe]\nfamily = ipv4\n[peers]\n"
				  "a = 10.0.0.1, fd00::1\nb = 10.0.0.2, fd00::2\n";
	struct self self = make_self("", "x", "", "192.0.2.1 10.0.0.2");

	(void)state;
	assert_self(ini, &self, "b");
	self = make_self("", "x", "x.example", "fd00::1");
	assert_self(ini, &self, "a");
	self = make_self("", "x", "", "192.0.2.1 fd00::9");
	assert_self(ini, &self, "");
	self = make_self("", "x", "", "");
	assert_self(ini, &self, "");
}

static void two_addresses_of_one_peer_are_one_candidate(void **state)
{
	const struct self self = make_self("", "x", "", "10.0.0.1 fd00::1");

	(void)state;
	assert_self("[probe]\nfamily = both\n[peers]\na = 10.0.0.1, fd00::1\n"
		    "b = 10.0.0.2\n",
		    &self, "a");
}

static void two_peers_with_local_addresses_are_an_error_naming_both(void **state)
{
	static const char ini[] = "[peers]\na = 10.0.0.1\nb = 10.0.0.2\nc = fd00::1\n";
	const struct self self = make_self("", "x", "", "fd00::1 10.0.0.1");

	(void)state;
	assert_two_candidates(ini, &self,
			      (const char *const[]){"`a`", "`c`", "address", NULL});
}

static void resolved_address_identifies(void **state)
{
	const struct self self = make_self("", "x", "", "10.0.0.7");
	struct fleet fleet;
	struct target *target;

	(void)state;
	fleet_load(&fleet, WEBS);
	target = fleet_target(&fleet, "default", "db.a.example", "");
	assert_true(address_parse("10.0.0.7", &target->address));
	assert_int_equal(self_find(&self, &fleet.targets), 0);
	assert_ptr_equal(fleet.targets.groups[0].self, target->peer);
	fleet_free(&fleet);
}

static void loopback_identifies_nobody(void **state)
{
	struct self self;

	(void)state;
	assert_int_equal(self_init(&self, ""), 0);
	for (size_t i = 0; i < self.address_count; i++)
		assert_false(address_is_loopback(&self.addresses[i]));
	strcpy(self.host, "x");
	self.qualified[0] = '\0';
	assert_self("[peers]\na = 127.0.0.1\nb = ::1\n", &self, "");
	self_free(&self);
}

static void scope_is_compared_where_it_is_configured(void **state)
{
	struct self self = make_self("", "x", "", "fe80::1");
	struct fleet fleet;
	struct target *target;

	(void)state;
	fleet_load(&fleet, "[peers]\na = fe80::1%lo\n");
	target = &fleet.targets.items[0];
	assert_true(address_parse("fe80::1", &target->address));
	target->address.scope = 2;
	self.addresses[0].scope = 3;
	assert_int_equal(self_find(&self, &fleet.targets), 0);
	assert_null(fleet.targets.groups[0].self);
	self.addresses[0].scope = 2;
	assert_int_equal(self_find(&self, &fleet.targets), 0);
	assert_ptr_equal(fleet.targets.groups[0].self, target->peer);
	fleet_free(&fleet);
}

static void each_group_is_decided_separately(void **state)
{
	static const char ini[] = "[peers a]\nweb = 10.0.0.1\ndb = 10.0.0.2\n"
				  "[peers b]\nx1 = 10.1.0.1\nx2 = 10.1.0.2\n"
				  "[peers c]\ny = 10.2.0.1\n";
	const struct self self = make_self("", "db", "db.example", "10.0.0.2 10.1.0.1");
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, ini);
	assert_int_equal(self_find(&self, &fleet.targets), 0);
	assert_string_equal(fleet.targets.groups[0].self->name, "db");
	assert_string_equal(fleet.targets.groups[1].self->name, "x1");
	assert_null(fleet.targets.groups[2].self);
	fleet_free(&fleet);
}

static void all_ambiguous_groups_are_reported(void **state)
{
	const struct self self = make_self("", "web", "", "");

	(void)state;
	assert_two_candidates("[peers a]\nweb.x = 10.0.0.1\nweb.y = 10.0.0.2\n"
			      "[peers b]\nweb.v = 10.1.0.1\nweb.w = 10.1.0.2\n",
			      &self,
			      (const char *const[]){"`web.x`", "`web.y`", "`web.v`",
						    "`web.w`", "`a`", "`b`", NULL});
}

static void host_name_comes_from_the_system(void **state)
{
	char name[SELF_NAME_SIZE] = "";
	struct self self;

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	assert_int_equal(self_init(&self, "given"), 0);
	assert_string_equal(self.name, "given");
	assert_null(strchr(self.host, '.'));
	assert_memory_equal(self.host, name, strlen(self.host));
	assert_string_equal(self.qualified, strchr(name, '.') ? name : "");
	self_free(&self);
	assert_null(self.addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configured_name_decides_alone),
		cmocka_unit_test(qualified_name_comes_first),
		cmocka_unit_test(host_name_matches_a_first_label),
		cmocka_unit_test(short_name_matches_the_qualified_name),
		cmocka_unit_test(
			name_that_contradicts_the_qualified_name_is_no_candidate),
		cmocka_unit_test(names_come_before_addresses),
		cmocka_unit_test(two_candidates_by_name_are_an_error_naming_both),
		cmocka_unit_test(host_name_is_no_better_than_a_first_label),
		cmocka_unit_test(qualified_name_is_looked_up_only_where_ambiguous),
		cmocka_unit_test(an_address_of_either_family_identifies),
		cmocka_unit_test(two_addresses_of_one_peer_are_one_candidate),
		cmocka_unit_test(two_peers_with_local_addresses_are_an_error_naming_both),
		cmocka_unit_test(resolved_address_identifies),
		cmocka_unit_test(loopback_identifies_nobody),
		cmocka_unit_test(scope_is_compared_where_it_is_configured),
		cmocka_unit_test(each_group_is_decided_separately),
		cmocka_unit_test(all_ambiguous_groups_are_reported),
		cmocka_unit_test(host_name_comes_from_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
