/*
 * One line of a [peers] section: addresses or a host name, then labels.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/peerline.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAYS(text) "nodecanary: f.ini:7: " text "\n"

static void free_peer(struct peer *peer)
{
	free(peer->name);
	free(peer->host);
	labels_free(&peer->labels);
}

/* "v4,v6 host a=1 b=2" */
static void describe(const struct peer *peer, char out[static 512])
{
	char v4[ADDRESS_TEXT_SIZE], v6[ADDRESS_TEXT_SIZE];
	size_t len;

	address_format(&peer->v4, v4);
	address_format(&peer->v6, v6);
	len = (size_t)snprintf(out, 512, "%s%s,%s %s", v4, peer->v4_first ? "!" : "", v6,
			       peer->host ? peer->host : "");
	for (size_t i = 0; i < peer->labels.count; i++)
		len += (size_t)snprintf(out + len, 512 - len, " %s=<%s>",
					peer->labels.items[i].name,
					peer->labels.items[i].value);
}

/* Parses a line of the file; the result is for free_peer(). */
static enum config_result parse(const char *name, const char *value, struct peer *peer,
				char **log)
{
	enum config_result result;

	*peer = (struct peer){.name = strdup(name), .place = {"f.ini", 0, 7}};
	assert_non_null(peer->name);
	support_capture_begin();
	result = peerline_parse(value, peer);
	*log = support_capture_end();
	return result;
}

static void expect(const char *name, const char *value, const char *peer_text)
{
	enum config_result result;
	struct peer peer;
	char out[512], *log;

	result = parse(name, value, &peer, &log);
	describe(&peer, out);
	free_peer(&peer);
	assert_string_equal(log, "");
	free(log);
	assert_int_equal(result, CONFIG_VALID);
	assert_string_equal(out, peer_text);
}

static void expect_error(const char *name, const char *value, const char *wanted)
{
	enum config_result result;
	struct peer peer;
	char *log;

	result = parse(name, value, &peer, &log);
	free_peer(&peer);
	assert_string_equal(log, wanted);
	free(log);
	assert_int_equal(result, CONFIG_INVALID);
}

static void addresses_and_host_names_are_told_apart(void **state)
{
	static const struct {
		const char *name, *value, *peer;
	} cases[] = {
		{"a", "10.0.0.1", "10.0.0.1!, "},
		{"a", "fd00::1", ",fd00::1 "},
		{"a", "10.0.0.1, fd00::1", "10.0.0.1!,fd00::1 "},
		{"a", "fd00::1, 10.0.0.1", "10.0.0.1,fd00::1 "},
		{"a", "10.0.0.1 fd00::1", "10.0.0.1!,fd00::1 "},
		{"a", "10.0.0.1,fd00::1", "10.0.0.1!,fd00::1 "},
		{"a", "10.0.0.1 ,\tfd00::1", "10.0.0.1!,fd00::1 "},
		{"a", "127.0.0.1", "127.0.0.1!, "},
		{"a", "::1", ",::1 "},
		{"a", "b.example.net", ", b.example.net"},
		{"a", "b_c", ", b_c"},
		{"worker3", "", ", worker3"},
		{"worker3", "rack=r7", ", worker3 rack=<r7>"},
		{"10.0.0.1", "", "10.0.0.1!, "},
		{"a", "fe80::1%eth0", ", fe80::1%eth0"},
		{"a", "FE80::1%vlan.7", ", FE80::1%vlan.7"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].name, cases[i].value, cases[i].peer);
}

