/*
 * base.h: what every file may rely on. Knows nothing of Kubernetes.
 * Include it first, in every file.
 */
#ifndef ND_COMMON_BASE_H
#define ND_COMMON_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ND_MUST_USE __attribute__((warn_unused_result))
#define ND_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ND_NORETURN __attribute__((noreturn))
#define ND_UNUSED __attribute__((unused))
#define ND_CLEANUP(fn) __attribute__((cleanup(fn)))
#define ND_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A programming mistake: say where and end the process. Never for bad input. */
#define ND_BUG(what) nd_bug(__FILE__, __LINE__, what)
ND_NORETURN void nd_bug(const char *file, int line, const char *what);
/* Memory ran out: say how much was wanted and end the process with exit code 2. */
ND_NORETURN void nd_out_of_memory(size_t size_bytes);

/* a + b and a * b of sizes; on overflow false and *out untouched. */
static inline bool nd_size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}
static inline bool nd_size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

static inline void nd_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
static inline void nd_close_file(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}
static inline void nd_free_ptr(void *p)
{
	void **pp = p;
	free(*pp);
	*pp = NULL;
}
/* Handles that end with their scope: `nd_auto_fd int fd = open(...)`. */
#define nd_auto_fd ND_CLEANUP(nd_close_fd)
#define nd_auto_file ND_CLEANUP(nd_close_file)
#define nd_auto_free ND_CLEANUP(nd_free_ptr)

/* Hand a handle on: the variable no longer owns it. */
static inline int nd_steal_fd(int *fd)
{
	int got = *fd;
	*fd = -1;
	return got;
}

#endif
