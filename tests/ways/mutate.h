/* mutate.h: what the kinds of changes share. Private to mutate*.c. */
#ifndef ND_TESTS_WAYS_MUTATE_H
#define ND_TESTS_WAYS_MUTATE_H

#include "tests/ways/ways.h"

/* What a change is about: a node, another one, one of its pods, a family. */
struct about {
	struct lab *lab;
	struct mutation *m;
	int node, other, pod; /* pod of node */
	int far;	      /* pod of other */
	bool is_six;
	const char *six; /* "-6 " */
};

uint32_t mutate_pick(struct about *a, uint32_t n);
void mutate_add(struct about *a, int space, enum tool tool, const char *fmt, ...) ND_PRINTF(4, 5);
int mutate_space(const struct about *a);
const char *mutate_dev(struct about *a);    /* a device of the node */
const char *mutate_prefix(struct about *a); /* an address or network that packets have */
#define ONE_OF(a, ...)                                                                             \
	((const char *const[]){__VA_ARGS__}[mutate_pick(                                           \
		a, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

/* mutate_rules.c */
void mutate_iptables(struct about *a);
void mutate_nft(struct about *a);

#endif
