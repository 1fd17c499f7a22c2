/* dnsd: a small DNS server over UDP for tests.
 *
 *   dnsd [-a ADDR] [-P PORT] -z ZONEFILE [-r READYFILE] [-l LOGFILE] [-c]
 *
 * Listens on ADDR (127.0.0.1) and PORT (53).  READYFILE is replaced by the
 * number of times that the zone has been read: "1" once the socket is bound,
 * "2" after the first SIGHUP, and so on.  A zone with an error stops the start,
 * and is ignored on SIGHUP.  LOGFILE is appended to, a line "NAME TYPE" per
 * query: names in lower case, types A, AAAA or TYPEn.  SIGTERM and SIGINT end it;
 * with -c it then prints "NAME TYPE COUNT" of all that was asked.
 *
 * A line of the zone is a name and what is true of it ('#' begins a comment):
 *
 *   w1.test A 10.0.0.1             repeatable; answers keep the file's order
 *   w1.test AAAA fd00::1
 *   host[1-200].test A 10.5.0.+    10.5.0.1 plus the number less 1, with carry;
 *                                  10.5.7.9+ begins elsewhere
 *   w2.test delay=50ms flip        flip: one address per query, in turn
 *   w2.test no-aaaa                AAAA is never answered, as by broken servers
 *   w3.test silent                 or: refused, servfail, nxdomain, ok
 *   w4.test many=1000              as many A answers as fit 512 bytes, or 1232
 *                                  with EDNS, without TC: there is no TCP
 *   * delay=10ms                   for whatever has no such word of its own
 *
 * What an exact name does not say is taken from the ranges that match it, then
 * from "*": "* silent" is an outage of all names but those that are "ok".
 * A name without an address is NXDOMAIN, one with addresses of the other family
 * only has no answers.  Late answers wait in a queue and hold up nobody. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, UDP_ROOM = 512, EDNS_ROOM = 1232, OPT_SIZE = 11, NAME_SIZE = 256 };
enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1 };
enum { NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5 };
enum { UNSAID = -2, SILENT = -1 }; /* a verdict is one of these or a code above */

struct address {
	int family;
	bool counted; /* the number in the name is added */
	unsigned char raw[16];
};

struct rule {
	char *name; /* first member: what by_name() compares; a range: the text before it
		     */
	char *tail; /* the text behind the range, NULL: no range */
	unsigned long first, last;
	struct address *addresses;
	size_t count;
	int64_t delay_ns; /* UNSAID: not said */
	int verdict;
	bool flip, no_aaaa;
	unsigned long many;
	struct rule *next; /* of the ranges */
};

struct zone {
	void *exact;	       /* a tsearch tree of rules */
	struct rule *ranges;   /* in the order of the file */
	struct rule *fallback; /* "*", or NULL */
};

/* What has been asked about a name; outlives the zone. */
struct asked {
	char *name;
	unsigned long a, aaaa, other;
	unsigned long flips[2];
};

/* What is to be done about one query. */
struct plan {
	const struct rule *records;
	unsigned long number; /* of the range that gave the records */
	int64_t delay_ns;
	int verdict;
	bool flip, no_aaaa;
	unsigned long many;
};

struct query {
	char name[NAME_SIZE];
	unsigned type, class;
	size_t question_len; /* of the question as it came */
	bool edns;
	size_t room;
};

struct reply {
	struct reply *next;
	int64_t due_ns;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	size_t len, room;
	unsigned char data[EDNS_ROOM];
};

struct server {
	int sock, signals;
	const char *zone_path, *ready_path;
	FILE *log;
	struct zone *zone;
	unsigned generation;
	bool print_counts;
	void *asked;		    /* a tsearch tree */
	struct reply *first, *last; /* the queue, by due_ns */
};

