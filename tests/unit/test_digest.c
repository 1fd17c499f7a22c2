/*
 * The digest: the same value on every machine, however the bytes arrive.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t digest_of(const void *data, size_t len)
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, data, len);
	return digest_value(&digest);
}

/* From the description in the header, by an independent implementation. */
static void values_are_those_of_the_description(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		uint64_t value;
	} cases[] = {
		{"", 0, UINT64_C(0x807cdbdcfb582370)},
		{"\0", 1, UINT64_C(0x10e5f8a70b7e4201)},
		{"a", 1, UINT64_C(0xa368728c323ed1eb)},
		{"abc", 3, UINT64_C(0x28aff738027cec19)},
		{"1234567", 7, UINT64_C(0xfce7038620811e95)},
		{"12345678", 8, UINT64_C(0xfe5b1e364d6a599d)},
		{"123456789", 9, UINT64_C(0xb958bd36c651fc6e)},
		{"nodecanary", 10, UINT64_C(0x5488eee9487fd61d)},
		{"\0\0\0\0\0\0\0\0", 8, UINT64_C(0x526aeea753e231df)},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
		 UINT64_C(0x0e74ecb0fae55066)},
	};
	unsigned char all[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (digest_of(cases[i].data, cases[i].len) != cases[i].value)
			fail_msg("vector %zu differs", i);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	assert_true(digest_of(all, sizeof(all)) == UINT64_C(0x1c13a2674415f34f));
}

static void two_pieces_of_any_size_give_the_value_of_the_whole(void **state)
{
	unsigned char data[41];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37 + 1);
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint64_t whole = digest_of(data, len);

		for (size_t cut = 0; cut <= len; cut++) {
			struct digest digest;

			digest_init(&digest);
			digest_add(&digest, data, cut);
			digest_add(&digest, data + cut, len - cut);
			if (digest_value(&digest) != whole)
				fail_msg("%zu bytes cut at %zu", len, cut);
		}
	}
}

static void any_pieces_give_the_value_of_the_whole(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	unsigned char data[4096];

	(void)state;
	print_message("# seed %u\n", seed);
	srand48(seed);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)lrand48();
	for (int turn = 0; turn < 200; turn++) {
		size_t len = (size_t)lrand48() % sizeof(data), done = 0;
		struct digest digest;

		digest_init(&digest);
		while (done < len) {
			size_t piece = (size_t)lrand48() % 24;

			piece = piece < len - done ? piece : len - done;
			digest_add(&digest, data + done, piece);
			done += piece;
		}
		assert_true(digest_value(&digest) == digest_of(data, len));
	}
}

static void asking_for_the_value_does_not_end_the_adding(void **state)
{
	struct digest digest, copy;

	(void)state;
	digest_init(&digest);
	digest_add(&digest, "12345", 5);
	assert_true(digest_value(&digest) == digest_of("12345", 5));
	copy = digest;
	digest_add(&digest, "6789", 4);
	assert_true(digest_value(&digest) == digest_of("123456789", 9));
	digest_add(&copy, "x", 1);
	assert_true(digest_value(&copy) == digest_of("12345x", 6));
}

/* Accidents that a check of a file must see: a bit, a swap, zeros at the end. */
static void small_differences_change_the_value(void **state)
{
	unsigned char data[24] = "abcdefghijklmnopqrstuvw", changed[24];
	uint64_t value = digest_of(data, sizeof(data));

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		memcpy(changed, data, sizeof(data));
		changed[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_true(digest_of(changed, sizeof(changed)) != value);
	}
	memcpy(changed, data + 8, 8);
	memcpy(changed + 8, data, 8);
	memcpy(changed + 16, data + 16, 8);
	assert_true(digest_of(changed, sizeof(changed)) != value);
	assert_true(digest_of("a", 1) != digest_of("a\0", 2));
	assert_true(digest_of("\0\0", 2) != digest_of("\0\0\0", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_the_description),
		cmocka_unit_test(two_pieces_of_any_size_give_the_value_of_the_whole),
		cmocka_unit_test(any_pieces_give_the_value_of_the_whole),
		cmocka_unit_test(asking_for_the_value_does_not_end_the_adding),
		cmocka_unit_test(small_differences_change_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
