/*
 * verify.h: how the answer of verify is printed. -o text, wide, json.
 */
#ifndef ND_PLUGIN_REPORT_VERIFY_H
#define ND_PLUGIN_REPORT_VERIFY_H

#include "plugin/report/report.h"
#include "plugin/verify/verify.h"

void nd_verify_print_text(const struct nd_verify *verify, double seconds,
			  const struct nd_style *style, struct nd_buf *out);
void nd_verify_print_json(const struct nd_verify *verify, double seconds, struct nd_buf *out);

#endif