static const char program[] = "dnsd";

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static void *need(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

static int64_t now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		die("clock_gettime: %s", strerror(errno));
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int by_name(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcasecmp(*left, *right);
}

/* ---- the zone ---- */

/* Cuts "host[1-200].test" in three; a name without '[' stays whole. */
static int cut_range(struct rule *rule)
{
	char *open = strchr(rule->name, '[');
	char *end;

	if (open == NULL)
		return 0;
	*open = '\0';
	rule->first = strtoul(open + 1, &end, 10);
	if (end == open + 1 || *end != '-')
		return -1;
	open = end + 1;
	rule->last = strtoul(open, &end, 10);
	if (end == open || *end != ']' || rule->first < 1 || rule->last < rule->first)
		return -1;
	rule->tail = end + 1;
	return 0;
}

static void free_rule(void *memory)
{
	struct rule *rule = memory;

	free(rule->name);
	free(rule->addresses);
	free(rule);
}

static struct rule *new_rule(const char *name)
{
	struct rule *rule = need(calloc(1, sizeof *rule));

	rule->name = need(strdup(name));
	rule->delay_ns = UNSAID;
	rule->verdict = UNSAID;
	if (cut_range(rule) != 0) {
		free_rule(rule);
		return NULL;
	}
	return rule;
}

static bool same_range(const struct rule *a, const struct rule *b)
{
	return a->first == b->first && a->last == b->last &&
	       strcasecmp(a->name, b->name) == 0 && strcasecmp(a->tail, b->tail) == 0;
}

static struct rule *file_range(struct zone *zone, struct rule *fresh)
{
	struct rule **at = &zone->ranges;

	while (*at != NULL && !same_range(*at, fresh))
		at = &(*at)->next;
	if (*at == NULL)
		*at = fresh;
	else
		free_rule(fresh);
	return *at;
}

static struct rule *file_exact(struct zone *zone, struct rule *fresh)
{
	struct rule *const *node = need(tsearch(fresh, &zone->exact, by_name));
	struct rule *known = *node;

	if (known != fresh)
		free_rule(fresh);
	if (strcmp(known->name, "*") == 0)
		zone->fallback = known;
	return known;
}

/* The rule of that name, made if it is new; NULL if the name is malformed. */
static struct rule *rule_for(struct zone *zone, const char *name)
{
	struct rule *fresh = new_rule(name);

	if (fresh == NULL)
		return NULL;
	return fresh->tail != NULL ? file_range(zone, fresh) : file_exact(zone, fresh);
}

static int add_address(struct rule *rule, int family, const char *text)
{
	struct address address = {.family = family};
	char full[INET6_ADDRSTRLEN + 2];
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof full - 1)
		return -1;
	memcpy(full, text, len + 1);
	if (full[len - 1] == '+') {
		full[--len] = '\0';
		if (len > 0 && !isxdigit((unsigned char)full[len - 1]))
			memcpy(full + len, "1", 2);
		address.counted = true;
	}
	if ((address.counted && rule->tail == NULL) ||
	    inet_pton(family, full, address.raw) != 1)
		return -1;
	rule->addresses =
		need(realloc(rule->addresses, (rule->count + 1) * sizeof address));
	rule->addresses[rule->count++] = address;
	return 0;
}

static int set_delay(struct rule *rule, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || value > 3600000)
		return -1;
	if (strcmp(end, "ms") == 0)
		rule->delay_ns = (int64_t)value * 1000000;
	else if (strcmp(end, "s") == 0)
		rule->delay_ns = (int64_t)value * 1000000000;
	else
		return -1;
	return 0;
}

