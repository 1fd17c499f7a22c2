/*
 * Every program that is preloaded with this gives its pings the same ICMP idents, 1, 2, 3
 * ...: the worst company that programs that ping with liboping can be to each other.
 */
#include <stdlib.h>

long random(void)
{
	static long last;

	return ++last;
}
