/*
 * Every program that is preloaded with this gives its pings the ICMP idents that the
 * collector uses: the worst company that a program that pings with liboping can be to it.
 */
#include <stdlib.h>

long random(void)
{
	static long last = 0x7fff;

	return ++last;
}
