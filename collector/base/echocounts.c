#include "base/echocounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/procfile.h"
#include "base/text.h"

#define BLANKS " \n"

/*
 * Two lines begin with "Icmp:", one with names and one with numbers. Which columns there are
 * depends on the kernel, so a number is found by its name.
 */
static bool find_column(const char *names, const char *numbers, const char *name,
			uint64_t *value)
{
	size_t len = strlen(name);
	char digits[NUMBER_U64_SIZE];

	for (;;) {
		size_t name_len = text_until(names, BLANKS);
		size_t digits_len = text_until(numbers, BLANKS);

		if (name_len == 0 || digits_len == 0 || digits_len >= sizeof(digits))
			return false;
		if (name_len == len && strncmp(names, name, len) == 0) {
			memcpy(digits, numbers, digits_len);
			digits[digits_len] = '\0';
			return number_parse_u64(digits, UINT64_MAX, value);
		}
		names += name_len + (names[name_len] == ' ');
		numbers += digits_len + (numbers[digits_len] == ' ');
	}
}

bool echocounts_parse_snmp(const char *text, uint64_t *received, uint64_t *replied)
{
	static const char head[] = "\nIcmp: ";
	const char *names = strstr(text, head), *numbers;

	numbers = names ? strstr(names + 1, head) : NULL;
	if (!numbers)
		return false;
	names += sizeof(head) - 1;
	numbers += sizeof(head) - 1;
	return find_column(names, numbers, "InEchos", received) &&
	       find_column(names, numbers, "OutEchoReps", replied);
}

bool echocounts_read(struct echo_counts *counts)
{
	static const char snmp6[] = "/proc/self/net/snmp6";
	char content[PROCFILE_SIZE];

	*counts = (struct echo_counts){.received = {0}};
	if (!procfile_load("/proc/self/net/snmp", content) ||
	    !echocounts_parse_snmp(content, &counts->received[0], &counts->replied[0]))
		return false;
	(void)procfile_read(snmp6, "Icmp6InEchos", &counts->received[1]);
	(void)procfile_read(snmp6, "Icmp6OutEchoReplies", &counts->replied[1]);
	return true;
}
