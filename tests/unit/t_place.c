/*
 * t_place.c: what people may call a source or a destination of a packet.
 */
#include "common/base.h"
#include "plugin/walk/place.h"
#include "tests/unit/model.h"

struct row {
	const char *text, *proto;
	enum nd_code code; /* of the error; NONE: found */
	const char *says;  /* in the text, or in the error */
	uint16_t port;
	bool is_source; /* packets can start there */
};

static const char nodes[] = "{\"items\":[{\"metadata\":{\"name\":\"w1\"},\"status\":{\"addresses\":"
			    "[{\"type\":\"InternalIP\",\"address\":\"172.18.0.3\"}]}}]}";
static const char pods[] =
	"{\"items\":[{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"u1\"},"
	"\"spec\":{\"nodeName\":"
	"\"w1\"},\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.244.1.2\"},{\"ip\":"
	"\"fd00::2\"}]}},"
	"{\"metadata\":{\"namespace\":\"shop\",\"name\":\"lost\",\"uid\":\"u2\"},\"spec\":{"
	"\"nodeName\":\"w1\"},"
	"\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.244.1.9\"}]}},"
	"{\"metadata\":{\"namespace\":\"shop\",\"name\":\"new\",\"uid\":\"u3\"},\"spec\":{}}]}";
static const char services[] = "{\"items\":[{\"metadata\":{\"namespace\":\"shop\",\"name\":\"db\"},"
			       "\"spec\":{\"type\":\"ClusterIP\",\"clusterIP\":"
			       "\"10.96.0.7\",\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},{"
			       "\"port\":5432,\"protocol\":\"TCP\"}]}}]}";

static const struct row rows[] = {
	{"shop/web", "tcp", ND_E_NONE, "pod shop/web (10.244.1.2 on w1)", 0, true},
	{"pod/shop/web:8080", "tcp", ND_E_NONE, "pod shop/web", 8080, true},
	{"10.244.1.2", "tcp", ND_E_NONE, "pod shop/web", 0, true},
	{"10.244.1.2:1", "tcp", ND_E_NONE, "pod shop/web", 1, true},
	{"fd00::2", "tcp", ND_E_NONE, "pod shop/web", 0, true},
	{"[fd00::2]:65535", "tcp", ND_E_NONE, "pod shop/web", 65535, true},
	{"shop/lost", "tcp", ND_E_NONE, "pod shop/lost", 0, false},
	{"shop/new", "tcp", ND_E_NOT_FOUND, "no address", 0, false},
	{"node/w1", "tcp", ND_E_NONE, "node w1 (172.18.0.3)", 0, true},
	{"172.18.0.3:22", "tcp", ND_E_NONE, "node w1", 22, true},
	{"svc/shop/db", "tcp", ND_E_NONE, "service shop/db (10.96.0.7)", 5432, false},
	{"svc/shop/db", "udp", ND_E_NONE, "service shop/db", 53, false},
	{"service/shop/db:99", "tcp", ND_E_NONE, "service shop/db", 99, false},
	{"10.96.0.7", "tcp", ND_E_NONE, "service shop/db", 5432, false},
	{"192.0.2.1:80", "tcp", ND_E_NONE, "192.0.2.1", 80, false},
	{"shop/none", "tcp", ND_E_NOT_FOUND, "no such pod", 0, false},
	{"svc/shop/none", "tcp", ND_E_NOT_FOUND, "no such service", 0, false},
	{"node/w9", "tcp", ND_E_NOT_FOUND, "no such node", 0, false},
	{"", "tcp", ND_E_USAGE, "wanted pod/NS/NAME", 0, false},
	{"web", "tcp", ND_E_USAGE, "wanted pod/NS/NAME", 0, false},
	{"/web", "tcp", ND_E_USAGE, "wanted pod/NS/NAME", 0, false},
	{"shop/", "tcp", ND_E_USAGE, "wanted pod/NS/NAME", 0, false},
	{"a/b/c", "tcp", ND_E_USAGE, "wanted pod/NS/NAME", 0, false},
	{"shop/web:0", "tcp", ND_E_USAGE, "port", 0, false},
	{"shop/web:65536", "tcp", ND_E_USAGE, "port", 0, false},
	{"shop/web:", "tcp", ND_E_USAGE, "port", 0, false},
};

static void try_row(void **state)
{
	const struct row *row = *state;
	struct nd_arena arena = {0};
	struct nd_model *model = nd_model_new();
	struct nd_place place;
	struct nd_err err = {0}, why = {0};

	feed_api(model, "nodes", nodes);
	feed_api(model, "pods", pods);
	feed_api(model, "services", services);
	feed_section(model, "pods", "[{\"uids\":[\"u1\"],\"netns_inode\":77,\"pid\":1}]");
	int rc = nd_place_find(&arena, nd_model_finish(model), row->text, row->proto, &place, &err);
	assert_int_equal(err.code, row->code);
	assert_int_equal(rc, row->code == ND_E_NONE ? 0 : -1);
	assert_non_null(strstr(rc ? err.text : place.text, row->says));
	if (rc == 0) {
		assert_int_equal(place.port, row->port);
		assert_int_equal(place.is_outside, nd_starts(row->text, "192.0.2."));
		assert_int_equal(nd_place_is_source(&place, &why), row->is_source ? 0 : -1);
		assert_int_equal(place.netns_inode, place.pod && row->is_source ? 77 : 0);
	}
	nd_model_free(model);
	nd_arena_free(&arena);
}

/* A name as long as it may be, and one more. */
static void lengths(void **state)
{
	struct nd_arena arena = {0};
	struct nd_model *model = nd_model_new();
	struct nd_place place;
	struct nd_err err = {0};
	char text[602];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[300] = '/';
	text[600] = '\0';
	assert_int_equal(nd_place_find(&arena, nd_model_finish(model), text, "tcp", &place, &err),
			 -1);
	assert_int_equal(err.code, ND_E_NOT_FOUND);
	text[600] = 'a';
	text[601] = '\0';
	assert_int_equal(nd_place_find(&arena, nd_model_finish(model), text, "tcp", &place, &err),
			 -1);
	assert_int_equal(err.code, ND_E_USAGE);
	nd_model_free(model);
	nd_arena_free(&arena);
}

int main(void)
{
	struct CMUnitTest tests[ND_ARRAY_LEN(rows) + 1] = {cmocka_unit_test(lengths)};

	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		tests[i + 1] = (struct CMUnitTest){.name = rows[i].text[0] ? rows[i].text : "empty",
						   .test_func = try_row,
						   .initial_state = (void *)(uintptr_t)&rows[i]};
	return _cmocka_run_group_tests("place", tests, ND_ARRAY_LEN(tests), NULL, NULL);
}
