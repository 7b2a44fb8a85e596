#include "common/base.h"

#include "common/packet.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct msg {
	uint8_t bytes[512];
	size_t n;
};

static void add(struct msg *m, const void *p, size_t n)
{
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}
#define ADD(m, literal) add((m), (literal), sizeof(literal) - 1)

/* 10.1.0.2 -> 10.2.0.3 */
static void add_ip4(struct msg *m, uint8_t proto, unsigned nwords, unsigned fragment)
{
	const uint8_t head[20] = {[0] = (uint8_t)(0x40 | nwords),
				  [6] = (uint8_t)(fragment >> 8),
				  [7] = (uint8_t)fragment,
				  [8] = 64,
				  [9] = proto,
				  [12] = 10,
				  [13] = 1,
				  [15] = 2,
				  [16] = 10,
				  [17] = 2,
				  [19] = 3};
	const uint8_t options[40] = {1};

	add(m, head, sizeof(head));
	if (nwords > 5)
		add(m, options, (nwords - 5) * 4);
}

/* fd01::2 -> fd02::3 */
static void add_ip6(struct msg *m, uint8_t proto)
{
	const uint8_t head[40] = {[0] = 0x60, [6] = proto, [7] = 64, [8] = 0xfd, [9] = 1,
				  [23] = 2,   [24] = 0xfd, [25] = 2, [39] = 3};

	add(m, head, sizeof(head));
}

static void add_tcp(struct msg *m, uint8_t flags)
{
	const uint8_t head[14] = {0x9c, 0x40, 0x1f, 0x90, [12] = 0x50, [13] = flags};

	add(m, head, sizeof(head)); /* 40000 -> 8080; as far as it is looked at */
}

static void add_vxlan(struct msg *m, uint16_t port, uint16_t type)
{
	const uint8_t head[30] = {0xc0,
				  0,
				  (uint8_t)(port >> 8),
				  (uint8_t)port,
				  [8] = 8,
				  [28] = (uint8_t)(type >> 8),
				  [29] = (uint8_t)type};

	add(m, head, sizeof(head));
}

/* In a block of exactly its size, so that the sanitizers see a byte too far. */
static bool parse_n(const struct msg *m, size_t n, struct nd_packet *out)
{
	nd_auto_free uint8_t *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	memcpy(exact, m->bytes, n);
	return nd_packet_parse(exact, n, out);
}

/* Whole it is understood, also with more behind; every cut before min is not. */
static struct nd_packet whole_only(struct msg *m, size_t min)
{
	struct nd_packet packet, longer, cut;

	assert_true(parse_n(m, m->n, &packet));
	m->bytes[m->n] = 0xff;
	assert_true(parse_n(m, m->n + 1, &longer));
	assert_memory_equal(&packet, &longer, sizeof(packet));
	for (size_t n = 0; n < min; n++)
		assert_false(parse_n(m, n, &cut));
	assert_true(parse_n(m, min, &cut));
	return packet;
}

static void assert_ends(const struct nd_packet *packet, const char *src, unsigned sport,
			const char *dst, unsigned dport)
{
	char text[ND_IP_TEXT];

	assert_string_equal(nd_ip_text(packet->src, text), src);
	assert_string_equal(nd_ip_text(packet->dst, text), dst);
	assert_int_equal(packet->sport, sport);
	assert_int_equal(packet->dport, dport);
}

