/*
 * Labels of users: which names are theirs, in what order they are published.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "config/labels.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void reserved_names_are_forbidden(void **state)
{
	static const char *const taken[] = {"group",	"peer", "family", "address",
					    "instance", "job",	"le",	  "quantile"};
	static const char *const free_names[] = {"rack",  "zone", "Group",
						 "peers", "le_",  "host"};

	(void)state;
	for (size_t i = 0; i < COUNT(taken); i++)
		assert_string_equal(labels_forbidden(taken[i]),
				    "reserved by nodecanary or Prometheus");
	for (size_t i = 0; i < COUNT(free_names); i++)
		assert_null(labels_forbidden(free_names[i]));
}

static void names_that_node_exporter_cannot_read_are_forbidden(void **state)
{
	static const char *const malformed[] = {"",    "__x",	   "9x", "a-b",
						"a.b", "\xc3\xa9", "a:b"};

	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++)
		assert_string_equal(
			labels_forbidden(malformed[i]),
			"expected letters, digits and _, not beginning with a digit or __");
}

/* "a=1,b=2" of two lists walked as one. */
static void join(const struct label_list *under, const struct label_list *over,
		 char out[static 256])
{
	struct labels_cursor cursor = {0, 0};
	const struct label *label;
	size_t len = 0;

	out[0] = '\0';
	while ((label = labels_next(under, over, &cursor)) != NULL)
		len += (size_t)snprintf(out + len, 256 - len, "%s%s=%s", len ? "," : "",
					label->name, label->value);
	assert_null(labels_next(under, over, &cursor));
}

static void add(struct label_list *list, const char *name, const char *value)
{
	assert_int_equal(labels_add(list, name, value), LABELS_ADDED);
}

static void a_value_is_a_word_or_stands_in_quotes(void **state)
{
	static const char blanks[] = "blanks in the value, expected label=\"value\"",
			  quotes[] = "unbalanced quotes, expected label=\"value\"",
			  comma[] =
				  "comma after the value, expected blanks between labels";
	static const struct {
		const char *value, *unquoted, *wrong;
	} cases[] = {
		{"", "", NULL},
		{"eu-1a", "eu-1a", NULL},
		{"a,b", "a,b", NULL},
		{"5\"x", "5\"x", NULL},
		{"\"\"", "", NULL},
		{"\"two words\"", "two words", NULL},
		{"\"a,\"", "a,", NULL},
		{"two words", NULL, blanks},
		{"two\twords", NULL, blanks},
		{"eu-1a,", NULL, comma},
		{",", NULL, comma},
		{"\"", NULL, quotes},
		{"x\"", NULL, quotes},
		{"\"x", NULL, quotes},
		{"\"a\"b\"", NULL, quotes},
		{"\"two\" words", NULL, quotes},
	};
	char value[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why;

		snprintf(value, sizeof(value), "%s", cases[i].value);
		why = labels_unquote(value);
		if (cases[i].wrong)
			assert_true(why && strcmp(why, cases[i].wrong) == 0);
		else
			assert_null(why);
		if (!why)
			assert_string_equal(value, cases[i].unquoted);
	}
}

static void labels_are_kept_sorted_by_name(void **state)
{
	struct label_list list = {.items = NULL}, none = {.items = NULL};
	char out[256];

	(void)state;
	add(&list, "m", "1");
	add(&list, "z", "2");
	add(&list, "a", "3");
	add(&list, "mm", "4");
	add(&list, "Z", "5");
	add(&list, "_", "");
	join(&list, &none, out);
	assert_string_equal(out, "Z=5,_=,a=3,m=1,mm=4,z=2");
	join(&none, &list, out);
	assert_string_equal(out, "Z=5,_=,a=3,m=1,mm=4,z=2");
	labels_free(&list);
}

static void a_name_is_added_once(void **state)
{
	struct label_list list = {.items = NULL}, none = {.items = NULL};
	char out[256];

	(void)state;
	add(&list, "a", "1");
	assert_int_equal(labels_add(&list, "a", "2"), LABELS_DUPLICATE);
	join(&list, &none, out);
	assert_string_equal(out, "a=1");
	labels_free(&list);
}

static void the_list_keeps_copies(void **state)
{
	struct label_list list = {.items = NULL};
	char name[] = "a", value[] = "b";

	(void)state;
	add(&list, name, value);
	name[0] = value[0] = '?';
	assert_string_equal(list.items[0].name, "a");
	assert_string_equal(list.items[0].value, "b");
	labels_free(&list);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
	labels_free(&list);
}

static void labels_of_a_peer_stand_over_those_of_its_group(void **state)
{
	struct label_list group = {.items = NULL}, peer = {.items = NULL};
	char out[256];

	(void)state;
	join(&group, &peer, out);
	assert_string_equal(out, "");
	add(&group, "b", "group");
	add(&group, "c", "group");
	add(&group, "e", "group");
	add(&peer, "a", "peer");
	add(&peer, "c", "peer");
	add(&peer, "f", "peer");
	join(&group, &peer, out);
	assert_string_equal(out, "a=peer,b=group,c=peer,e=group,f=peer");
	labels_free(&group);
	labels_free(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_names_are_forbidden),
		cmocka_unit_test(names_that_node_exporter_cannot_read_are_forbidden),
		cmocka_unit_test(labels_are_kept_sorted_by_name),
		cmocka_unit_test(a_value_is_a_word_or_stands_in_quotes),
		cmocka_unit_test(a_name_is_added_once),
		cmocka_unit_test(the_list_keeps_copies),
		cmocka_unit_test(labels_of_a_peer_stand_over_those_of_its_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
