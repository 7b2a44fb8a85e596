/* landlock.h: which files may be read and which programs run, from now on and for all children. */
#ifndef ND_AGENT_SANDBOX_LANDLOCK_H
#define ND_AGENT_SANDBOX_LANDLOCK_H

#include "common/base.h"

#include "common/err.h"

/*
 * Restrict this process to reading the paths in landlock.c and executing the programs (and their
 * ELF interpreters); one that is probing may open no file, but connect over TCP.
 * 1: done; 0: the kernel has no Landlock; -1: it has, and it failed.
 */
int nd_landlock_restrict(const char *const *programs, bool is_probing, struct nd_err *err)
	ND_MUST_USE;

#endif
