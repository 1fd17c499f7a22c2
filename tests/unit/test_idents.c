/*
 * Idents: no two hosts of a family share one, and a host is found by its own.
 */
#include "support.h"

#include "ping/idents.h"

static void ident_is_reserved_once_in_each_family(void **state)
{
	struct idents idents = {.used = {{0}}};

	(void)state;
	assert_true(idents_reserve(&idents, ADDRESS_IPV4, 0));
	assert_false(idents_reserve(&idents, ADDRESS_IPV4, 0));
	assert_true(idents_reserve(&idents, ADDRESS_IPV6, 0));
	assert_true(idents_reserve(&idents, ADDRESS_IPV4, 0xffff));
	assert_false(idents_reserve(&idents, ADDRESS_IPV4, 0xffff));
	assert_int_equal(idents_count_free(&idents, ADDRESS_IPV4), IDENTS_MAX - 2);
	assert_int_equal(idents_count_free(&idents, ADDRESS_IPV6), IDENTS_MAX - 1);
}

static void all_idents_can_be_reserved(void **state)
{
	static struct idents idents;

	(void)state;
	for (unsigned i = 0; i < IDENTS_MAX; i++)
		assert_true(idents_reserve(&idents, ADDRESS_IPV6, (uint16_t)i));
	assert_int_equal(idents_count_free(&idents, ADDRESS_IPV6), 0);
	assert_int_equal(idents_count_free(&idents, ADDRESS_IPV4), IDENTS_MAX);
}

static void host_is_found_by_ident_and_family(void **state)
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
		cmocka_unit_test(ident_is_reserved_once_in_each_family),
		cmocka_unit_test(all_idents_can_be_reserved),
		cmocka_unit_test(host_is_found_by_ident_and_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
