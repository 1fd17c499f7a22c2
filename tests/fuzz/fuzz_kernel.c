/*
 * What the kernel hands over: an ICMP error, whose quoted bytes come from anybody, and the
 * text of /proc/net/snmp. The first byte chooses the family, the next ones are the error.
 */
#include "base/echocounts.h"
#include "ping/icmperror.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_error(const uint8_t *data, size_t size)
{
	struct sock_extended_err ee = {.ee_errno = 0};
	struct icmperror error = {.is_of_request = false};
	enum address_family family = data[0] % 2 ? ADDRESS_IPV4 : ADDRESS_IPV6;
	unsigned char *quoted;

	if (size < 1 + sizeof(ee))
		return;
	memcpy(&ee, data + 1, sizeof(ee));
	size -= 1 + sizeof(ee);
	/* Of exactly this size, so that a sanitizer sees what is read beyond it. */
	quoted = malloc(size + !size);
	assert(quoted);
	memcpy(quoted, data + 1 + sizeof(ee), size);
	assert(icmperror_parse(family, &ee, quoted, size, &error) == error.is_of_request);
	assert((unsigned)error.reason < FAILURE_REASONS);
	assert(!error.has_cookie || size >= COOKIE_ICMP_HEADER + COOKIE_SIZE);
	assert(!error.has_cookie || error.has_request);
	free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	uint64_t received = 0, replied = 0;

	assert(text);
	(void)echocounts_parse_snmp(text, &received, &replied);
	free(text);
	if (size > 0)
		parse_error(data, size);
	return 0;
}
