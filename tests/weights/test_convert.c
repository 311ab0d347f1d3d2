/* test_convert.c: a checkpoint written as safetensors says the same. */
#include "support/test.h"

#include <unistd.h>

#include "weights/weights.h"

static char path[64], again[64];
static base_mem mem;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    base_format(path, sizeof path, "/tmp/vigil-convert-%ld.safetensors", (long)getpid());
    base_format(again, sizeof again, "/tmp/vigil-convert-%ld-again.safetensors", (long)getpid());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(again);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static weights_file *must_open(const char *name)
{
    vg_error err;
    weights_file *f = NULL;
    if (weights_open(&f, name, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return f;
}

static void must_convert(const weights_file *f, const char *to)
{
    vg_error err;
    if (weights_convert(f, to, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
}

static void expect_same_tensors(const weights_file *a, const weights_file *b)
{
    assert_int_equal(weights_count(a), weights_count(b));
    for (size_t i = 0; i < weights_count(a); i++) {
        const weights_tensor *x = weights_at(a, i), *y = weights_at(b, i);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->dtype, y->dtype);
        assert_int_equal(x->n_dims, y->n_dims);
        assert_memory_equal(x->shape, y->shape, sizeof x->shape);
        float *p = base_alloc(&mem, (x->n_elements + 1) * sizeof *p, NULL);
        float *q = base_alloc(&mem, (x->n_elements + 1) * sizeof *q, NULL);
        weights_to_float(p, x);
        weights_to_float(q, y);
        assert_memory_equal(p, q, x->n_elements * sizeof *p);
        base_free(p);
        base_free(q);
    }
}

static void expect_same_meta(const weights_meta *a, const weights_meta *b)
{
    assert_string_equal(a->model_yaml, b->model_yaml);
    assert_string_equal(a->scale, b->scale);
    assert_string_equal(a->train_args, b->train_args);
    assert_int_equal(a->imgsz.h, b->imgsz.h);
    assert_int_equal(a->imgsz.w, b->imgsz.w);
    assert_string_equal(a->version, b->version);
    assert_string_equal(a->date, b->date);
    assert_string_equal(a->license, b->license);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->n_classes, b->n_classes);
    for (int i = 0; i < a->n_classes; i++)
        assert_string_equal(a->names[i], b->names[i]);
    assert_int_equal(a->n_strides, b->n_strides);
    for (int i = 0; i < a->n_strides; i++)
        assert_true(a->strides[i] == b->strides[i]);
}

static void a_real_checkpoint_keeps_all_it_says(void **state)
{
    (void)state;
    weights_file *pt = must_open(TEST_GOLDEN_DIR "/yolo11n_random.pt");
    must_convert(pt, path);
    weights_file *f = must_open(path);
    assert_string_equal(weights_get_meta(f)->source, "safetensors");
    expect_same_tensors(pt, f);
    expect_same_meta(weights_get_meta(pt), weights_get_meta(f));
    weights_close(&f);
    weights_close(&pt);
}

static void views_become_contiguous(void **state)
{
    (void)state;
    weights_file *pt = must_open(TEST_FIXTURES_DIR "/weights/unstripped.pt");
    must_convert(pt, path);
    weights_file *f = must_open(path);
    expect_same_tensors(pt, f);
    expect_same_meta(weights_get_meta(pt), weights_get_meta(f));
    const weights_tensor *columns = weights_find(f, "model.1.columns");
    assert_int_equal(columns->stride[0], 3);
    assert_int_equal(columns->stride[1], 1);
    weights_close(&f);
    weights_close(&pt);
}

static void a_safetensors_file_is_copied_byte_for_byte_once_it_is_ours(void **state)
{
    (void)state;
    weights_file *pt = must_open(TEST_FIXTURES_DIR "/weights/unstripped.pt");
    must_convert(pt, path);
    weights_close(&pt);
    weights_file *f = must_open(path);
    must_convert(f, again);
    weights_close(&f);
    char *a = NULL, *b = NULL;
    size_t n_a = 0, n_b = 0;
    assert_int_equal(base_file_read(&a, &n_a, path, 1 << 20, &mem, NULL), VG_OK);
    assert_int_equal(base_file_read(&b, &n_b, again, 1 << 20, &mem, NULL), VG_OK);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    base_free(a);
    base_free(b);
}

static void metadata_that_we_do_not_know_are_kept(void **state)
{
    (void)state;
    weights_file *f = must_open(TEST_GOLDEN_DIR "/yolo11n_random.safetensors");
    must_convert(f, path);
    weights_file *g = must_open(path);
    assert_string_equal(weights_metadata_get(g, "wsum_u64"), weights_metadata_get(f, "wsum_u64"));
    expect_same_tensors(f, g);
    weights_close(&g);
    weights_close(&f);
}

static void a_failed_conversion_leaves_the_old_file(void **state)
{
    (void)state;
    vg_error err;
    weights_file *pt = must_open(TEST_FIXTURES_DIR "/weights/state_dict.pt");
    must_convert(pt, path);
    char *before = NULL, *after = NULL;
    size_t n_before = 0, n_after = 0;
    assert_int_equal(base_file_read(&before, &n_before, path, 1 << 20, &mem, NULL), VG_OK);
    for (int64_t k = 1; k <= 3; k++) {
        mem.fail_in = k;
        assert_int_equal(weights_convert(pt, path, &mem, &err), VG_ERR_MEMORY);
    }
    assert_int_equal(base_file_read(&after, &n_after, path, 1 << 20, &mem, NULL), VG_OK);
    assert_int_equal(n_before, n_after);
    assert_memory_equal(before, after, n_before);
    base_free(before);
    base_free(after);
    weights_close(&pt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_real_checkpoint_keeps_all_it_says),
        TEST(views_become_contiguous),
        TEST(a_safetensors_file_is_copied_byte_for_byte_once_it_is_ours),
        TEST(metadata_that_we_do_not_know_are_kept),
        TEST(a_failed_conversion_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
