/*
 * redact.h: take out of an API list what a diagnosis never needs and a bundle must not carry:
 * metadata.managedFields, the last applied configuration, values of container environment
 * variables (names stay), and annotations that look like credentials. No check may read these
 * from the live cluster either, or the bundle would give another answer.
 */
#ifndef ND_PLUGIN_EVIDENCE_REDACT_H
#define ND_PLUGIN_EVIDENCE_REDACT_H

#include "common/buf.h"
#include "common/err.h"

/* One List page to out. What is not JSON cannot be searched for secrets: ND_E_INPUT. */
int nd_redact_list(const char *p, size_t n, struct nd_buf *out, struct nd_err *err) ND_MUST_USE;

#endif
