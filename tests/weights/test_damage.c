/* test_damage.c: files cut short, bits flipped, and memory that runs out: a clean error or a file,
 * never more. */
#include "support/test.h"

#include "support/random.h"
#include "weights/weights.h"

static base_mem mem;

/* A copy of exactly n bytes, so that tools see the first byte beyond it. */
static uint8_t *copy_of(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = base_alloc(&mem, n + 1, NULL);
    memcpy(copy, bytes, n);
    return copy;
}

/* Reads every element when it opens, so that a pointer to nowhere would be followed. */
static vg_status try(const uint8_t *bytes, size_t n)
{
    vg_error err = {0};
    weights_file *f = NULL;
    const size_t before = mem.in_use_bytes;
    const vg_status st = weights_open_memory(&f, bytes, n, "damaged", &mem, &err);
    assert_int_equal(err.status, st);
    if (st != VG_OK) {
        assert_null(f);
        assert_true(err.what[0] != '\0' && strstr(err.where, "damaged") != NULL);
    } else {
        for (size_t i = 0; i < weights_count(f); i++) {
            const weights_tensor *t = weights_at(f, i);
            float *values = base_alloc(&mem, (t->n_elements + 1) * sizeof *values, NULL);
            weights_to_float(values, t);
            base_free(values);
        }
        weights_close(&f);
    }
    assert_int_equal(mem.in_use_bytes, before);
    return st;
}

static void load(const char *path, char **bytes, size_t *n)
{
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    assert_int_equal(base_file_read(bytes, n, path, (size_t)64 << 20, &mem, NULL), VG_OK);
    assert_int_equal(try((const uint8_t *)*bytes, *n), VG_OK);
}

/* Under valgrind (memcheck.sh) a tenth: the address sanitizer is given all of them. */
static size_t fewer(size_t n)
{
    return getenv("VIGIL_TEST_SMALL") ? n / 10 : n;
}

static void cut_at_every_200th(const char *path)
{
    char *bytes = NULL;
    size_t n = 0;
    load(path, &bytes, &n);
    const size_t n_parts = fewer(200);
    for (size_t part = 0; part < n_parts; part++)
        assert_int_equal(try((const uint8_t *)bytes, n * part / n_parts), VG_ERR_FORMAT);
    assert_int_equal(try((const uint8_t *)bytes, n - 1), VG_ERR_FORMAT);
    base_free(bytes);
}

static void a_safetensors_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    cut_at_every_200th(TEST_GOLDEN_DIR "/yolo11n_random.safetensors");
    cut_at_every_200th(TEST_GOLDEN_DIR "/generator_check.safetensors");
}

static void a_checkpoint_cut_anywhere_is_refused(void **state)
{
    (void)state;
    cut_at_every_200th(TEST_GOLDEN_DIR "/yolo11n_random.pt");
}

static void a_small_checkpoint_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t n = 0;
    load(TEST_FIXTURES_DIR "/weights/unstripped.pt", &bytes, &n);
    for (size_t k = 0; k < n; k++) {
        uint8_t *copy = copy_of((const uint8_t *)bytes, k);
        assert_int_equal(try(copy, k), VG_ERR_FORMAT);
        base_free(copy);
    }
    base_free(bytes);
}

static void flip_bits(const char *path, size_t n_flips, size_t from, size_t to)
{
    char *bytes = NULL;
    size_t n = 0;
    load(path, &bytes, &n);
    test_random r = {.state = 7};
    size_t n_refused = 0;
    for (size_t k = 0; k < n_flips; k++) {
        const size_t at = from + (size_t)(random_u64(&r) % ((to < n ? to : n) - from));
        const char bit = (char)(1 << (random_u64(&r) % 8));
        bytes[at] ^= bit;
        n_refused += try((const uint8_t *)bytes, n) != VG_OK;
        bytes[at] ^= bit;
    }
    assert_in_range(n_refused, n_flips / 8, n_flips); /* in headers and pickles most flips matter */
    base_free(bytes);
}

static void a_flipped_bit_never_leads_outside(void **state)
{
    (void)state;
    flip_bits(TEST_FIXTURES_DIR "/weights/unstripped.pt", fewer(3000), 0, SIZE_MAX);
    flip_bits(TEST_FIXTURES_DIR "/weights/state_dict.pt", fewer(3000), 0, SIZE_MAX);
    flip_bits(TEST_GOLDEN_DIR "/generator_check.safetensors", fewer(300), 0, 30000);
}

/* The 1st, 2nd, 3rd... allocation fails until none is left that could. */
static void fail_each_allocation(const char *path)
{
    char *bytes = NULL;
    size_t n = 0;
    load(path, &bytes, &n);
    const size_t before = mem.in_use_bytes;
    for (int64_t k = 1;; k++) {
        vg_error err = {0};
        weights_file *f = NULL;
        assert_true(k < 10000);
        mem.fail_in = k;
        const vg_status st =
            weights_open_memory(&f, (const uint8_t *)bytes, n, "tight", &mem, &err);
        if (st == VG_OK) {
            assert_int_not_equal(mem.fail_in, 0); /* it was not reached */
            mem.fail_in = 0;
            weights_close(&f);
            assert_in_range(k, 3, 10000);
            break;
        }
        assert_int_equal(st, VG_ERR_MEMORY);
        assert_int_equal(err.status, VG_ERR_MEMORY);
        assert_null(f);
        assert_int_equal(mem.in_use_bytes, before);
    }
    base_free(bytes);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_failing_allocation_is_an_error_without_a_leak(void **state)
{
    (void)state;
    fail_each_allocation(TEST_FIXTURES_DIR "/weights/unstripped.pt");
    fail_each_allocation(TEST_FIXTURES_DIR "/weights/state_dict.pt");
    fail_each_allocation(TEST_GOLDEN_DIR "/generator_check.safetensors");
}

static void a_tight_account_is_respected(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t n = 0;
    load(TEST_GOLDEN_DIR "/yolo11n_random.pt", &bytes, &n);
    base_mem small;
    base_mem_init(&small, "small", NULL, (size_t)1 << 20);
    vg_error err;
    weights_file *f = NULL;
    assert_int_equal(weights_open_memory(&f, (const uint8_t *)bytes, n, "x", &small, &err),
                     VG_ERR_MEMORY);
    assert_int_equal(small.in_use_bytes, 0);
    assert_true(small.peak_bytes <= (size_t)1 << 20);
    base_mem_init(&small, "small", NULL,
                  (size_t)2 << 20); /* what reading YOLO11n's pickle takes for a moment */
    assert_int_equal(weights_open_memory(&f, (const uint8_t *)bytes, n, "x", &small, &err), VG_OK);
    assert_true(small.in_use_bytes < 200000);
    weights_close(&f);
    base_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_safetensors_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_checkpoint_cut_anywhere_is_refused),
        cmocka_unit_test(a_small_checkpoint_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_flipped_bit_never_leads_outside),
        cmocka_unit_test(every_failing_allocation_is_an_error_without_a_leak),
        cmocka_unit_test(a_tight_account_is_respected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
