/*
 * ways.h: whole clusters in network namespaces, made from a seed and broken at random; what the
 * walk says of a packet there against what a probe of the real agent finds.
 *
 * u is the network between the nodes, and a host outside of the cluster. A node has a PID namespace
 * of its own with its pods, so that the agent that runs in it sees these pods and no others.
 */
#ifndef ND_TESTS_WAYS_H
#define ND_TESTS_WAYS_H

#include "plugin/walk/walk.h"
#include "tests/kernel/kernel.h"

#define MAX_NODES 3
#define MAX_PODS 6
#define MAX_SPACES (1 + MAX_NODES + MAX_PODS)
#define MAX_SERVICES 3
#define MAX_MUTATIONS 3
#define MAX_STEPS 4
#define OPEN_PORT 8080
#define CLOSED_PORT 9999
#define SERVICE_PORT 80

enum tool {
	TOOL_SYSCTL,
	TOOL_IP,
	TOOL_BRIDGE,
	TOOL_IPT4,
	TOOL_IPT6,
	TOOL_LEGACY,
	TOOL_NFT,
	TOOL_DEAF
};
struct step {
	int space;
	enum tool tool;
	const char *text; /* SYSCTL: "net/ipv4/ip_forward 1"; DEAF: "" */
};
struct mutation {
	struct step steps[MAX_STEPS]; /* nsteps */
	size_t nsteps;
	bool is_off;
	bool is_slow; /* a link changes: the kernel takes up to a second to tell */
};

struct lab_node {
	int space;
	bool is_flannel;
};
struct lab_pod {
	int space;
	int node; /* index */
	int host; /* last part of its address */
};
struct lab_service {
	bool is_udp;
	int pods[3]; /* npods: indices */
	int npods;
};
struct space {
	char name[16];
	int fd; /* of the namespace */
	uint64_t inode;
	struct nd_buf text[TOOL_DEAF]; /* what makes it, a tool each */
};
struct lab {
	struct nd_arena arena;
	uint64_t seed;
	struct rng rng;
	bool has[2];	     /* IPv4, IPv6 */
	bool has_second;     /* a second network between the nodes */
	bool is_six_in_four; /* IPv6 of pods through the IPv4 tunnel */
	int nnodes, npods, nservices, nspaces;
	struct lab_node nodes[MAX_NODES];
	struct lab_pod pods[MAX_PODS];
	struct lab_service services[MAX_SERVICES];
	struct space spaces[MAX_SPACES]; /* 0: u */
	struct mutation mutations[MAX_MUTATIONS];
	size_t nmutations;
	bool is_slow;
	struct { /* judge.c: errors that a router told a sender */
		const char *key;
		size_t n;
	} told[256];
	size_t ntold;
};

/* ---- one packet ---- */
enum pair_kind { PAIR_TCP, PAIR_UDP, PAIR_ICMP };
struct pair {
	int space; /* where from */
	enum pair_kind kind;
	struct nd_ip dst;
	uint16_t port;
	bool has_result;
	struct nd_probe_result result;
	/* judge.c */
	enum judgement {
		JUDGE_SAME,
		JUDGE_DIFFERS,
		JUDGE_UNKNOWN,
		JUDGE_OUTSIDE,
		JUDGE_LIMITED,
		JUDGE_LEARNED
	} judgement;
	const char *why, *expected;
	const struct nd_walk *walk;
};

/* ---- gen.c, gen_rules.c, mutate.c: from the seed ---- */
void lab_generate(struct lab *lab, uint64_t seed);
void lab_mutate(struct lab *lab);
void gen_rules(struct lab *lab);
void lab_print(struct lab *lab, int space, enum tool tool, const char *fmt, ...) ND_PRINTF(4, 5);
/* The tunnel of a node, as text for ip and bridge. */
void gen_tunnel(struct lab *lab, int node, bool is_six, int vni, int port, int local,
		struct nd_buf *ip, struct nd_buf *bridge);
const char *node_text(struct lab *lab, int node, bool is_six,
		      int net); /* net 0, 1: its address there */
const char *cidr_text(struct lab *lab, int node, bool is_six);
const char *pod_text(struct lab *lab, int pod, bool is_six);
const char *gateway_text(struct lab *lab, int node, bool is_six);
const char *service_text(struct lab *lab, int service, bool is_six);
void lab_text(struct lab *lab, struct nd_buf *out); /* for people */

/* ---- build.c: in the kernel ---- */
bool lab_build(struct lab *lab, struct nd_buf *errors);
void lab_free(struct lab *lab);
void lab_forget(struct lab *lab); /* neighbours that were learned */
bool step_run(struct lab *lab, const struct step *step, struct nd_buf *errors);

/* ---- nodes.c: processes ---- */
void nodes_start(struct lab *lab);
void nodes_stop(struct lab *lab);
void space_enter(int fd);
int space_home(void); /* our own */
/* The agent in node, with a request; its reply comes into a file in memory. */
struct job {
	pid_t pid;
	int out;
};
bool agent_start(struct lab *lab, int node, const char *request, struct job *job);
bool agent_end(struct job *job, struct nd_buf *out); /* false: it failed */
void listeners_open(struct lab *lab);
extern const char *agent_path;

/* ---- ask.c: evidence and probes ---- */
extern const char *save_path; /* of a bundle of the first laboratory, or NULL */
struct nd_model *lab_model(struct lab *lab);
bool lab_probe(struct lab *lab, struct pair *pairs, size_t n, int timeout_ms);

/* ---- judge.c ---- */
size_t pairs_make(struct lab *lab, struct pair *pairs, size_t max);
void pair_walk(struct lab *lab, struct nd_world *world, const struct nd_cluster *cluster,
	       struct pair *pair);
void pair_judge(struct lab *lab, const struct nd_cluster *cluster, struct pair *pair);
void pair_text(struct lab *lab, const struct pair *pair, struct nd_buf *out);

#endif
