/* selftest.h: forbidden deeds to try inside the sandbox; only in builds with ND_AGENT_SELFTEST. */
#ifndef ND_AGENT_SANDBOX_SELFTEST_H
#define ND_AGENT_SANDBOX_SELFTEST_H

#include "common/base.h"

/* Enter a profile, then do it. 0: it was possible; 13: refused; 2: no such thing; or SIGSYS. */
int nd_selftest(const char *profile, const char *deed);

#endif
