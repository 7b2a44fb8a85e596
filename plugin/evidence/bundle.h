/*
 * bundle.h: evidence on disk, a tar.gz. What diagnose --save writes, diagnose --from reads.
 * Paths: layouts.def. Hostile archives are refused: no links, no absolute or ".." paths, caps on
 * entries (200,000), one entry (64 MiB), total (4 GiB) and expansion ratio.
 */
#ifndef ND_PLUGIN_EVIDENCE_BUNDLE_H
#define ND_PLUGIN_EVIDENCE_BUNDLE_H

#include "plugin/evidence/item.h"

struct nd_bundle;

/* Write to PATH.part, rename on nd_bundle_finish; nd_bundle_free without finish removes it. */
struct nd_bundle *nd_bundle_create(const char *path, struct nd_err *err);
struct nd_sink nd_bundle_sink(struct nd_bundle *bundle);
int nd_bundle_finish(struct nd_bundle *bundle, struct nd_err *err) ND_MUST_USE;
void nd_bundle_free(struct nd_bundle *bundle);

/* Read a whole bundle into a sink, in the order it was written. "-" is standard input. */
int nd_bundle_read(const char *path, const struct nd_sink *sink, struct nd_err *err) ND_MUST_USE;
/* The same from memory: for fuzzing. */
int nd_bundle_read_bytes(const void *p, size_t len, const struct nd_sink *sink,
			 struct nd_err *err) ND_MUST_USE;

#endif
