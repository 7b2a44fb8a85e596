#include "common/base.h"

#include "tests/unit/model.h"

/* The names that kube-proxy of a real cluster gave its chains. */
static const struct chain {
	const char *prefix, *ns, *service, *port, *protocol, *ip_port, *wanted;
} chains[] = {
	{"KUBE-SVC-", "default", "kubernetes", "https", "TCP", NULL, "KUBE-SVC-NPX46M4PTMTKRN6Y"},
	{"KUBE-SVC-", "kube-system", "kube-dns", "dns", "UDP", NULL, "KUBE-SVC-TCOU7JCQXEZGVUNU"},
	{"KUBE-SVC-", "kube-system", "kube-dns", "dns-tcp", "tcp", NULL,
	 "KUBE-SVC-ERIFXISQEP7F7OF4"},
	{"KUBE-SVC-", "kube-system", "kube-dns", "metrics", "TCP", NULL,
	 "KUBE-SVC-JD5MR3NA4I4DYORP"},
	{"KUBE-SVC-", "default", "web", NULL, "TCP", NULL, "KUBE-SVC-LOLE4ISW44XBNF3G"},
	{"KUBE-SVC-", "default", "web", "", "TCP", NULL, "KUBE-SVC-LOLE4ISW44XBNF3G"},
	{"KUBE-SEP-", "default", "kubernetes", "https", "TCP", "172.18.0.2:6443",
	 "KUBE-SEP-V2PECCYPB6X2GSCW"},
};

static void names_chains(void **state)
{
	char name[32];

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(chains); i++) {
		const struct chain *c = &chains[i];

		nd_kubeproxy_chain(name, c->prefix, c->ns, c->service, c->port, c->protocol,
				   c->ip_port);
		assert_string_equal(name, c->wanted);
	}
	nd_kubeproxy_chain(name, "A-PREFIX-THAT-IS-MUCH-TOO-LONG-", "a", "b", NULL, NULL, NULL);
	assert_int_equal(strlen(name), 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_chains)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
