#include "config/peerline.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define WORD_SIZE (INIFILE_LINE_MAX + 1)

static bool no_memory(void)
{
	log_errx("out of memory");
	return false;
}

/* fe80::1%eth0: the scope is looked up with the names, as the interface may come and go.
 */
static bool is_scoped_link_local(const char *word)
{
	char bare[WORD_SIZE];
	const char *zone = strchr(word, '%');
	struct address addr;

	if (!zone || zone[1] == '\0' || strlen(zone + 1) >= IF_NAMESIZE ||
	    strchr(zone, '/'))
		return false;
	memcpy(bare, word, (size_t)(zone - word));
	bare[zone - word] = '\0';
	return address_parse(bare, &addr) && addr.family == ADDRESS_IPV6 &&
	       IN6_IS_ADDR_LINKLOCAL(&addr.u.v6);
}

static bool add_address(struct inifile *file, const char *name, const char *word,
			const struct address *addr, struct peer *peer)
{
	struct address *slot = addr->family == ADDRESS_IPV4 ? &peer->v4 : &peer->v6;
	const char *why = address_unusable(addr);

	if (!why && addr->family == ADDRESS_IPV6 && IN6_IS_ADDR_LINKLOCAL(&addr->u.v6))
		why = "is link-local";
	if (why) {
		inifile_complain(
			file, "peer `%s`: %s %s, expected the address of one host%s",
			name, word, why,
			strcmp(why, "is link-local") == 0 ? " (or fe80::1%interface)"
							  : "");
		return false;
	}
	if (slot->family != ADDRESS_NONE) {
		inifile_complain(
			file,
			"peer `%s`: a second %s address, expected at most one of each family",
			name, address_family_name(addr->family));
		return false;
	}
	if (addr->family == ADDRESS_IPV4)
		peer->v4_first = peer->v6.family == ADDRESS_NONE;
	*slot = *addr;
	return true;
}

static bool add_host(struct inifile *file, const char *name, const char *word,
		     struct peer *peer)
{
	struct address addr;

	if (!is_scoped_link_local(word) && address_parse(word, &addr)) {
		if (peer->host)
			goto mixed;
		return add_address(file, name, word, &addr, peer);
	}
	if (!is_scoped_link_local(word) && !text_is_host_name(word)) {
		inifile_complain(
			file,
			"peer `%s`: `%s` is neither an address nor a host name, expected addresses or a host name, then label=value",
			name, word);
		return false;
	}
	if (peer->host || peer->v4.family != ADDRESS_NONE ||
	    peer->v6.family != ADDRESS_NONE)
		goto mixed;
	peer->host = strdup(word);
	return peer->host ? true : no_memory();
mixed:
	inifile_complain(
		file,
		"peer `%s`: `%s` beside another host, expected one host name, or one address of each family",
		name, word);
	return false;
}

static const char *skip_blanks(const char *p)
{
	while (text_is_blank(*p))
		p++;
	return p;
}

/* Behind an address: blanks, or one comma. */
static const char *skip_separator(const char *p)
{
	p = skip_blanks(p);
	return *p == ',' ? skip_blanks(p + 1) : p;
}

/* The next address or host name in `word`; NULL where the labels begin or the line ends.
 */
static const char *next_host(const char *p, char word[static WORD_SIZE])
{
	size_t len = text_until(p, " \t,");

	if ((len == 0 && *p != ',') || memchr(p, '=', len))
		return NULL;
	memcpy(word, p, len);
	word[len] = '\0';
	return p + len;
}

/* A label's value, perhaps in quotes, which it keeps; the end of the line is one, too. */
static const char *next_label_value(const char *p, char value[static WORD_SIZE])
{
	size_t len = text_until(p, " \t");

	if (*p == '"') {
		len = 1 + text_until(p + 1, "\"");
		while (p[len] && !text_is_blank(p[len]))
			len++;
	}
	memcpy(value, p, len);
	value[len] = '\0';
	return p + len;
}

/* What is wrong with a value, NULL if nothing is; takes its quotes off. */
static const char *check_label_value(char *value)
{
	size_t len = strlen(value);

	if (len > 0 && value[0] != '"' && value[len - 1] == ',')
		return "a comma behind";
	return labels_unquote(value) ? NULL : "unbalanced quotes at";
}

static bool add_label(struct inifile *file, const char *name, const char *label,
		      const char *value, struct peer *peer)
{
	const char *why = labels_forbidden(label);

	if (why) {
		inifile_complain(file, "peer `%s`: label `%s` %s", name, label, why);
		return false;
	}
	switch (labels_add(&peer->labels, label, value)) {
	case LABELS_ADDED: return true;
	case LABELS_NO_MEMORY: return no_memory();
	case LABELS_DUPLICATE: break;
	}
	inifile_complain(file, "peer `%s`: label `%s` twice, expected it once", name,
			 label);
	return false;
}

static bool parse_labels(struct inifile *file, const char *name, const char *p,
			 struct peer *peer)
{
	char label[WORD_SIZE], value[WORD_SIZE];
	const char *wrong;
	bool good = true;

	for (p = skip_blanks(p); *p; p = skip_blanks(p)) {
		size_t len = text_until(p, "= \t");

		memcpy(label, p, len);
		label[len] = '\0';
		if (p[len] != '=') {
			inifile_complain(
				file,
				"peer `%s`: `%s` behind the labels, expected label=value",
				name, label);
			return false;
		}
		p = next_label_value(p + len + 1, value);
		wrong = check_label_value(value);
		if (wrong) {
			inifile_complain(
				file,
				"peer `%s`: %s label `%s`, expected label=\"value\" and blanks between labels",
				name, wrong, label);
			return false;
		}
		good &= add_label(file, name, label, value, peer);
	}
	return good;
}

/* A word, and what is behind it: what should not be. */
static const char *check_separator(const char *word, const char *behind)
{
	if (!*word)
		return "a comma without an address before it";
	behind = skip_blanks(behind);
	if (*behind == '=')
		return "blanks around `=`";
	if (*behind != ',')
		return NULL;
	behind = skip_blanks(behind + 1);
	return !*behind || strchr(behind, '=') == behind + text_until(behind, " \t,=")
		       ? "a comma without an address behind it"
		       : NULL;
}

bool peerline_parse(struct inifile *file, const char *name, const char *value,
		    struct peer *peer)
{
	char word[WORD_SIZE];
	const char *next, *wrong;
	bool good = true, any = false;

	value = skip_blanks(value);
	while ((next = next_host(value, word)) != NULL) {
		wrong = check_separator(word, next);
		if (wrong) {
			inifile_complain(
				file,
				"peer `%s`: %s, expected addresses or a host name, then label=value",
				name, wrong);
			return false;
		}
		good &= add_host(file, name, word, peer);
		any = true;
		value = skip_separator(next);
	}
	if (!any)
		good &= add_host(file, name, name, peer);
	return parse_labels(file, name, value, peer) && good;
}
