#include "common/base.h"

#include "common/sha256.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void check(const char *text, const char *want)
{
	char hex[65];

	nd_sha256_hex(text, strlen(text), hex);
	assert_string_equal(hex, want);
}

/* The examples of NIST's Cryptographic Standards: one block, two blocks, and nothing at all. */
static void test_examples(void **state)
{
	(void)state;
	check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Every length around the padding's edges, in one piece and byte by byte. */
static void test_pieces(void **state)
{
	char text[200], whole[65], parts[65];
	uint8_t digest[32];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		struct nd_sha256 h;

		nd_sha256_hex(text, n, whole);
		nd_sha256_init(&h);
		for (size_t i = 0; i < n; i++)
			nd_sha256_add(&h, text + i, 1);
		nd_sha256_add(&h, NULL, 0);
		nd_sha256_end(&h, digest);
		nd_sha256_text(digest, parts);
		assert_string_equal(whole, parts);
	}
}

/* python3 -c 'import hashlib; print(hashlib.sha256(b"a"*N).hexdigest())' */
static void test_edges(void **state)
{
	static const struct {
		size_t n;
		const char *hex;
	} rows[] = {
		{55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
		{56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
		{63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
		{64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
		{65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
		{119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
		{120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
		{128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"},
		{1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	char *text = malloc(1000000), hex[65];

	(void)state;
	memset(text, 'a', 1000000);
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		nd_sha256_hex(text, rows[i].n, hex);
		assert_string_equal(hex, rows[i].hex);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