static void test_tcp(void **state)
{
	static const struct {
		uint8_t flags;
		bool is_wanted;
		enum nd_packet_what what;
	} rows[] = {
		{0x02, true, ND_PACKET_SYN},
		{0xc2, true, ND_PACKET_SYN}, /* ECN */
		{0x12, true, ND_PACKET_SYN_ACK},
		{0x04, true, ND_PACKET_RST},
		{0x14, true, ND_PACKET_RST},
		{0x06, true, ND_PACKET_RST},
		{0x10, false, 0},
		{0x18, false, 0},
		{0x11, false, 0},
		{0x00, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct msg m = {.n = 0};
		struct nd_packet packet;

		add_ip4(&m, 6, 5, 0x4000);
		add_tcp(&m, rows[i].flags);
		assert_int_equal(parse_n(&m, m.n, &packet), rows[i].is_wanted);
		if (!rows[i].is_wanted)
			continue;
		packet = whole_only(&m, m.n);
		assert_int_equal(packet.what, rows[i].what);
		assert_ends(&packet, "10.1.0.2", 40000, "10.2.0.3", 8080);
		assert_int_equal(packet.icmp_from.family, 0);
		assert_int_equal(packet.vxlan_src.family, 0);
	}
}

static void test_ip4(void **state)
{
	struct nd_packet packet;
	struct msg m = {.n = 0};

	(void)state;
	assert_false(parse_n(&m, 0, &packet));
	for (unsigned words = 5; words <= 15; words++) {
		m.n = 0;
		add_ip4(&m, 6, words, 0x2000); /* first of several fragments */
		add_tcp(&m, 2);
		packet = whole_only(&m, m.n);
		assert_ends(&packet, "10.1.0.2", 40000, "10.2.0.3", 8080);
	}
	for (unsigned words = 0; words < 5; words++) {
		m.n = 0;
		add_ip4(&m, 6, words, 0);
		add_tcp(&m, 2);
		assert_false(parse_n(&m, m.n, &packet));
	}
	m.n = 0;
	add_ip4(&m, 6, 5, 1); /* a later fragment */
	add_tcp(&m, 2);
	assert_false(parse_n(&m, m.n, &packet));
	m.bytes[7] = 0;
	assert_true(parse_n(&m, m.n, &packet));
	m.bytes[0] = 0x55; /* no such version */
	assert_false(parse_n(&m, m.n, &packet));
}

static void test_ip6(void **state)
{
	struct nd_packet packet;
	struct msg m = {.n = 0};

	(void)state;
	add_ip6(&m, 6);
	add_tcp(&m, 0x12);
	packet = whole_only(&m, m.n);
	assert_int_equal(packet.what, ND_PACKET_SYN_ACK);
	assert_ends(&packet, "fd01::2", 40000, "fd02::3", 8080);

	m.n = 0; /* hop by hop of 16 bytes, routing, destination, first fragment */
	add_ip6(&m, 0);
	ADD(&m, "\x2b\x01xxxxxxyyyyyyyy");
	ADD(&m, "\x3c\x00xxxxxx");
	ADD(&m, "\x2c\x00xxxxxx");
	ADD(&m, "\x06\x00\x00\x01xxxx");
	add_tcp(&m, 2);
	packet = whole_only(&m, m.n);
	assert_ends(&packet, "fd01::2", 40000, "fd02::3", 8080);
	m.bytes[40 + 16 + 8 + 8 + 3] = 0x08; /* the second fragment */
	assert_false(parse_n(&m, m.n, &packet));

	for (size_t n = 1; n <= 9; n++) { /* no more than some */
		m.n = 0;
		add_ip6(&m, 60);
		for (size_t i = 1; i < n; i++)
			ADD(&m, "\x3c\x00xxxxxx");
		ADD(&m, "\x06\x00xxxxxx");
		add_tcp(&m, 2);
		assert_int_equal(parse_n(&m, m.n, &packet), n < 8);
	}
}

static void test_udp(void **state)
{
	static const struct {
		const char *ports;
		bool is_wanted;
	} rows[] = {
		{"\xc0\x00\x00\x35", true},
		{"\x00\x35\xc0\x00", true},
		{"\xc0\x00\x00\x36", false},
		{"\x21\x18\xc0\x00", false}, /* from the port of VXLAN */
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_packet packet;
		struct msg m = {.n = 0};

		add_ip4(&m, 17, 5, 0);
		add(&m, rows[i].ports, 4);
		ADD(&m, "\0\x08\0\0");
		assert_int_equal(parse_n(&m, m.n, &packet), rows[i].is_wanted);
		if (!rows[i].is_wanted)
			continue;
		packet = whole_only(&m, m.n);
		assert_int_equal(packet.what, ND_PACKET_UDP);
		assert_int_equal(packet.sport + packet.dport, 0xc000 + 53);
	}
}

static void test_icmp(void **state)
{
	struct nd_packet packet;
	char text[ND_IP_TEXT];
	struct msg m = {.n = 0};

	(void)state;
	add_ip4(&m, 1, 5, 0);
	ADD(&m, "\x03\x0d\0\0\0\0\0\0");
	add_ip4(&m, 6, 6, 0);
	ADD(&m, "\x9c\x40\x1f\x90");
	packet = whole_only(&m, m.n - 4); /* also without the ports */
	assert_int_equal(packet.what, ND_PACKET_ICMP);
	assert_ends(&packet, "10.1.0.2", 40000, "10.2.0.3", 8080);
	assert_string_equal(nd_ip_text(packet.icmp_from, text), "10.1.0.2");
	assert_int_equal(packet.icmp_type, 3);
	assert_int_equal(packet.icmp_code, 13);
	for (unsigned type = 0; type < 256; type++) {
		m.bytes[20] = (uint8_t)type;
		assert_int_equal(parse_n(&m, m.n, &packet), type == 3 || type == 5 || type == 11);
	}
	m.bytes[20] = 3;
	m.bytes[28 + 7] = 1; /* about a later fragment: its ports are not known */
	assert_true(parse_n(&m, m.n, &packet));
	assert_ends(&packet, "10.1.0.2", 0, "10.2.0.3", 0);
	m.bytes[28 + 7] = 0;
	m.bytes[28 + 9] = 1; /* about an echo */
	assert_true(parse_n(&m, m.n, &packet));
	assert_ends(&packet, "10.1.0.2", 0, "10.2.0.3", 0);
	m.bytes[9] = 58; /* ICMPv6 in IPv4 */
	assert_false(parse_n(&m, m.n, &packet));
}

static void test_icmp6(void **state)
{
	struct nd_packet packet;
	char text[ND_IP_TEXT];
	struct msg m = {.n = 0};

	(void)state;
	add_ip6(&m, 58);
	ADD(&m, "\x01\x04\0\0\0\0\0\0");
	add_ip6(&m, 17);
	ADD(&m, "\x9c\x40\x00\x35");
	packet = whole_only(&m, m.n - 4);
	assert_ends(&packet, "fd01::2", 40000, "fd02::3", 53);
	assert_string_equal(nd_ip_text(packet.icmp_from, text), "fd01::2");
	for (unsigned type = 0; type < 256; type++) {
		m.bytes[40] = (uint8_t)type;
		assert_int_equal(parse_n(&m, m.n, &packet), type >= 1 && type <= 4);
	}
	m.n = 0; /* about a packet of the other family */
	add_ip6(&m, 58);
	ADD(&m, "\x01\x04\0\0\0\0\0\0");
	add_ip4(&m, 6, 5, 0);
	assert_false(parse_n(&m, m.n, &packet));
}

static void test_vxlan(void **state)
{
	static const uint16_t ports[] = {8472, 4789};
	struct nd_packet packet;
	char text[ND_IP_TEXT];
	struct msg m;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(ports); i++) {
		m.n = 0;
		add_ip4(&m, 17, 5, 0);
		add_vxlan(&m, ports[i], 0x86dd);
		add_ip6(&m, 6);
		add_tcp(&m, 2);
		packet = whole_only(&m, m.n);
		assert_int_equal(packet.what, ND_PACKET_SYN);
		assert_ends(&packet, "fd01::2", 40000, "fd02::3", 8080);
		assert_string_equal(nd_ip_text(packet.vxlan_src, text), "10.1.0.2");
		assert_string_equal(nd_ip_text(packet.vxlan_dst, text), "10.2.0.3");
	}
	m.bytes[28] = 0; /* the flag that says it has an id */
	assert_false(parse_n(&m, m.n, &packet));
	m.bytes[28] = 8;
	m.bytes[49] = 0; /* no IP in it */
	assert_false(parse_n(&m, m.n, &packet));
	m.n = 0; /* VXLAN in VXLAN is not followed */
	add_ip4(&m, 17, 5, 0);
	add_vxlan(&m, 4789, 0x0800);
	add_ip4(&m, 17, 5, 0);
	add_vxlan(&m, 4789, 0x0800);
	add_ip4(&m, 6, 5, 0);
	add_tcp(&m, 2);
	assert_false(parse_n(&m, m.n, &packet));
	m.n = 0; /* the longest: an error about IPv6 in VXLAN over IPv6 */
	add_ip6(&m, 17);
	add_vxlan(&m, 4789, 0x86dd);
	add_ip6(&m, 58);
	ADD(&m, "\x02\x00\0\0\0\0\0\0");
	add_ip6(&m, 6);
	ADD(&m, "\x9c\x40\x1f\x90");
	packet = whole_only(&m, m.n - 4);
	assert_ends(&packet, "fd01::2", 40000, "fd02::3", 8080);
	assert_true(m.n <= ND_PACKET_SNAP);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(nd_packet_what_name(ND_PACKET_SYN_ACK), "SYN-ACK");
	assert_string_equal(nd_packet_what_name(ND_PACKET_ICMP), "ICMP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),   cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_ip6),   cmocka_unit_test(test_udp),
		cmocka_unit_test(test_icmp),  cmocka_unit_test(test_icmp6),
		cmocka_unit_test(test_vxlan), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
