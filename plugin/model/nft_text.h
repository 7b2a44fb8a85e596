/*
 * nft_text.h: parts of nft's JSON as one line of text, close to `nft list ruleset`.
 * Private to model/.
 */
#ifndef ND_PLUGIN_MODEL_NFT_TEXT_H
#define ND_PLUGIN_MODEL_NFT_TEXT_H

#include "common/buf.h"
#include "plugin/model/json.h"

#define ND_NFT_MAX_TEXT 4096 /* bytes of one rule or element; what is longer is cut */

/* An expression: "10.0.0.0/8", "ip saddr", "{ 80, 443 }". What is not known is put as JSON. */
void nd_nft_expr_text(struct nd_buf *out, const cJSON *expr);
/* A statement of a rule: "ip saddr 10.0.0.0/8", "counter", "jump X". */
void nd_nft_stmt_text(struct nd_buf *out, const cJSON *stmt);
/* "accept", "drop", "jump X", ... when the statement decides, else false. */
bool nd_nft_verdict_text(struct nd_buf *out, const cJSON *stmt);

#endif
