/*
 * nft_compile.h: rules, sets and maps of `nft -j list ruleset` into programs (model/ruleset.h),
 * element by element as the decoder of the section meets them. Private to model/.
 *
 *	struct nd_nft_compiler *compiler = nd_nft_compiler_new(&arena, host);
 *	nd_nft_compile(compiler, element);	each of the list "nftables"
 *	nd_nft_compiler_end(compiler, host);	sets nd_nft_table.program of the host's tables
 *
 * What is not known becomes ND_DO_UNKNOWN with its words, at its place in the rule; what stands
 * behind it follows. Tables that iptables-nft-save has shown already get no program.
 */
#ifndef ND_PLUGIN_MODEL_NFT_COMPILE_H
#define ND_PLUGIN_MODEL_NFT_COMPILE_H

#include "plugin/model/cluster.h"
#include "plugin/model/ruleset.h"

#include <cjson/cJSON.h>

struct nd_nft_compiler;
struct nd_nft_compiler *nd_nft_compiler_new(struct nd_arena *arena, const struct nd_host *host);
void nd_nft_compile(struct nd_nft_compiler *compiler, const cJSON *element);
void nd_nft_compiler_end(struct nd_nft_compiler *compiler, struct nd_host *host);

#endif
