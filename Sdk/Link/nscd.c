/*
 * The answer of a machine without a name service cache, in the place of musl's __nscd_query. Looking a user up by a socket is the one reason for which every
 * .NET program would reach the socket calls, and a linked image never has the daemon at its other end. Source of truth: musl's src/passwd/nscd.h and its
 * callers: a stream that ends at once, errno unchanged, is "not found"; the caller closes it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

FILE *__nscd_query(int32_t request, const char *key, int32_t *answer, size_t size, int *swapped);

FILE *__nscd_query(int32_t request, const char *key, int32_t *answer, size_t size, int *swapped)
{
	int saved = errno;
	FILE *stream = fopen("/dev/null", "re");

	(void)request, (void)key, (void)answer, (void)size, (void)swapped;
	if (stream)
		errno = saved;
	return stream;
}