static int set_many(struct rule *rule, const char *text)
{
	char *end;

	rule->many = strtoul(text, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0' && rule->many <= 65535 ? 0
										    : -1;
}

static int set_verdict(struct rule *rule, const char *word)
{
	static const struct {
		const char *word;
		int verdict;
	} verdicts[] = {{"ok", NOERROR},
			{"silent", SILENT},
			{"refused", REFUSED},
			{"servfail", SERVFAIL},
			{"nxdomain", NXDOMAIN}};

	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (strcmp(word, verdicts[i].word) == 0) {
			rule->verdict = verdicts[i].verdict;
			return 0;
		}
	return -1;
}

/* One word about a name, with the word behind it where it takes one. */
static int apply_word(struct rule *rule, const char *word, char **rest)
{
	const char *value;

	if (strcmp(word, "A") == 0 || strcmp(word, "AAAA") == 0) {
		value = strtok_r(NULL, " \t", rest);
		return value == NULL
			       ? -1
			       : add_address(rule, word[1] == 'A' ? AF_INET6 : AF_INET,
					     value);
	}
	if (strncmp(word, "delay=", 6) == 0)
		return set_delay(rule, word + 6);
	if (strncmp(word, "many=", 5) == 0)
		return set_many(rule, word + 5);
	if (strcmp(word, "flip") == 0) {
		rule->flip = true;
		return 0;
	}
	if (strcmp(word, "no-aaaa") == 0) {
		rule->no_aaaa = true;
		return 0;
	}
	return set_verdict(rule, word);
}

static int read_line(struct zone *zone, char *line)
{
	char *rest = NULL;
	const char *name, *word;
	struct rule *rule;

	line[strcspn(line, "#\r\n")] = '\0';
	name = strtok_r(line, " \t", &rest);
	if (name == NULL)
		return 0;
	rule = rule_for(zone, name);
	word = strtok_r(NULL, " \t", &rest);
	if (rule == NULL || word == NULL)
		return -1;
	for (; word != NULL; word = strtok_r(NULL, " \t", &rest))
		if (apply_word(rule, word, &rest) != 0)
			return -1;
	return 0;
}

static void free_zone(struct zone *zone)
{
	struct rule *range;

	if (zone == NULL)
		return;
	while ((range = zone->ranges) != NULL) {
		zone->ranges = range->next;
		free_rule(range);
	}
	tdestroy(zone->exact, free_rule);
	free(zone);
}

/* NULL, with a message, if the file cannot be read or has an error. */
static struct zone *read_zone(const char *path)
{
	struct zone *zone = need(calloc(1, sizeof *zone));
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	bool good = file != NULL;

	while (good && getline(&line, &size, file) >= 0) {
		number++;
		good = read_line(zone, line) == 0;
	}
	if (file == NULL || ferror(file))
		fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
	else if (!good)
		fprintf(stderr, "%s: %s:%u: not understood\n", program, path, number);
	good = good && !ferror(file);
	free(line);
	if (file != NULL)
		(void)fclose(file); /* read only: nothing can be lost */
	if (good)
		return zone;
	free_zone(zone);
	return NULL;
}

/* The number in the name if it belongs to the range, else 0. */
static unsigned long number_in(const struct rule *range, const char *name)
{
	size_t head = strlen(range->name);
	char *end;
	unsigned long number;

	if (strncasecmp(name, range->name, head) != 0 ||
	    !isdigit((unsigned char)name[head]) || name[head] == '0')
		return 0;
	number = strtoul(name + head, &end, 10);
	if (strcasecmp(end, range->tail) != 0 || number < range->first ||
	    number > range->last)
		return 0;
	return number;
}

/* Takes over from an rule what those before it left unsaid. */
static void blend(struct plan *plan, const struct rule *rule, unsigned long number)
{
	if (plan->records == NULL && rule->count > 0) {
		plan->records = rule;
		plan->number = number;
	}
	if (plan->delay_ns == UNSAID)
		plan->delay_ns = rule->delay_ns;
	if (plan->verdict == UNSAID)
		plan->verdict = rule->verdict;
	if (plan->many == 0)
		plan->many = rule->many;
	plan->flip = plan->flip || rule->flip;
	plan->no_aaaa = plan->no_aaaa || rule->no_aaaa;
}

static struct plan make_plan(const struct zone *zone, const char *name)
{
	struct plan plan = {.delay_ns = UNSAID, .verdict = UNSAID};
	struct rule *const *exact = tfind(&name, &zone->exact, by_name);
	const struct rule *range;

	if (exact != NULL)
		blend(&plan, *exact, 0);
	for (range = zone->ranges; range != NULL; range = range->next) {
		unsigned long number = number_in(range, name);

		if (number > 0)
			blend(&plan, range, number);
	}
	if (zone->fallback != NULL)
		blend(&plan, zone->fallback, 0);
	if (plan.verdict == UNSAID)
		plan.verdict = NOERROR;
	if (plan.verdict == NOERROR && plan.records == NULL && plan.many == 0)
		plan.verdict = NXDOMAIN;
	return plan;
}

/* ---- packets ---- */

static unsigned get16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void put16(struct reply *reply, unsigned value)
{
	reply->data[reply->len++] = (unsigned char)(value >> 8);
	reply->data[reply->len++] = (unsigned char)value;
}

/* The name at the start of a question, in lower case; returns its length on the
 * wire, 0 if it is malformed (a question has no compression). */
static size_t get_name(const unsigned char *at, size_t len, char name[static NAME_SIZE])
{
	size_t in = 0, out = 0;

	while (in < len && at[in] != 0) {
		size_t label = at[in++];

		if (label > 63 || in + label >= len || out + label + 1 >= NAME_SIZE)
			return 0;
		for (size_t i = 0; i < label; i++)
			name[out++] =
				isgraph(at[in + i]) ? (char)tolower(at[in + i]) : '?';
		in += label;
		name[out++] = '.';
	}
	if (in >= len)
		return 0;
	name[out > 0 ? out - 1 : 0] = '\0';
	return in + 1;
}

/* Only an OPT that directly follows the question is looked for. */
static int parse(const unsigned char *packet, size_t len, struct query *query)
{
	size_t name_len;
	const unsigned char *opt;

	if (get16(packet + 4) != 1)
		return -1;
	name_len = get_name(packet + HEADER, len - HEADER, query->name);
	query->question_len = name_len + 4;
	if (name_len == 0 || len < HEADER + query->question_len)
		return -1;
	query->type = get16(packet + HEADER + name_len);
	query->class = get16(packet + HEADER + name_len + 2);
	query->room = UDP_ROOM;
	opt = packet + HEADER + query->question_len;
	if (get16(packet + 10) > 0 && len >= HEADER + query->question_len + OPT_SIZE &&
	    opt[0] == 0 && get16(opt + 1) == TYPE_OPT) {
		query->edns = true;
		if (get16(opt + 3) > UDP_ROOM)
			query->room =
				get16(opt + 3) < EDNS_ROOM ? get16(opt + 3) : EDNS_ROOM;
	}
	return 0;
}

static struct reply *new_reply(const unsigned char *packet, int code, size_t room)
{
	struct reply *reply = need(calloc(1, sizeof *reply));

	reply->room = room;
	memcpy(reply->data, packet, 2);
	reply->data[2] = (unsigned char)(0x84 | (packet[2] &
						 0x79)); /* QR, AA, their opcode and RD */
	reply->data[3] = (unsigned char)(0x80 | code);	 /* RA */
	reply->len = HEADER;
	return reply;
}

/* One answer, whose name is the question's; false if there is no room. */
static bool put_address(struct reply *reply, const struct address *address,
			unsigned long add)
{
	size_t size = address->family == AF_INET6 ? 16 : 4;
	unsigned char *raw;

	if (reply->len + 12 + size > reply->room)
		return false;
	put16(reply, 0xc000 | HEADER);
	put16(reply, address->family == AF_INET6 ? TYPE_AAAA : TYPE_A);
	put16(reply, CLASS_IN);
	put16(reply, 0); /* TTL 0: nobody is to remember */
	put16(reply, 0);
	put16(reply, (unsigned)size);
	raw = reply->data + reply->len;
	memcpy(raw, address->raw, size);
	reply->len += size;
	for (size_t i = size; i > 0 && add > 0; add >>= 8) {
		add += raw[--i];
		raw[i] = (unsigned char)add;
	}
	return true;
}

static const struct address *nth(const struct rule *rule, int family, unsigned long n)
{
	for (size_t i = 0; rule != NULL && i < rule->count; i++)
		if (rule->addresses[i].family == family && n-- == 0)
			return &rule->addresses[i];
	return NULL;
}

static unsigned put_many(struct reply *reply, const struct plan *plan)
{
	static const struct address first = {.family = AF_INET, .raw = {10, 250, 0, 1}};
	const struct address *base = nth(plan->records, AF_INET, 0);
	unsigned put = 0;

	while (put < plan->many && put_address(reply, base != NULL ? base : &first, put))
		put++;
	return put;
}

static unsigned put_answers(struct reply *reply, const struct plan *plan, int family,
			    unsigned long *flips)
{
	const struct address *address;
	unsigned long total = 0, from = 0;
	unsigned put = 0;

	if (plan->many > 0 && family == AF_INET)
		return put_many(reply, plan);
	while (nth(plan->records, family, total) != NULL)
		total++;
	if (plan->flip && total > 0) {
		from = (*flips)++ % total;
		total = from + 1;
	}
	for (unsigned long i = from; i < total; i++, put++) {
		address = nth(plan->records, family, i);
		if (address == NULL ||
		    !put_address(reply, address, address->counted ? plan->number - 1 : 0))
			break;
	}
	return put;
}

static struct reply *build_reply(const unsigned char *packet, const struct query *query,
				 const struct plan *plan, struct asked *asked)
{
	struct reply *reply = new_reply(packet, plan->verdict, query->room);
	bool v6 = query->type == TYPE_AAAA;
	unsigned put = 0;

	memcpy(reply->data + HEADER, packet + HEADER, query->question_len);
	reply->len += query->question_len;
	reply->data[5] = 1; /* one question */
	if (query->edns)
		reply->room -= OPT_SIZE;
	if (plan->verdict == NOERROR && (v6 || query->type == TYPE_A))
		put = put_answers(reply, plan, v6 ? AF_INET6 : AF_INET,
				  &asked->flips[v6]);
	reply->data[6] = (unsigned char)(put >> 8);
	reply->data[7] = (unsigned char)put;
	if (query->edns) {
		reply->data[11] = 1; /* one additional record, rest of it zeros */
		reply->len++;
		put16(reply, TYPE_OPT);
		put16(reply, EDNS_ROOM);
		reply->len += 6;
	}
	return reply;
}

/* ---- the server ---- */

static struct asked *count_query(struct server *server, const struct query *query)
{
	struct asked *fresh = need(calloc(1, sizeof *fresh));
	struct asked *known;

	fresh->name = need(strdup(query->name));
	known = *(struct asked *const *)need(tsearch(fresh, &server->asked, by_name));
	if (known != fresh) {
		free(fresh->name);
		free(fresh);
	}
	if (query->type == TYPE_A)
		known->a++;
	else if (query->type == TYPE_AAAA)
		known->aaaa++;
	else
		known->other++;
	return known;
}

static void log_query(const struct server *server, const struct query *query)
{
	if (server->log == NULL)
		return;
	if (query->type == TYPE_A || query->type == TYPE_AAAA)
		fprintf(server->log, "%s %s\n", query->name,
			query->type == TYPE_A ? "A" : "AAAA");
	else
		fprintf(server->log, "%s TYPE%u\n", query->name, query->type);
	if (ferror(server->log))
		die("cannot write the log: %s", strerror(errno));
}

/* Answers of one delay come in order, so most go to the end or to the front. */
static void enqueue(struct server *server, struct reply *reply)
{
	struct reply **at = &server->first;

	if (server->last != NULL && server->last->due_ns <= reply->due_ns)
		at = &server->last->next;
	while (*at != NULL && (*at)->due_ns <= reply->due_ns)
		at = &(*at)->next;
	reply->next = *at;
	*at = reply;
	if (reply->next == NULL)
		server->last = reply;
}

static struct reply *dequeue(struct server *server)
{
	struct reply *reply = server->first;

	server->first = reply->next;
	if (server->first == NULL)
		server->last = NULL;
	return reply;
}

static void send_due(struct server *server)
{
	struct reply *reply;

	while (server->first != NULL && server->first->due_ns <= now_ns()) {
		reply = dequeue(server);
		if (sendto(server->sock, reply->data, reply->len, 0,
			   (const struct sockaddr *)&reply->peer, reply->peer_len) < 0)
			fprintf(stderr, "%s: sendto: %s\n", program, strerror(errno));
		free(reply);
	}
}

/* NULL: no answer at all. */
static struct reply *answer(struct server *server, const unsigned char *packet,
			    size_t len)
{
	struct query query = {.type = 0};
	struct plan plan;
	struct reply *reply;
	struct asked *asked;

	if (len < HEADER || (packet[2] & 0x80) != 0)
		return NULL;
	if ((packet[2] & 0x78) != 0)
		return new_reply(packet, NOTIMP, UDP_ROOM);
	if (parse(packet, len, &query) != 0)
		return new_reply(packet, FORMERR, UDP_ROOM);
	log_query(server, &query);
	asked = count_query(server, &query);
	plan = make_plan(server->zone, query.name);
	if (query.class != CLASS_IN)
		plan.verdict = REFUSED;
	if (plan.verdict == SILENT || (plan.no_aaaa && query.type == TYPE_AAAA))
		return NULL;
	reply = build_reply(packet, &query, &plan, asked);
	reply->due_ns = plan.delay_ns > 0 ? now_ns() + plan.delay_ns : 0;
	return reply;
}

/* A bounded number at a time, so that answers which are due get out. */
static void receive(struct server *server)
{
	unsigned char packet[4096];
	struct sockaddr_storage peer;
	struct reply *reply;

	for (int i = 0; i < 64; i++) {
		socklen_t peer_len = sizeof peer;
		ssize_t got = recvfrom(server->sock, packet, sizeof packet, MSG_DONTWAIT,
				       (struct sockaddr *)&peer, &peer_len);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got < 0)
			die("recvfrom: %s", strerror(errno));
		reply = answer(server, packet, (size_t)got);
		if (reply == NULL)
			continue;
		reply->peer = peer;
		reply->peer_len = peer_len;
		enqueue(server, reply);
	}
}

