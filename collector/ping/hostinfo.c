#include "ping/hostinfo.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#include "ping/interpose.h"

/*
 * How libc's functions are reached that have the same names. In a static program a name
 * exists once, so its linker gives all callers __wrap_X for X, and X for __real_X (--wrap).
 */
#ifdef NODECANARY_STATIC
#define OURS(name) __wrap_##name
#define LIBCS(name) __real_##name
int __real_getaddrinfo(const char *name, const char *service,
		       const struct addrinfo *hints, struct addrinfo **result);
int __wrap_getaddrinfo(const char *name, const char *service,
		       const struct addrinfo *hints, struct addrinfo **result);
void __real_freeaddrinfo(struct addrinfo *result);
void __wrap_freeaddrinfo(struct addrinfo *result);
#else
#define OURS(name) name
#define LIBCS(name)                                                                      \
	((union {                                                                        \
		 void *symbol;                                                           \
		 __typeof__(&(name)) function;                                           \
	 }){dlsym(RTLD_NEXT, #name)}                                                     \
		 .function)
#endif

/* The host that is being added; NULL between two of them. */
static const struct address *current_address;
static uint16_t current_ident;
static bool asked_address, asked_ident;

void hostinfo_begin(const struct address *address, uint16_t ident)
{
	current_address = address;
	current_ident = ident;
	asked_address = asked_ident = false;
}

bool hostinfo_end(void)
{
	current_address = NULL;
	return asked_address && asked_ident;
}

/* liboping copies the answer before it asks again. */
static struct addrinfo answer;
static union socket_address answer_address;

static struct addrinfo *make_answer(const struct address *address)
{
	answer = (struct addrinfo){.ai_addr = &answer_address.any};
	answer.ai_addrlen = address_to_sockaddr(address, &answer_address);
	answer.ai_family = answer_address.any.sa_family;
	return &answer;
}

INTERPOSE_EXPORTED
int OURS(getaddrinfo)(const char *name, const char *service, const struct addrinfo *req,
		      struct addrinfo **pai)
{
	if (!current_address)
		return LIBCS(getaddrinfo)(name, service, req, pai);
	asked_address = true;
	*pai = make_answer(current_address);
	return 0;
}

INTERPOSE_EXPORTED
void OURS(freeaddrinfo)(struct addrinfo *ai)
{
	if (ai != &answer)
		LIBCS(freeaddrinfo)(ai);
}

/* Nothing else here needs random(), and no caller may rely on a seed. */
INTERPOSE_EXPORTED
void srandom(unsigned seed)
{
	(void)seed;
}

INTERPOSE_EXPORTED
long random(void)
{
	uint32_t number = 0;

	if (current_address) {
		asked_ident = true;
		return current_ident;
	}
	/* It fails only before the kernel has gathered entropy. */
	return getrandom(&number, sizeof(number), 0) < 0 ? 0 : number >> 1;
}
