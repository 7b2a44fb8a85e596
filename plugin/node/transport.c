#include "common/base.h"

#include "common/text.h"
#include "plugin/node/transport.h"

static const struct nd_transport *const transports[] = {
#define ND_TRANSPORT(id) &nd_transport_##id,
#include "plugin/node/transports.def"
#undef ND_TRANSPORT
};

const struct nd_transport *nd_transport_find(const char *name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(transports); i++)
		if (nd_eq(transports[i]->name, name))
			return transports[i];
	return NULL;
}

const struct nd_transport *nd_transport_at(size_t i)
{
	return i < ND_ARRAY_LEN(transports) ? transports[i] : NULL;
}