/* Replaced by a rename, so that a reader never sees it empty. */
static void tell_ready(const struct server *server)
{
	char *fresh = NULL;
	FILE *file;

	if (server->ready_path == NULL)
		return;
	if (asprintf(&fresh, "%s.tmp", server->ready_path) < 0)
		die("out of memory");
	file = fopen(fresh, "we");
	if (file == NULL || fprintf(file, "%u\n", server->generation) < 0 ||
	    fclose(file) != 0 || rename(fresh, server->ready_path) != 0)
		die("%s: %s", server->ready_path, strerror(errno));
	free(fresh);
}

static void load(struct server *server)
{
	struct zone *fresh = read_zone(server->zone_path);

	if (fresh == NULL)
		return;
	free_zone(server->zone);
	server->zone = fresh;
	server->generation++;
}

/* False: the end. */
static bool handle_signal(struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof info) != (ssize_t)sizeof info)
		die("cannot read a signal: %s", strerror(errno));
	if (info.ssi_signo != SIGHUP)
		return false;
	load(server);
	tell_ready(server);
	return true;
}

static int wait_ms(const struct server *server)
{
	const struct reply *next = server->first;
	int64_t left_ns = next == NULL ? 0 : next->due_ns - now_ns();

	if (next == NULL)
		return -1;
	return left_ns <= 0 ? 0 : (int)(left_ns / 1000000) + 1;
}

