/* test_pt.c: checkpoints of torch 2.15 (tests/fixtures/weights, see make_fixtures.py there) and
 * forged ones. */
#include "support/test.h"

#include "weights/make.h"
#include "weights/weights.h"

static base_mem mem;
static make_zip z;
static make_bytes p;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    p.n = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static weights_file *open_fixture(const char *name)
{
    char path[1024];
    vg_error err;
    weights_file *f = NULL;
    assert_true(base_path_join(path, sizeof path, TEST_FIXTURES_DIR "/weights", name));
    if (weights_open(&f, path, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return f;
}

static void refuse_fixture(const char *name, vg_status status, const char *what)
{
    char path[1024];
    vg_error err;
    weights_file *f = NULL;
    assert_true(base_path_join(path, sizeof path, TEST_FIXTURES_DIR "/weights", name));
    assert_int_equal(weights_open(&f, path, &mem, &err), status);
    assert_null(f);
    if (strstr(err.what, what) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", err.what, what);
    assert_non_null(strstr(err.where, name));
    assert_true(err.mend[0] != '\0');
}

static void expect(const weights_file *f, const char *name, weights_dtype dtype,
                   const float *values, size_t n)
{
    float got[16];
    const weights_tensor *t = weights_find(f, name);
    if (t == NULL)
        fail_msg("no tensor %s", name);
    assert_int_equal(t->dtype, dtype);
    assert_int_equal(t->n_elements, n);
    weights_to_float(got, t);
    for (size_t i = 0; i < n; i++)
        if (got[i] != values[i])
            fail_msg("%s[%zu] is %g, not %g", name, i, (double)got[i], (double)values[i]);
}

#define EXPECT(f, name, dtype, ...)                                                                \
    expect(f, name, dtype, (const float[]){__VA_ARGS__},                                           \
           sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

static void the_ema_of_an_unstripped_checkpoint_is_taken(void **state)
{
    (void)state;
    weights_file *f = open_fixture("unstripped.pt");
    const weights_meta *m = weights_get_meta(f);
    assert_string_equal(m->chosen, "ema");
    EXPECT(f, "model.0.conv.weight", WEIGHTS_F32, 1000, 1001, 1002, 1003, 1004, 1005);
    assert_int_equal(m->epoch, 3);
    assert_int_equal(m->n_classes, 2);
    assert_string_equal(m->names[0], "red \"cell\"");
    assert_string_equal(m->names[1], "wei\xc3\x9f"
                                     "e Zelle");
    assert_int_equal(m->n_strides, 3);
    assert_true(m->strides[2] == 32);
    assert_string_equal(m->scale, "n");
    weights_close(&f);
}

static void views_shared_storages_and_every_dtype_are_read(void **state)
{
    (void)state;
    weights_file *f = open_fixture("unstripped.pt");
    assert_int_equal(weights_count(f), 11);
    EXPECT(f, "model.1.columns", WEIGHTS_F32, 101, 105, 109, 102, 106, 110, 103, 107, 111);
    EXPECT(f, "model.1.shared", WEIGHTS_F32, 104, 105, 106, 107);
    EXPECT(f, "model.1.brain", WEIGHTS_BF16, -2, -1, 0, 1, 2);
    EXPECT(f, "model.1.mask", WEIGHTS_BOOL, 1, 0, 1);
    EXPECT(f, "model.1.repeated", WEIGHTS_F32, 7, 7, 7);
    EXPECT(f, "model.0.bn.running_mean", WEIGHTS_F32, 1, 2, 3);
    EXPECT(f, "model.0.bn.num_batches_tracked", WEIGHTS_I64, 0);
    assert_int_equal(weights_find(f, "model.0.bn.num_batches_tracked")->n_dims, 0);
    /* shared lies inside the storage of columns: nothing was copied. */
    assert_ptr_equal((const char *)weights_find(f, "model.1.columns")->data + 3 * sizeof(float),
                     weights_find(f, "model.1.shared")->data);
    assert_null(weights_find(f, "model.1.absent"));
    assert_null(weights_find(f, "model.1.passing")); /* a buffer that state_dict leaves out */
    weights_close(&f);
}

static void unknown_classes_are_counted_and_stay_inert(void **state)
{
    (void)state;
    weights_file *f = open_fixture("unstripped.pt");
    assert_int_equal(weights_get_meta(f)->n_unknown_classes, 1);
    assert_string_equal(weights_get_meta(f)->unknown_class, "somebody.plugins.Gadget");
    weights_close(&f);
}

static void yaml_and_arguments_are_json(void **state)
{
    (void)state;
    weights_file *f = open_fixture("unstripped.pt");
    assert_string_equal(
        weights_get_meta(f)->model_yaml,
        "{\"nc\":2,\"scale\":\"n\",\"ch\":3,\"backbone\":[[-1,1,\"Conv\",[64,3,2]]],\"head\":[],"
        "\"eps\":0.001,\"flag\":true,\"none\":null,\"far\":null}");
    assert_string_equal(weights_get_meta(f)->train_args,
                        "{\"imgsz\":640,\"data\":\"/data/cells.yaml\"}");
    weights_close(&f);
}

static void plain_state_dicts_are_taken(void **state)
{
    (void)state;
    weights_file *f = open_fixture("state_dict.pt");
    assert_int_equal(weights_count(f), 2);
    EXPECT(f, "a.weight", WEIGHTS_F64, 0, 1, 2, 3, 4, 5);
    EXPECT(f, "a.bias", WEIGHTS_I32, 0, 1, 2);
    assert_string_equal(weights_get_meta(f)->model_yaml, "");
    weights_close(&f);
    f = open_fixture("nested_state_dict.pt");
    EXPECT(f, "b", WEIGHTS_I64, 5);
    assert_string_equal(weights_get_meta(f)->chosen, "state_dict");
    weights_close(&f);
}

/* Tensors that carry Python attributes are wrapped once more. */
static void tensors_with_attributes_are_read(void **state)
{
    (void)state;
    weights_file *f = open_fixture("attributes.pt");
    EXPECT(f, "t", WEIGHTS_F32, 1, 2, 3);
    EXPECT(f, "p", WEIGHTS_F32, 4, 5);
    weights_close(&f);
}

static void other_forms_of_torch_are_told_apart(void **state)
{
    (void)state;
    refuse_fixture("legacy.pt", VG_ERR_UNSUPPORTED, "old format");
    refuse_fixture("torchscript.pt", VG_ERR_UNSUPPORTED, "TorchScript");
    refuse_fixture("quantized.pt", VG_ERR_UNSUPPORTED, "torch._utils._rebuild_qtensor");
}

/* ---- forged ---- */

static const float storage[] = {0, 1, 2, 3, 4, 5, 6, 7};

static void refuse_zip(vg_status status, const char *what)
{
    vg_error err = {0};
    weights_file *f = NULL;
    const vg_status st = weights_open_memory(&f, z.file.at, z.file.n, "forged.pt", &mem, &err);
    if (st != status || strstr(err.what, what) == NULL)
        fail_msg("%s: \"%s\" instead of \"%s\"", vg_status_name(st), err.what, what);
    assert_null(f);
    assert_non_null(strstr(err.where, "forged.pt"));
    assert_int_equal(mem.in_use_bytes, 0);
}

static void refuse(vg_status status, const char *what)
{
    make_checkpoint(&z, &p, storage, sizeof storage);
    refuse_zip(status, what);
}

static weights_file *accept(void)
{
    vg_error err;
    weights_file *f = NULL;
    make_checkpoint(&z, &p, storage, sizeof storage);
    if (weights_open_memory(&f, z.file.at, z.file.n, "forged.pt", &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return f;
}

/* {"t": tensor} */
static void one_tensor(const char *storage_class, uint32_t numel, uint32_t offset, int n_dims,
                       uint32_t size0, uint32_t size1, uint32_t stride0, uint32_t stride1)
{
    p.n = 0;
    MAKE_ADD(&p, "\x80\2}");
    make_text(&p, "t");
    make_tensor(&p, storage_class, numel, offset, n_dims, (const uint32_t[]){size0, size1},
                (const uint32_t[]){stride0, stride1});
    MAKE_ADD(&p, "s.");
}

static void a_tensor_must_lie_in_its_storage(void **state)
{
    (void)state;
    static const char beyond[] = "reach beyond its storage";
    one_tensor("FloatStorage", 8, 2, 2, 2, 3, 3, 1);
    weights_file *f = accept();
    EXPECT(f, "t", WEIGHTS_F32, 2, 3, 4, 5, 6, 7);
    weights_close(&f);
    one_tensor("FloatStorage", 8, 3, 2, 2, 3, 3, 1);
    refuse(VG_ERR_FORMAT, beyond);
    one_tensor("FloatStorage", 8, 2, 2, 2, 3, 4, 1);
    refuse(VG_ERR_FORMAT, beyond);
    one_tensor("FloatStorage", 8, 8, 0, 0, 0, 0, 0);
    refuse(VG_ERR_FORMAT, beyond);
    one_tensor("FloatStorage", 8, 0x7fffffff, 2, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff);
    refuse(VG_ERR_FORMAT, beyond);
    one_tensor("FloatStorage", 8, 9, 2, 0, 3, 1, 1); /* empty, but from beyond the end */
    refuse(VG_ERR_FORMAT, beyond);
    one_tensor("FloatStorage", 9, 0, 1, 9, 0, 1, 0);
    refuse(VG_ERR_FORMAT, "should have 9 elements of F32, but the zip's entry has 32 bytes");
    one_tensor("DoubleStorage", 8, 0, 1, 1, 0, 1, 0);
    refuse(VG_ERR_FORMAT, "8 elements of F64");
    one_tensor("FloatStorage", 0x80000000, 0, 1, 1, 0, 1, 0); /* as LONG1 it is negative */
    refuse(VG_ERR_FORMAT, "not described");
    one_tensor("FloatStorage", 8, 0xffffffff, 1, 1, 0, 1, 0);
    refuse(VG_ERR_FORMAT, "offset");
    one_tensor("FloatStorage", 8, 0, 1, 0xffffffff, 0, 1, 0);
    refuse(VG_ERR_FORMAT, "size");
    one_tensor("FloatStorage", 8, 7, 1, 2, 0, 0xffffffff, 0); /* stride -1 */
    refuse(VG_ERR_FORMAT, "strides");
}

static void a_repeating_tensor_is_bounded(void **state)
{
    (void)state;
    one_tensor("FloatStorage", 8, 0, 1, 1 << 24, 0, 0, 0);
    weights_file *f = accept();
    assert_int_equal(weights_at(f, 0)->n_elements, 1 << 24);
    weights_close(&f);
    one_tensor("FloatStorage", 8, 0, 1, (1 << 24) + 1, 0, 0, 0);
    refuse(VG_ERR_LIMIT, "repeats");
    one_tensor("FloatStorage", 8, 0, 2, 0x7fffffff, 0x7fffffff, 0, 0);
    refuse(VG_ERR_LIMIT, "repeats");
}

static void a_missing_storage_is_refused(void **state)
{
    (void)state;
    one_tensor("FloatStorage", 8, 0, 1, 1, 0, 1, 0);
    make_checkpoint(&z, &p, NULL, 0);
    refuse_zip(VG_ERR_FORMAT, "no entry for its storage");
    one_tensor("ComplexFloatStorage", 8, 0, 1, 1, 0, 1, 0);
    refuse(VG_ERR_UNSUPPORTED, "torch.ComplexFloatStorage");
}

static void other_layouts_of_a_zip_are_refused(void **state)
{
    (void)state;
    one_tensor("FloatStorage", 8, 0, 1, 1, 0, 1, 0);
    make_zip_begin(&z);
    make_zip_entry(&z, "x/y/data.pkl", p.at, p.n);
    make_zip_finish(&z, 0);
    refuse_zip(VG_ERR_FORMAT, "no <name>/data.pkl");

    make_zip_begin(&z);
    make_zip_entry(&z, "x/data.pkl", p.at, p.n);
    make_zip_entry(&z, "y/data.pkl", p.at, p.n);
    make_zip_finish(&z, 0);
    refuse_zip(VG_ERR_FORMAT, "more than one data.pkl");

    static const char *orders[] = {"big", "little?", "", "Little"};
    for (size_t i = 0; i < 4; i++) {
        make_zip_begin(&z);
        make_zip_entry(&z, "x/data.pkl", p.at, p.n);
        make_zip_entry(&z, "x/byteorder", orders[i], strlen(orders[i]));
        make_zip_entry(&z, "x/data/0", storage, sizeof storage);
        make_zip_finish(&z, 0);
        refuse_zip(VG_ERR_UNSUPPORTED, "byte order");
    }

    make_checkpoint(&z, &p, storage, sizeof storage);
    make_patch(&z.file, z.entries[1].record_at + 10, 8, 2);
    make_patch(&z.file, z.entries[1].local_at + 8, 8, 2);
    refuse_zip(VG_ERR_UNSUPPORTED, "compressed");
}

static void a_pickle_without_a_model_is_refused(void **state)
{
    (void)state;
    static const char *without[] = {"N.",
                                    "}.",
                                    "].",
                                    "}U\5modelNs.",
                                    "}U\5modelK\1s.",
                                    "}U\3ema]s.",
                                    "cm\nC\n)R.",
                                    "}U\5modelcm\nC\n)Rs.",
                                    "}U\5model}s."};
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        p.n = 0;
        make_add(&p, without[i], strlen(without[i]));
        refuse(VG_ERR_FORMAT, "holds no model");
    }
}

/* A module whose dicts are the values that follow: BUILD comes from the caller. */
static void begin_module(void)
{
    MAKE_ADD(&p, "cm\nModule\n)\x81q\0}(U\13_parameters}U\10_buffers}U\10_modules}");
}

static void modules_that_contain_themselves_are_refused(void **state)
{
    (void)state;
    begin_module();
    MAKE_ADD(&p, "U\1ah\0sub.");
    refuse(VG_ERR_LIMIT, "contain themselves");
}

/* 30 modules, each with the next one as two children: 2^30 visits. */
static void modules_that_unfold_without_end_are_refused(void **state)
{
    (void)state;
    begin_module();
    MAKE_ADD(&p, "ub");
    for (int i = 0; i < 30; i++)
        MAKE_ADD(
            &p, "q\1"
                "0cm\nModule\n)\x81}(U\13_parameters}U\10_buffers}U\10_modules}(U\1ah\1U\1bh\1uub");
    MAKE_ADD(&p, ".");
    refuse(VG_ERR_LIMIT, "unfolds without end");
}

/* 5,000 buffers looked up in a set of 5,000: few bytes, much work. */
static void a_long_set_of_left_out_buffers_is_bounded(void **state)
{
    (void)state;
    MAKE_ADD(&p, "U\1aq\1"
                 "0U\1bq\2"
                 "0cm\nModule\n)\x81}(U\13_parameters}U\10_modules}U\33_non_persistent_buffers_"
                 "setcb\nset\n](");
    for (int i = 0; i < 5000; i++)
        MAKE_ADD(&p, "h\2");
    MAKE_ADD(&p, "e\x85RU\10_buffers}(");
    for (int i = 0; i < 5000; i++)
        MAKE_ADD(&p, "h\1h\1");
    MAKE_ADD(&p, "uub.");
    refuse(VG_ERR_LIMIT, "unfolds without end");
}

static void modules_must_be_what_torch_writes(void **state)
{
    (void)state;
    begin_module();
    MAKE_ADD(&p, "ub.");
    refuse(VG_ERR_FORMAT, "no tensors");
    p.n = 0;
    begin_module();
    MAKE_ADD(&p, "U\1aK\1sub.");
    refuse(VG_ERR_FORMAT, "has no _modules");
    p.n = 0;
    begin_module();
    MAKE_ADD(&p, "K\1h\0sub.");
    refuse(VG_ERR_FORMAT, "not a proper text");
    p.n = 0;
    begin_module();
    MAKE_ADD(&p, "U\2a\xff"
                 "h\0sub.");
    refuse(VG_ERR_FORMAT, "not a proper text");
    p.n = 0;
    MAKE_ADD(&p, "cm\nModule\n)\x81}(U\13_parameters}U\1wK\1sU\10_buffers}U\10_modules}ub.");
    refuse(VG_ERR_UNSUPPORTED, "a kind that is not read here");
}

static void shapes_and_names_have_limits(void **state)
{
    (void)state;
    static const uint32_t ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (int n_dims = 8; n_dims <= 9; n_dims++) {
        p.n = 0;
        MAKE_ADD(&p, "}U\1t");
        make_tensor(&p, "FloatStorage", 8, 0, n_dims, ones, ones);
        MAKE_ADD(&p, "s.");
        if (n_dims == 9) {
            refuse(VG_ERR_UNSUPPORTED, "9 dimensions");
            continue;
        }
        weights_file *f = accept();
        assert_int_equal(weights_at(f, 0)->n_dims, 8);
        weights_close(&f);
    }
    char name[514];
    memset(name, 'n', sizeof name);
    for (size_t n = 512; n <= 513; n++) {
        name[n] = '\0';
        p.n = 0;
        MAKE_ADD(&p, "}");
        make_text(&p, name);
        make_tensor(&p, "FloatStorage", 8, 0, 1, ones, ones);
        MAKE_ADD(&p, "s.");
        if (n == 513) {
            refuse(VG_ERR_LIMIT, "longer than 512");
            continue;
        }
        weights_file *f = accept();
        assert_int_equal(strlen(weights_at(f, 0)->name), 512);
        weights_close(&f);
        name[n] = 'n';
    }
}

/* A module with one parameter "w" and the attribute `name`, whose value the caller adds, then
 * "ub.". */
static void begin_model_with(const char *name)
{
    const uint32_t one[] = {1};
    p.n = 0;
    MAKE_ADD(&p, "cm\nModule\n)\x81}(U\13_parameters}U\1w");
    make_tensor(&p, "FloatStorage", 8, 0, 1, one, one);
    MAKE_ADD(&p, "sU\10_buffers}U\10_modules}");
    make_text(&p, name);
}

static void strides_must_be_positive(void **state)
{
    (void)state;
    const uint32_t two[] = {2}, one[] = {1};
    begin_model_with("stride");
    make_tensor(&p, "FloatStorage", 8, 1, 1, two, one); /* 1, 2 */
    MAKE_ADD(&p, "ub.");
    weights_file *f = accept();
    assert_int_equal(weights_get_meta(f)->n_strides, 2);
    assert_true(weights_get_meta(f)->strides[1] == 2);
    weights_close(&f);
    begin_model_with("stride");
    make_tensor(&p, "FloatStorage", 8, 0, 1, two, one); /* 0, 1 */
    MAKE_ADD(&p, "ub.");
    refuse(VG_ERR_FORMAT, "not a positive number");
    const uint32_t many[] = {65}, none[] = {0};
    begin_model_with("stride");
    make_tensor(&p, "FloatStorage", 8, 1, 1, many, none);
    MAKE_ADD(&p, "ub.");
    refuse(VG_ERR_LIMIT, "65 strides");
}

static void settings_that_are_no_text_or_deep_are_refused(void **state)
{
    (void)state;
    begin_model_with("yaml");
    MAKE_ADD(&p, "}U\5scaleU\1\xffsub.");
    refuse(VG_ERR_FORMAT, "not UTF-8");
    begin_model_with("yaml");
    MAKE_ADD(&p, "}NNsub.");
    refuse(VG_ERR_FORMAT, "key that is a None");
    begin_model_with("yaml");
    MAKE_ADD(&p, "}q\1U\1ah\1sub.");
    refuse(VG_ERR_LIMIT, "contain themselves");
    begin_model_with("names");
    MAKE_ADD(&p, "]U\1\xff"
                 "aub.");
    refuse(VG_ERR_FORMAT, "not UTF-8");
}

static void two_tensors_of_one_name_are_refused(void **state)
{
    (void)state;
    const uint32_t one[] = {1};
    MAKE_ADD(&p, "}");
    for (int i = 0; i < 2; i++) {
        make_text(&p, "same");
        make_tensor(&p, "FloatStorage", 8, 0, 1, one, one);
        MAKE_ADD(&p, "s");
    }
    MAKE_ADD(&p, ".");
    refuse(VG_ERR_FORMAT, "two tensors are named same");
}

static void names_of_classes_must_count_from_0(void **state)
{
    (void)state;
    static const char *bad[] = {"}(K\1U\1aK\1U\1bu",       "}K\1U\1as", "}(U\1aU\1bu", "]K\1a",
                                "}J\xff\xff\xff\xffU\1as", "K\5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin_model_with("names");
        make_add(&p, bad[i], strlen(bad[i]));
        MAKE_ADD(&p, "ub.");
        refuse(VG_ERR_FORMAT, "class names");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_ema_of_an_unstripped_checkpoint_is_taken),
        TEST(views_shared_storages_and_every_dtype_are_read),
        TEST(unknown_classes_are_counted_and_stay_inert),
        TEST(yaml_and_arguments_are_json),
        TEST(plain_state_dicts_are_taken),
        TEST(tensors_with_attributes_are_read),
        TEST(other_forms_of_torch_are_told_apart),
        TEST(a_tensor_must_lie_in_its_storage),
        TEST(a_repeating_tensor_is_bounded),
        TEST(a_missing_storage_is_refused),
        TEST(other_layouts_of_a_zip_are_refused),
        TEST(a_pickle_without_a_model_is_refused),
        TEST(modules_that_contain_themselves_are_refused),
        TEST(modules_that_unfold_without_end_are_refused),
        TEST(a_long_set_of_left_out_buffers_is_bounded),
        TEST(modules_must_be_what_torch_writes),
        TEST(shapes_and_names_have_limits),
        TEST(strides_must_be_positive),
        TEST(settings_that_are_no_text_or_deep_are_refused),
        TEST(two_tensors_of_one_name_are_refused),
        TEST(names_of_classes_must_count_from_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
