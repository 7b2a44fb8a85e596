#include "common/base.h"

void nd_bug(const char *file, int line, const char *what)
{
	dprintf(STDERR_FILENO, "netdoctor: bug at %s:%d: %s\n", file, line, what);
	abort();
}

void nd_out_of_memory(size_t size_bytes)
{
	dprintf(STDERR_FILENO, "netdoctor: out of memory (%zu bytes wanted)\n", size_bytes);
	/* Not exit(): handlers may allocate. */
	_exit(2);
}
