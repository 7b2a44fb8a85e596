#include "common/base.h"

#include "common/clock.h"

#include <time.h>

int64_t nd_clock_mono_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		ND_BUG("no monotonic clock");
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct timespec wall_clock(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		ND_BUG("no wall clock");
	return now;
}

int64_t nd_clock_unix_s(void)
{
	return (int64_t)wall_clock().tv_sec;
}

int64_t nd_clock_unix_us(void)
{
	struct timespec now = wall_clock();

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
