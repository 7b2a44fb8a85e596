#include "common/base.h"

#include "common/err.h"
#include "common/text.h"

#include <stdarg.h>

/*
 * One unsafe character of up to 3 bytes becomes one '?', so whatever this cannot hold would not
 * have fitted into err->text either, and the cut is marked there.
 */
#define RAW_BYTES (4 * sizeof(((struct nd_err *)NULL)->text))

/* Foreign text may be in raw; line ends become blanks so that the text stays one line. */
static void put_text(struct nd_err *err, char *raw)
{
	for (char *p = raw; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	nd_text_safe(err->text, sizeof(err->text), raw);
}

int nd_err_set(struct nd_err *err, enum nd_code code, const char *fmt, ...)
{
	char raw[RAW_BYTES];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	err->code = code;
	err->sys_errno = 0;
	put_text(err, raw);
	return -1;
}

/* raw gets ": " and more behind what is there, as far as it fits. */
static void append(char raw[RAW_BYTES], const char *more)
{
	size_t n = strlen(raw);

	snprintf(raw + n, RAW_BYTES - n, ": %s", more);
}

int nd_err_sys(struct nd_err *err, enum nd_code code, int errno_value, const char *fmt, ...)
{
	char raw[RAW_BYTES], why[128];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	append(raw, strerror_r(errno_value, why, sizeof(why)));
	err->code = code;
	err->sys_errno = errno_value;
	put_text(err, raw);
	return -1;
}

int nd_err_wrap(struct nd_err *err, const char *fmt, ...)
{
	char raw[RAW_BYTES];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	append(raw, err->text);
	put_text(err, raw);
	return -1;
}

int nd_err_exit_code(const struct nd_err *err)
{
	switch (err->code) {
	case ND_E_UNREACHABLE:
	case ND_E_FORBIDDEN:
	case ND_E_TIMEOUT:
	case ND_E_NOT_FOUND:
		return 3;
	case ND_E_INTERRUPTED:
		return 130;
	case ND_E_NONE:
	case ND_E_USAGE:
	case ND_E_CONFIG:
	case ND_E_INPUT:
	case ND_E_IO:
	case ND_E_LIMIT:
		break;
	}
	return 2;
}