static void serve(struct server *server)
{
	struct pollfd fds[] = {{.fd = server->sock, .events = POLLIN},
			       {.fd = server->signals, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, wait_ms(server)) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[0].revents != 0)
			receive(server);
		send_due(server);
		if (fds[1].revents != 0 && !handle_signal(server))
			return;
	}
}

static int open_socket(const char *address, const char *port)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_DGRAM};
	const int buffer = 4 << 20; /* thousands ask at once */
	struct addrinfo *found = NULL;
	int error = getaddrinfo(address, port, &hints, &found);
	int sock;

	if (error != 0)
		die("%s port %s: %s", address, port, gai_strerror(error));
	sock = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, found->ai_addr, found->ai_addrlen) != 0)
		die("%s port %s: %s", address, port, strerror(errno));
	if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 &&
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0)
		die("SO_RCVBUF: %s", strerror(errno));
	freeaddrinfo(found);
	return sock;
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		die("signals: %s", strerror(errno));
	return fd;
}

static FILE *open_log(const char *path)
{
	FILE *log = fopen(path, "ae");

	if (log == NULL || setvbuf(log, NULL, _IOLBF, 0) != 0)
		die("%s: %s", path, strerror(errno));
	return log;
}

static void print_asked(const void *node, VISIT visit, int depth)
{
	const struct asked *asked = *(struct asked *const *)node;
	const unsigned long counts[] = {asked->a, asked->aaaa, asked->other};
	static const char *const types[] = {"A", "AAAA", "other"};

	(void)depth;
	for (size_t i = 0; i < 3 && (visit == postorder || visit == leaf); i++)
		if (counts[i] > 0)
			printf("%s %s %lu\n", asked->name, types[i], counts[i]);
}

