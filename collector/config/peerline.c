/*
 *     value  = [host {separator host}] {label}
 *     label  = name "=" [word | quoted]
 *
 * A separator is blanks, or one comma with or without blanks around it. The first word with
 * a `=` begins the labels. Errors do not end the line, unless it is unclear how it goes on.
 */
#include "config/peerline.h"

#include <string.h>

#include "base/text.h"
#include "config/inifile.h"

#define WORD_SIZE (INIFILE_LINE_MAX + 1)

static void copy_word(char word[static WORD_SIZE], const char *text, size_t len)
{
	memcpy(word, text, len);
	word[len] = '\0';
}

/* At most one address of each family; v4_first keeps the order for family = auto. */
static enum config_result add_address(const char *word, const struct address *addr,
				      struct peer *peer)
{
	struct address *slot = addr->family == ADDRESS_IPV4 ? &peer->v4 : &peer->v6;
	const char *why = address_unusable(addr);

	if (why)
		return config_error(peer->place, "peer `%s`: %s %s", peer->name, word,
				    why);
	if (slot->family != ADDRESS_NONE)
		return config_error(peer->place, "peer `%s`: more than one %s address",
				    peer->name, address_family_name(addr->family));
	if (addr->family == ADDRESS_IPV4)
		peer->v4_first = peer->v6.family == ADDRESS_NONE;
	*slot = *addr;
	return CONFIG_VALID;
}

/*
 * Adds an address or a host name. A name that inet_aton() reads as a number, such as 10.1,
 * is neither: the resolver would not look it up. fe80::1%eth0 is kept as a host and resolved
 * with the names: whether the interface exists now says nothing about the configuration.
 */
static enum config_result add_host(const char *word, struct peer *peer)
{
	bool has_address =
		peer->v4.family != ADDRESS_NONE || peer->v6.family != ADDRESS_NONE;
	char interface[IF_NAMESIZE];
	struct address addr;
	bool scoped = address_parse_scoped(word, &addr, interface);
	bool numeric = !scoped && address_parse(word, &addr);
	uint32_t code = text_not_of_name(word);

	if (code)
		return config_error(
			peer->place,
			"peer `%s`: `%s`: U+%04X cannot be in an address or a host name",
			peer->name, word, code);
	if (!scoped && !numeric && !text_is_host_name(word))
		return config_error(
			peer->place,
			"peer `%s`: `%s` is neither an address nor a host name",
			peer->name, word);
	if (peer->host || (has_address && !numeric))
		return config_error(
			peer->place,
			"peer `%s`: `%s` is one too many, expected one host name, or one address of each family",
			peer->name, word);
	if (numeric)
		return add_address(word, &addr, peer);
	peer->host = strdup(word);
	return peer->host ? CONFIG_VALID : CONFIG_NO_MEMORY;
}

/*
 * The next address or host name in `word`; returns what follows it. NULL where the labels
 * begin or the line ends.
 */
static const char *next_host(const char *p, char word[static WORD_SIZE])
{
	size_t len = text_until(p, " \t,");

	if ((len == 0 && *p != ',') || memchr(p, '=', len))
		return NULL;
	copy_word(word, p, len);
	return p + len;
}

/*
 * What is wrong around a host, NULL if nothing is: a comma stands between two hosts, and
 * a label has no blanks around its `=`. Both slips would otherwise change what the next
 * word is taken for.
 */
static const char *check_separator(const char *word, const char *after)
{
	if (!*word)
		return "comma without an address before it";
	after = text_skip_blanks(after);
	if (*after == '=')
		return "blanks around `=`, expected label=value";
	if (*after != ',')
		return NULL;
	after = text_skip_blanks(after + 1);
	return !*after || after[text_until(after, " \t,=")] == '='
		       ? "comma without an address after it"
		       : NULL;
}

/* Adds all hosts of the line; `*rest` is where its labels begin. */
static enum config_result parse_hosts(const char *p, struct peer *peer, const char **rest)
{
	enum config_result result = CONFIG_VALID;
	char word[WORD_SIZE];
	const char *next, *wrong;

	p = text_skip_blanks(p);
	if (!next_host(p, word))
		result = add_host(peer->name, peer);
	while ((next = next_host(p, word)) != NULL) {
		wrong = check_separator(word, next);
		if (wrong) {
			*rest = "";
			return config_error(peer->place, "peer `%s`: %s", peer->name,
					    wrong);
		}
		result = config_worse(result, add_host(word, peer));
		p = text_skip_blanks(next);
		if (*p == ',')
			p = text_skip_blanks(p + 1);
	}
	*rest = p;
	return result;
}

/* A label's value, perhaps in quotes, which it keeps; returns what follows it. */
static const char *next_label_value(const char *p, char value[static WORD_SIZE])
{
	size_t len = text_until(p, " \t");

	if (*p == '"') {
		len = 1 + text_until(p + 1, "\"");
		len += text_until(p + len, " \t");
	}
	copy_word(value, p, len);
	return p + len;
}

static enum config_result parse_labels(const char *p, struct peer *peer)
{
	enum config_result result = CONFIG_VALID;
	char label[WORD_SIZE], value[WORD_SIZE];
	size_t len;

	for (p = text_skip_blanks(p); *p; p = text_skip_blanks(p)) {
		len = text_until(p, "= \t");
		copy_word(label, p, len);
		if (p[len] != '=')
			return config_error(
				peer->place,
				"peer `%s`: `%s` after the labels, expected label=value",
				peer->name, label);
		p = next_label_value(p + len + 1, value);
		result = config_worse(result,
				      config_add_label(peer->place, peer->name,
						       &peer->labels, label, value));
	}
	return result;
}

enum config_result peerline_parse(const char *value, struct peer *peer)
{
	const char *labels;
	enum config_result hosts = parse_hosts(value, peer, &labels);

	return config_worse(hosts, parse_labels(labels, peer));
}