static void labels_follow_as_in_an_inventory(void **state)
{
	static const struct {
		const char *value, *peer;
	} cases[] = {
		{"10.0.0.1 rack=r7 zone=eu-1b", "10.0.0.1!,  rack=<r7> zone=<eu-1b>"},
		{"10.0.0.1\tzone=a\t rack=b ", "10.0.0.1!,  rack=<b> zone=<a>"},
		{"b rack=", ", b rack=<>"},
		{"b rack=\"\"", ", b rack=<>"},
		{"b note=\"two words\" rack=r7", ", b note=<two words> rack=<r7>"},
		{"b note=\"a=b, c\"", ", b note=<a=b, c>"},
		{"b note=a=b", ", b note=<a=b>"},
		{"b note=\xc3\xa9", ", b note=<\xc3\xa9>"},
		{"b note=a\\b", ", b note=<a\\b>"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect("a", cases[i].value, cases[i].peer);
}

#define NEITHER(word) SAYS("peer `a`: `" word "` is neither an address nor a host name")

static void what_is_no_address_and_no_host_name_is_an_error(void **state)
{
	(void)state;
	expect_error("a", "10.0.0.256", NEITHER("10.0.0.256"));
	expect_error("a", "10.1", NEITHER("10.1"));
	expect_error("a", "0x7f.1", NEITHER("0x7f.1"));
	expect_error("a", "10.0.0.1/24", NEITHER("10.0.0.1/24"));
	expect_error("a", "10.0.0.1:80", NEITHER("10.0.0.1:80"));
	expect_error("a", "010.0.0.1x.7", NEITHER("010.0.0.1x.7"));
	expect_error("a", "[::1]", NEITHER("[::1]"));
	expect_error("a", "fd00:::1", NEITHER("fd00:::1"));
	expect_error("a", "fe80::1%", NEITHER("fe80::1%"));
	expect_error("a", "10.0.0.1%eth0", NEITHER("10.0.0.1%eth0"));
	expect_error("a", "-x", NEITHER("-x"));
	expect_error("a", "x..y", NEITHER("x..y"));
	expect_error("a", "caf\xc3\xa9", NEITHER("caf\xc3\xa9"));
	expect_error("a!", "",
		     SAYS("peer `a!`: `a!` is neither an address nor a host name"));
}

/* The resolver would take them for 127.0.0.1 and 10.0.0.1 without a word. */
static void hexadecimal_addresses_are_an_error(void **state)
{
	(void)state;
	expect_error("a", "0x7f000001", NEITHER("0x7f000001"));
	expect_error("a", "10.0.0.0x1", NEITHER("10.0.0.0x1"));
}

/* A scope on an address that is not link-local means nothing, and differs by node. */
static void a_scope_is_for_link_local_addresses_alone(void **state)
{
	(void)state;
	expect_error("a", "2001:db8::1%lo", NEITHER("2001:db8::1%lo"));
}

static void a_scope_is_the_name_of_an_interface(void **state)
{
	(void)state;
	expect("a", "fe80::1%abcdefghijklmno", ", fe80::1%abcdefghijklmno");
	expect_error("a", "fe80::1%abcdefghijklmnop",
		     NEITHER("fe80::1%abcdefghijklmnop"));
	expect_error("a", "fe80::1%eth/0", NEITHER("fe80::1%eth/0"));
}

#define UNUSABLE(word, why) SAYS("peer `a`: " word " " why)

static void addresses_that_no_single_host_has_are_an_error(void **state)
{
	(void)state;
	expect_error("a", "0.0.0.0", UNUSABLE("0.0.0.0", "is unspecified (0.0.0.0/8)"));
	expect_error("a", "0.1.2.3", UNUSABLE("0.1.2.3", "is unspecified (0.0.0.0/8)"));
	expect_error("a", "::", UNUSABLE("::", "is unspecified (::)"));
	expect_error("a", "224.0.0.1", UNUSABLE("224.0.0.1", "is a multicast address"));
	expect_error("a", "ff02::1", UNUSABLE("ff02::1", "is a multicast address"));
	expect_error("a", "255.255.255.255",
		     UNUSABLE("255.255.255.255", "is the broadcast address"));
	expect_error("a", "::ffff:10.0.0.1",
		     UNUSABLE("::ffff:10.0.0.1", "is an IPv4 address in IPv6 notation"));
	expect_error(
		"a", "fe80::1",
		SAYS("peer `a`: fe80::1 is link-local, expected it with its interface (fe80::1%interface)"));
}

#define BESIDE(word)                                                                     \
	SAYS("peer `a`: `" word "` is one too many, expected one host name, or one "     \
	     "address of each family")

static void a_peer_is_one_host(void **state)
{
	(void)state;
	expect_error("a", "10.0.0.1 10.0.0.2",
		     SAYS("peer `a`: more than one ipv4 address"));
	expect_error("a", "fd00::1, fd00::2",
		     SAYS("peer `a`: more than one ipv6 address"));
	expect_error("a", "b c", BESIDE("c"));
	expect_error("a", "b 10.0.0.1", BESIDE("10.0.0.1"));
	expect_error("a", "10.0.0.1, b", BESIDE("b"));
	expect_error("a", "fe80::1%eth0 fe80::2%eth0", BESIDE("fe80::2%eth0"));
}

#define RESERVED(name)                                                                   \
	SAYS("peer `a`: label `" name "`: reserved by nodecanary or Prometheus")
#define MALFORMED(name)                                                                  \
	SAYS("peer `a`: label `" name                                                    \
	     "`: expected letters, digits and _, not beginning with a digit or __")

static void labels_that_are_not_the_users_are_an_error(void **state)
{
	(void)state;
	expect_error("a", "b le=1", RESERVED("le"));
	expect_error("a", "b instance=x", RESERVED("instance"));
	expect_error("a", "b __x=1", MALFORMED("__x"));
	expect_error("a", "b 7r=1", MALFORMED("7r"));
	expect_error("a", "b a-b=1", MALFORMED("a-b"));
	expect_error("a", "b =1",
		     SAYS("peer `a`: blanks around `=`, expected label=value"));
	expect_error("a", "b rack=1 =1", MALFORMED(""));
	expect_error("a", "b rack=1 rack=2", SAYS("peer `a`: label `rack`: already set"));
}

static void words_after_labels_is_an_error(void **state)
{
	(void)state;
	expect_error("a", "b rack=1 c",
		     SAYS("peer `a`: `c` after the labels, expected label=value"));
	expect_error("a", "b rack=1 10.0.0.1 zone=2",
		     SAYS("peer `a`: `10.0.0.1` after the labels, expected label=value"));
	expect_error("a", "b rack=1 zone = 2",
		     SAYS("peer `a`: `zone` after the labels, expected label=value"));
	expect_error(
		"a", "b note=\"x",
		SAYS("peer `a`: label `note`: unbalanced quotes, expected label=\"value\""));
	expect_error(
		"a", "b note=\"x\"y",
		SAYS("peer `a`: label `note`: unbalanced quotes, expected label=\"value\""));
}

/* A slip of the hand: published as it stands, it would be found in a dashboard. */
static void quotes_that_only_close_are_an_error(void **state)
{
	(void)state;
	expect_error(
		"a", "b note=x\"",
		SAYS("peer `a`: label `note`: unbalanced quotes, expected label=\"value\""));
}

#define COMMA(where) SAYS("peer `a`: comma without an address " where " it")

/* A comma separates two addresses, or is a slip. */
static void a_comma_alone_is_an_error(void **state)
{
	(void)state;
	expect_error("a", ",", COMMA("before"));
	expect_error("a", "10.0.0.1,,fd00::2", COMMA("before"));
	expect_error("a", "10.0.0.1,", COMMA("after"));
	expect_error("a", "10.0.0.1 , rack=1", COMMA("after"));
}

static void all_errors_of_a_line_are_reported(void **state)
{
	(void)state;
	expect_error("a", "10.0.0.256 10.1 le=1 job=2",
		     NEITHER("10.0.0.256") NEITHER("10.1") RESERVED("le")
			     RESERVED("job"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_host_names_are_told_apart),
		cmocka_unit_test(labels_follow_as_in_an_inventory),
		cmocka_unit_test(what_is_no_address_and_no_host_name_is_an_error),
		cmocka_unit_test(hexadecimal_addresses_are_an_error),
		cmocka_unit_test(a_scope_is_for_link_local_addresses_alone),
		cmocka_unit_test(a_scope_is_the_name_of_an_interface),
		cmocka_unit_test(addresses_that_no_single_host_has_are_an_error),
		cmocka_unit_test(a_peer_is_one_host),
		cmocka_unit_test(labels_that_are_not_the_users_are_an_error),
		cmocka_unit_test(words_after_labels_is_an_error),
		cmocka_unit_test(quotes_that_only_close_are_an_error),
		cmocka_unit_test(a_comma_alone_is_an_error),
		cmocka_unit_test(all_errors_of_a_line_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
