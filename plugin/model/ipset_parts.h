/*
 * ipset_parts.h: the two halves of the decoder of `ipset save`. Private to model/ipset*.c.
 */
#ifndef ND_PLUGIN_MODEL_IPSET_PARTS_H
#define ND_PLUGIN_MODEL_IPSET_PARTS_H

#include "plugin/model/decode.h"

/* "10.0.0.1,tcp:80,10.1.0.0/24" behind the flags of out, set->stride bytes; false: not known. */
bool nd_ipset_element(const struct nd_ipset *set, struct nd_str text, uint8_t *out);
/* An address of the set's family; false: it is none. */
bool nd_ipset_ip(const struct nd_ipset *set, struct nd_str text, uint8_t *out);

#endif