static void free_asked(void *memory)
{
	struct asked *asked = memory;

	free(asked->name);
	free(asked);
}

static void finish(struct server *server)
{
	while (server->first != NULL)
		free(dequeue(server));
	if (server->print_counts)
		twalk(server->asked, print_asked);
	tdestroy(server->asked, free_asked);
	free_zone(server->zone);
	if (server->log != NULL && fclose(server->log) != 0)
		die("cannot write the log: %s", strerror(errno));
	if (fflush(stdout) != 0)
		die("stdout: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct server server = {.sock = -1};
	const char *address = "127.0.0.1", *port = "53", *log_path = NULL;
	int option;

	while ((option = getopt(argc, argv, "a:P:z:r:l:c")) != -1) {
		switch (option) {
		case 'a': address = optarg; break;
		case 'P': port = optarg; break;
		case 'z': server.zone_path = optarg; break;
		case 'r': server.ready_path = optarg; break;
		case 'l': log_path = optarg; break;
		case 'c': server.print_counts = true; break;
		default: return 2;
		}
	}
	if (optind != argc || server.zone_path == NULL) {
		fputs("usage: dnsd [-a ADDR] [-P PORT] -z ZONEFILE [-r READYFILE]"
		      " [-l LOGFILE] [-c]\n",
		      stderr);
		return 2;
	}
	server.signals = open_signals();
	load(&server);
	if (server.zone == NULL)
		return 1;
	if (log_path != NULL)
		server.log = open_log(log_path);
	server.sock = open_socket(address, port);
	tell_ready(&server);
	serve(&server);
	finish(&server);
	return 0;
}
