#include "common/base.h"
#include "plugin/report/report.h"

static void print(const struct nd_report *report, const struct nd_style *style, struct nd_buf *out)
{
	struct nd_style wide = *style;
	wide.is_wide = true;
	nd_format_find("text")->print(report, &wide, out);
}

const struct nd_format nd_format_wide = {.name = "wide", .print = print};
