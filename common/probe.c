#include "common/base.h"

#include "common/probe.h"

static const char *const kind_names[] = {
#define ND_PROBE_KIND(id, name, what) name,
#include "common/probe_kinds.def"
#undef ND_PROBE_KIND
};

static const struct outcome {
	const char *name, *what;
} outcomes[] = {
#define ND_PROBE_OUTCOME(id, name, what) {name, what},
#include "common/probe_outcomes.def"
#undef ND_PROBE_OUTCOME
};

const char *nd_probe_kind_name(enum nd_probe_kind kind)
{
	return kind_names[kind];
}

bool nd_probe_kind_find(struct nd_str name, enum nd_probe_kind *out)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(kind_names); i++)
		if (nd_str_eq(name, kind_names[i])) {
			*out = (enum nd_probe_kind)i;
			return true;
		}
	return false;
}

const char *nd_probe_outcome_name(enum nd_probe_outcome outcome)
{
	return outcomes[outcome].name;
}

const char *nd_probe_outcome_what(enum nd_probe_outcome outcome)
{
	return outcomes[outcome].what;
}

bool nd_probe_outcome_find(struct nd_str name, enum nd_probe_outcome *out)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(outcomes); i++)
		if (nd_str_eq(name, outcomes[i].name)) {
			*out = (enum nd_probe_outcome)i;
			return true;
		}
	return false;
}
