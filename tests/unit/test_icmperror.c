/*
 * What an ICMP error says, and about which request.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "ping/icmperror.h"

static const struct cookie cookie = {{0x11223344, 0x55667788}};
/* An echo request with ident 0x1234, sequence number 0x0102 and the cookie. */
static const unsigned char request4[] = {8,    0,    0xaa, 0xbb, 0x12, 0x34, 0x01, 0x02,
					 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

/* Parses an error of that type and code, of the family's origin, about `request4`. */
static bool parse(enum address_family family, uint8_t type, uint8_t code, size_t quoted,
		  struct icmperror *error)
{
	unsigned char request[sizeof(request4)];
	struct sock_extended_err ee = {
		.ee_origin =
			family == ADDRESS_IPV4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
		.ee_type = type,
		.ee_code = code,
		.ee_info = 1400,
	};

	memcpy(request, request4, sizeof(request));
	if (family == ADDRESS_IPV6)
		request[0] = ICMP6_ECHO_REQUEST;
	return icmperror_parse(family, &ee, request, quoted, error);
}

static void each_code_has_its_reason(void **state)
{
	static const struct {
		enum address_family family;
		uint8_t type, code;
		const char *reason;
	} cases[] = {
		{ADDRESS_IPV4, 3, 0, "net_unreachable"},
		{ADDRESS_IPV4, 3, 1, "host_unreachable"},
		{ADDRESS_IPV4, 3, 3, "prohibited"},
		{ADDRESS_IPV4, 3, 4, "fragmentation_needed"},
		{ADDRESS_IPV4, 3, 6, "net_unreachable"},
		{ADDRESS_IPV4, 3, 7, "host_unreachable"},
		{ADDRESS_IPV4, 3, 9, "prohibited"},
		{ADDRESS_IPV4, 3, 10, "prohibited"},
		{ADDRESS_IPV4, 3, 11, "net_unreachable"},
		{ADDRESS_IPV4, 3, 12, "host_unreachable"},
		{ADDRESS_IPV4, 3, 13, "prohibited"},
		{ADDRESS_IPV4, 11, 0, "time_exceeded"},
		{ADDRESS_IPV4, 11, 1, "time_exceeded"},
		{ADDRESS_IPV6, 1, 0, "net_unreachable"},
		{ADDRESS_IPV6, 1, 1, "prohibited"},
		{ADDRESS_IPV6, 1, 2, "net_unreachable"},
		{ADDRESS_IPV6, 1, 3, "host_unreachable"},
		{ADDRESS_IPV6, 1, 4, "prohibited"},
		{ADDRESS_IPV6, 1, 5, "prohibited"},
		{ADDRESS_IPV6, 1, 6, "prohibited"},
		{ADDRESS_IPV6, 2, 0, "fragmentation_needed"},
		{ADDRESS_IPV6, 3, 0, "time_exceeded"},
	};
	struct icmperror error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(parse(cases[i].family, cases[i].type, cases[i].code,
				  sizeof(request4), &error));
		assert_string_equal(failure_reason_names[error.reason], cases[i].reason);
		assert_int_equal(error.mtu,
				 error.reason == FAILURE_FRAGMENTATION_NEEDED ? 1400 : 0);
		assert_int_equal(error.ident, 0x1234);
		assert_int_equal(error.sequence, 0x0102);
	}
}

static void other_messages_are_no_errors_about_a_request(void **state)
{
	struct icmperror error;

	(void)state;
	assert_false(parse(ADDRESS_IPV4, ICMP_REDIRECT, 1, sizeof(request4), &error));
	assert_false(
		parse(ADDRESS_IPV4, ICMP_PARAMETERPROB, 0, sizeof(request4), &error));
	assert_false(parse(ADDRESS_IPV6, ICMP6_PARAM_PROB, 0, sizeof(request4), &error));
	/* Too little to tell which request. */
	for (size_t quoted = 0; quoted < 8; quoted++)
		assert_false(parse(ADDRESS_IPV4, 3, 1, quoted, &error));
}

static void an_error_about_a_reply_is_none(void **state)
{
	struct sock_extended_err ee = {.ee_origin = SO_EE_ORIGIN_ICMP,
				       .ee_type = ICMP_DEST_UNREACH};
	unsigned char reply[sizeof(request4)];
	struct icmperror error;

	(void)state;
	memcpy(reply, request4, sizeof(reply));
	reply[0] = ICMP_ECHOREPLY;
	assert_false(icmperror_parse(ADDRESS_IPV4, &ee, reply, sizeof(reply), &error));
}

static void local_errors_need_no_quotation(void **state)
{
	struct sock_extended_err ee = {
		.ee_origin = SO_EE_ORIGIN_LOCAL, .ee_errno = EMSGSIZE, .ee_info = 1500};
	struct icmperror error;

	(void)state;
	assert_true(icmperror_parse(ADDRESS_IPV4, &ee, NULL, 0, &error));
	assert_false(error.has_request);
	assert_int_equal(error.reason, FAILURE_MESSAGE_SIZE);
	assert_int_equal(error.mtu, 1500);
}

static void errors_of_other_origins_are_none(void **state)
{
	struct sock_extended_err ee = {.ee_origin = SO_EE_ORIGIN_TIMESTAMPING};
	struct icmperror error;

	(void)state;
	assert_false(
		icmperror_parse(ADDRESS_IPV4, &ee, request4, sizeof(request4), &error));
}

/* Eight quoted bytes allow ident and sequence number; more must have the cookie. */
static void a_request_is_recognized_by_what_was_quoted(void **state)
{
	struct cookie other = {{0x11223344, 0x55667789}};
	struct icmperror error;
	struct address to;

	(void)state;
	assert_true(address_parse("192.0.2.1", &to));
	for (size_t quoted = 8; quoted <= sizeof(request4); quoted += 8) {
		assert_true(parse(ADDRESS_IPV4, 3, 1, quoted, &error));
		error.to = to;
		assert_true(icmperror_matches(&error, &cookie, &to, 0x1234, 0x0102));
		assert_false(icmperror_matches(&error, &cookie, &to, 0x1235, 0x0102));
		assert_false(icmperror_matches(&error, &cookie, &to, 0x1234, 0x0103));
		assert_int_equal(icmperror_matches(&error, &other, &to, 0x1234, 0x0102),
				 quoted == 8);
		assert_true(address_parse("192.0.2.2", &error.to));
		assert_false(icmperror_matches(&error, &cookie, &to, 0x1234, 0x0102));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_reason),
		cmocka_unit_test(other_messages_are_no_errors_about_a_request),
		cmocka_unit_test(an_error_about_a_reply_is_none),
		cmocka_unit_test(local_errors_need_no_quotation),
		cmocka_unit_test(errors_of_other_origins_are_none),
		cmocka_unit_test(a_request_is_recognized_by_what_was_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
