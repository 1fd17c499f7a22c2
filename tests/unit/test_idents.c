/*
 * Idents: no two hosts of a family share one, and each leads back to its host.
 */
#include "support.h"

#include "ping/idents.h"

static void an_ident_is_taken_once_a_family(void **state)
{
	struct idents idents = {.used = {{0}}};

	(void)state;
	assert_true(idents_take(&idents, ADDRESS_IPV4, 0));
	assert_false(idents_take(&idents, ADDRESS_IPV4, 0));
	assert_true(idents_take(&idents, ADDRESS_IPV6, 0));
	assert_true(idents_take(&idents, ADDRESS_IPV4, 0xffff));
	assert_false(idents_take(&idents, ADDRESS_IPV4, 0xffff));
	assert_int_equal(idents_free(&idents, ADDRESS_IPV4), IDENTS_MAX - 2);
	assert_int_equal(idents_free(&idents, ADDRESS_IPV6), IDENTS_MAX - 1);
}

static void all_idents_can_be_taken(void **state)
{
	static struct idents idents;

	(void)state;
	for (unsigned i = 0; i < IDENTS_MAX; i++)
		assert_true(idents_take(&idents, ADDRESS_IPV6, (uint16_t)i));
	assert_int_equal(idents_free(&idents, ADDRESS_IPV6), 0);
	assert_int_equal(idents_free(&idents, ADDRESS_IPV4), IDENTS_MAX);
}

static void an_ident_leads_to_its_host(void **state)
{
	struct ident_table table;
	uint32_t host;

	(void)state;
	assert_int_equal(ident_table_init(&table, 3), 0);
	ident_table_add(&table, ADDRESS_IPV4, 700, 0);
	ident_table_add(&table, ADDRESS_IPV6, 7, 1);
	ident_table_add(&table, ADDRESS_IPV4, 7, 2);
	ident_table_sort(&table);
	assert_true(ident_table_find(&table, ADDRESS_IPV4, 700, &host));
	assert_int_equal(host, 0);
	assert_true(ident_table_find(&table, ADDRESS_IPV6, 7, &host));
	assert_int_equal(host, 1);
	assert_true(ident_table_find(&table, ADDRESS_IPV4, 7, &host));
	assert_int_equal(host, 2);
	assert_false(ident_table_find(&table, ADDRESS_IPV6, 700, &host));
	ident_table_free(&table);
	assert_false(ident_table_find(&table, ADDRESS_IPV4, 7, &host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ident_is_taken_once_a_family),
		cmocka_unit_test(all_idents_can_be_taken),
		cmocka_unit_test(an_ident_leads_to_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
