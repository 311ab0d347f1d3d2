/* Truncated at 200 places, a bit flipped at 200 and in every byte of the header: damage is seen, or
 * it means nothing; and the checkpoint before is used. */
#include "support/test.h"

#include <unistd.h>

#include "base/folder.h"
#include "run.h"

static base_mem mem;
static char folder[256], path[300], previous[300];
static run newest, older, got;
static char *bytes;
static size_t n_bytes;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    if (folder_make(folder, sizeof folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    snprintf(previous, sizeof previous, "%s/last.1.safetensors", folder);
    run_make(&older, 500, TRAIN_OPTIMIZER_ADAM, &mem);
    run_make(&newest, 500, TRAIN_OPTIMIZER_ADAM, &mem);
    run_make(&got, 500, TRAIN_OPTIMIZER_ADAM, &mem);
    run_until(&older, 8);
    run_until(&newest, 10);
    assert_int_equal(run_save(&older, path, &mem, NULL), VG_OK);
    assert_int_equal(run_save(&newest, path, &mem, NULL), VG_OK);
    return base_file_read(&bytes, &n_bytes, path, 1 << 24, &mem, NULL) == VG_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    base_free(bytes);
    run_fini(&older);
    run_fini(&newest);
    run_fini(&got);
    assert_int_equal(mem.in_use_bytes, 0);
    return folder_remove(folder);
}

static void put(size_t n)
{
    unlink(path); /* the previous one may be a second name of it */
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Opens what put left; true when the damage was seen. Either way the state read is one that was
 * written, whole. */
static bool opens_as_older(void)
{
    vg_error err;
    const vg_error *why;
    train_checkpoint *c;
    if (train_checkpoint_open(&c, path, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    model_shake(&got.m, 1);
    assert_int_equal(train_checkpoint_read(c, &got.state, &err), VG_OK);
    const bool fell_back = train_checkpoint_fell_back(c, &why);
    if (fell_back) {
        assert_true(why->what[0] != '\0' && strstr(why->where, "last.safetensors") != NULL);
        assert_string_equal(train_checkpoint_path(c), previous);
        assert_memory_equal(train_checkpoint_args(c), &older.args, sizeof older.args);
    } else {
        assert_memory_equal(train_checkpoint_args(c), &newest.args, sizeof newest.args);
    }
    run_expect_same(fell_back ? &older : &newest, &got);
    train_checkpoint_close(&c);
    return fell_back;
}

static void truncation_at_200_places_is_seen(void **state)
{
    (void)state;
    test_random r = {.state = 4};
    for (int i = 0; i < 200; i++) {
        const size_t n = i < 20   ? (size_t)i
                         : i < 40 ? n_bytes - (size_t)(i - 19)
                                  : random_u64(&r) % n_bytes;
        put(n);
        assert_true(opens_as_older());
    }
    put(n_bytes);
    assert_false(opens_as_older());
}

static void flip(size_t bit)
{
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ (char)(1u << bit % 8));
}

static void a_flipped_bit_at_200_places_of_the_tensors_is_seen(void **state)
{
    (void)state;
    uint64_t n_header;
    memcpy(&n_header, bytes, sizeof n_header);
    test_random r = {.state = 5};
    for (int i = 0; i < 200; i++) {
        const size_t from = 8 + (size_t)n_header,
                     bit = 8 * from + random_u64(&r) % (8 * (n_bytes - from));
        flip(bit);
        put(n_bytes);
        assert_true(opens_as_older());
        flip(bit);
    }
}

/* Some flips there mean nothing (a blank that becomes another); none may change what is read. */
static void a_flipped_bit_in_any_byte_of_the_header_changes_nothing_unseen(void **state)
{
    (void)state;
    uint64_t n_header;
    memcpy(&n_header, bytes, sizeof n_header);
    test_random r = {.state = 6};
    size_t n_seen = 0, n = 0;
    for (size_t at = 0; at < 8 + (size_t)n_header; at += 3, n++) {
        const size_t bit = 8 * at + random_u64(&r) % 8;
        flip(bit);
        put(n_bytes);
        n_seen += opens_as_older();
        flip(bit);
    }
    if (n_seen < n - n / 100)
        fail_msg("%zu of %zu", n_seen, n);
}

static void when_both_are_damaged_the_newer_one_is_the_error(void **state)
{
    (void)state;
    vg_error err;
    train_checkpoint *c;
    put(n_bytes - 1);
    FILE *f = fopen(previous, "wb");
    fclose(f);
    assert_int_equal(train_checkpoint_open(&c, path, &mem, &err), VG_ERR_FORMAT);
    assert_null(c);
    assert_non_null(strstr(err.where, "last.safetensors"));
    assert_non_null(strstr(err.what, "not inside"));
    unlink(path);
    unlink(previous);
    assert_int_equal(train_checkpoint_open(&c, path, &mem, &err), VG_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(truncation_at_200_places_is_seen),
        TEST(a_flipped_bit_at_200_places_of_the_tensors_is_seen),
        TEST(a_flipped_bit_in_any_byte_of_the_header_changes_nothing_unseen),
        TEST(when_both_are_damaged_the_newer_one_is_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
