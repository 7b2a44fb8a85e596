/* clock.h: the only place that asks what time it is. */
#ifndef ND_COMMON_CLOCK_H
#define ND_COMMON_CLOCK_H

#include "common/base.h"

int64_t nd_clock_mono_us(void); /* microseconds since an arbitrary start; never goes back */
int64_t nd_clock_unix_s(void);	/* seconds since 1970 */
int64_t nd_clock_unix_us(void); /* the same in microseconds: to compare with times of the kernel */

#endif
