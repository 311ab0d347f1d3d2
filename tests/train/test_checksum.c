/* XXH64's published values; and that it does not matter in which parts the bytes come. */
#include "support/test.h"

#include "../../src/train/checksum.h"

static uint64_t sum(const void *bytes, size_t n)
{
    train_checksum c = train_checksum_start();
    train_checksum_add(&c, bytes, n);
    return train_checksum_get(&c);
}

static void known_texts_have_their_published_sums(void **state)
{
    (void)state;
    assert_true(sum("", 0) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(sum("a", 1) == UINT64_C(0xD24EC4F1A98C6E5B));
    assert_true(sum("abc", 3) == UINT64_C(0x44BC2CF5AD770999));
    const char *long_text = "Nobody inspects the spammish repetition";
    assert_true(sum(long_text, strlen(long_text)) == UINT64_C(0xFBCEA83C8A378BF1));
}

static void parts_do_not_matter(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    const uint64_t whole = sum(bytes, sizeof bytes);
    for (size_t part = 1; part < 100; part++) {
        train_checksum c = train_checksum_start();
        for (size_t at = 0; at < sizeof bytes; at += part)
            train_checksum_add(&c, bytes + at, sizeof bytes - at < part ? sizeof bytes - at : part);
        assert_true(train_checksum_get(&c) == whole);
    }
}

static void every_bit_matters(void **state)
{
    (void)state;
    uint8_t bytes[77] = {0};
    const uint64_t whole = sum(bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(sum(bytes, sizeof bytes) != whole);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(sum(bytes, sizeof bytes - 1) != whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_published_sums),
        cmocka_unit_test(parts_do_not_matter),
        cmocka_unit_test(every_bit_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
