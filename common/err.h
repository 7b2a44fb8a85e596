/*
 * err.h: why something failed. Owned by the caller, passed last, untouched on success.
 *
 *	if (nd_kubeconfig_parse(bytes, len, &config, err) < 0)
 *		return nd_err_wrap(err, "read %s", path);
 *
 * A text says what was being done and to what, in lower case, without a full stop.
 * Nobody prints it but main.
 */
#ifndef ND_COMMON_ERR_H
#define ND_COMMON_ERR_H

#include "common/base.h"

enum nd_code {
	ND_E_NONE = 0,
	ND_E_USAGE,	  /* wrong words on the command line: exit 2 */
	ND_E_CONFIG,	  /* kubeconfig, credentials, context: exit 2 */
	ND_E_INPUT,	  /* bytes from outside that break their format: exit 2 */
	ND_E_IO,	  /* a file or a pipe: exit 2 */
	ND_E_LIMIT,	  /* a named maximum was passed: exit 2 */
	ND_E_UNREACHABLE, /* a server or a node does not answer: exit 3 */
	ND_E_FORBIDDEN,	  /* 401 and 403: exit 3 */
	ND_E_TIMEOUT,	  /* a deadline passed: exit 3 */
	ND_E_NOT_FOUND,	  /* 404, no such thing: exit 3 */
	ND_E_INTERRUPTED, /* SIGINT, SIGTERM: exit 130 */
};

struct nd_err {
	enum nd_code code;
	int sys_errno;	 /* errno, or 0 */
	char text[1024]; /* one line, ends with NUL, cut with "..." when longer */
};

/* Each returns -1, so that `return nd_err_set(...)` reads well. err may be NULL. */
int nd_err_set(struct nd_err *err, enum nd_code code, const char *fmt, ...) ND_PRINTF(3, 4);
/* As nd_err_set, with ": " and strerror(errno_value) behind the text. */
int nd_err_sys(struct nd_err *err, enum nd_code code, int errno_value, const char *fmt, ...)
	ND_PRINTF(4, 5);
/* Put "fmt: " before the text; code and errno stay. */
int nd_err_wrap(struct nd_err *err, const char *fmt, ...) ND_PRINTF(2, 3);

/* The exit code of the process for an error: 2, 3 or 130. */
int nd_err_exit_code(const struct nd_err *err);

#endif
