#include "common/base.h"
#include "plugin/walk/walk.h"

static const char *const names[] = {
	[ND_WALK_DELIVERED] = "delivered", [ND_WALK_REFUSED] = "refused",
	[ND_WALK_DROPPED] = "dropped",	   [ND_WALK_REJECTED] = "rejected",
	[ND_WALK_LOST] = "lost",	   [ND_WALK_OUTSIDE] = "outside the cluster",
	[ND_WALK_UNKNOWN] = "unknown"};

const char *nd_walk_verdict_name(enum nd_walk_verdict verdict)
{
	return names[verdict];
}
