/* test_safetensors.c: the format's rules, each broken once; and the writer. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "weights/weights.h"

static base_mem mem;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    return 0;
}

static int no_memory_is_left(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

/* length, header, n_data bytes 0, 1, 2, ... */
static size_t compose(uint8_t *bytes, size_t room, const char *header, size_t n_data)
{
    const uint64_t length = strlen(header);
    assert_true(8 + length + n_data <= room);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < n_data; i++)
        bytes[8 + length + i] = (uint8_t)i;
    return 8 + length + n_data;
}

static weights_file *accept(const char *header, size_t n_data)
{
    static uint8_t bytes[4096];
    vg_error err;
    weights_file *f = NULL;
    const size_t n = compose(bytes, sizeof bytes, header, n_data);
    if (weights_open_memory(&f, bytes, n, "file", &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return f;
}

static void refuse(const char *header, size_t n_data, vg_status expected, const char *what)
{
    uint8_t bytes[4096];
    vg_error err = {0};
    weights_file *f = NULL;
    const size_t n = compose(bytes, sizeof bytes, header, n_data);
    const vg_status st = weights_open_memory(&f, bytes, n, "file", &mem, &err);
    assert_null(f);
    if (st != expected || strstr(err.what, what) == NULL)
        fail_msg("%s: \"%s\" instead of \"%s\" for %s", vg_status_name(st), err.what, what, header);
    assert_true(strncmp(err.where, "file", 4) == 0);
}

static void tensors_keep_order_shape_and_place(void **state)
{
    (void)state;
    weights_file *f = accept("{\"z\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[4,10]},"
                             "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                             "\"e\":{\"dtype\":\"F16\",\"shape\":[0,7],\"data_offsets\":[4,4]}}   ",
                             10);
    assert_int_equal(weights_count(f), 3);
    const weights_tensor *z = weights_at(f, 0);
    assert_string_equal(z->name, "z");
    assert_int_equal(z->dtype, WEIGHTS_U8);
    assert_int_equal(z->n_dims, 2);
    assert_int_equal(z->stride[0], 3);
    assert_int_equal(z->stride[1], 1);
    assert_int_equal(((const uint8_t *)z->data)[0], 4);
    assert_ptr_equal(weights_find(f, "a"), weights_at(f, 1));
    assert_int_equal(weights_find(f, "a")->n_elements, 1);
    assert_int_equal(weights_find(f, "e")->n_elements, 0);
    assert_null(weights_find(f, "b"));
    assert_string_equal(weights_get_meta(f)->model_yaml, "");
    assert_string_equal(weights_get_meta(f)->source, "safetensors");
    weights_close(&f);
    assert_null(f);
}

static void a_file_may_hold_no_tensor(void **state)
{
    (void)state;
    weights_file *f = accept("{}", 0);
    assert_int_equal(weights_count(f), 0);
    assert_null(weights_find(f, "a"));
    weights_close(&f);
}

/* A file says what it likes: only what can be a size is one. */
static void the_size_of_training_is_read_and_not_trusted(void **state)
{
    (void)state;
    static const struct {
        const char *args;
        int h, w;
    } rows[] = {
        {"{\\\"imgsz\\\": 160}", 160, 160},
        {"{\\\"imgsz\\\": [480, 640]}", 480, 640},
        {"{\\\"imgsz\\\": [640]}", 640, 640},
        {"{\\\"imgsz\\\": 32}", 32, 32},
        {"{\\\"imgsz\\\": 8192}", 8192, 8192},
        {"{\\\"imgsz\\\": 31}", 0, 0},
        {"{\\\"imgsz\\\": 8193}", 0, 0},
        {"{\\\"imgsz\\\": -640}", 0, 0},
        {"{\\\"imgsz\\\": 9e99}", 0, 0},
        {"{\\\"imgsz\\\": \\\"640\\\"}", 0, 0},
        {"{\\\"imgsz\\\": null}", 0, 0},
        {"{\\\"imgsz\\\": []}", 0, 0},
        {"{\\\"imgsz\\\": [640, -1]}", 0, 0},
        {"{\\\"imgsz\\\": [1, 2, 3]}", 0, 0},
        {"{\\\"imgsz\\\": {\\\"a\\\": 1}}", 0, 0},
        {"{\\\"imgsz\\\": 99999999999999999999}", 0, 0},
        {"{\\\"epochs\\\": 3}", 0, 0},
        {"{\\\"imgsz\\\": 6", 0, 0},
        {"[160]", 0, 0},
        {"160", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[256];
        snprintf(header, sizeof header, "{\"__metadata__\":{\"train_args\":\"%s\"}}", rows[i].args);
        weights_file *f = accept(header, 0);
        const base_size got = weights_get_meta(f)->imgsz;
        if (got.h != rows[i].h || got.w != rows[i].w)
            fail_msg("%s: %d,%d", rows[i].args, got.h, got.w);
        weights_close(&f);
    }
}

static void metadata_tell_names_and_strides(void **state)
{
    (void)state;
    weights_file *f = accept("{\"__metadata__\":{\"names\":\"[\\\"a\\\",\\\"b "
                             "c\\\"]\",\"stride\":\"[8,16.0]\",\"scale\":\"x\","
                             "\"epoch\":\"12\",\"mine\":\"kept\"}}",
                             0);
    const weights_meta *m = weights_get_meta(f);
    assert_int_equal(m->n_classes, 2);
    assert_string_equal(m->names[1], "b c");
    assert_int_equal(m->n_strides, 2);
    assert_true(m->strides[1] == 16);
    assert_string_equal(m->scale, "x");
    assert_int_equal(m->epoch, 12);
    assert_string_equal(weights_metadata_get(f, "mine"), "kept");
    assert_null(weights_metadata_get(f, "other"));
    weights_close(&f);
}

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void broken_rules_are_refused(void **state)
{
    (void)state;
    refuse(ONE("\"F32\"", "[2]", "[0,8]"), 7, VG_ERR_FORMAT, "not inside the 7 bytes");
    refuse(ONE("\"F32\"", "[2]", "[0,8]"), 9, VG_ERR_FORMAT, "last 1 bytes belong to no tensor");
    refuse(ONE("\"F32\"", "[2]", "[4,12]"), 12, VG_ERR_FORMAT, "bytes of no tensor");
    refuse(ONE("\"F32\"", "[3]", "[0,8]"), 8, VG_ERR_FORMAT, "need another number");
    refuse(ONE("\"F32\"", "[2]", "[8,0]"), 8, VG_ERR_FORMAT, "not inside");
    refuse(ONE("\"F32\"", "[2]", "[-8,0]"), 8, VG_ERR_FORMAT, "not inside");
    refuse(ONE("\"F32\"", "[2]", "[0.0,8.0]"), 8, VG_ERR_FORMAT, "two whole numbers");
    refuse(ONE("\"F32\"", "[2]", "[0]"), 8, VG_ERR_FORMAT, "two whole numbers");
    refuse(ONE("\"F32\"", "[2]", "[0,8,8]"), 8, VG_ERR_FORMAT, "two whole numbers");
    refuse(ONE("\"F32\"", "[2]", "8"), 8, VG_ERR_FORMAT, "two whole numbers");
    refuse(ONE("\"F32\"", "[-2]", "[0,8]"), 8, VG_ERR_FORMAT, "whole numbers from 0");
    refuse(ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, VG_ERR_FORMAT, "whole numbers from 0");
    refuse(ONE("\"F32\"", "{}", "[0,8]"), 8, VG_ERR_FORMAT, "not a list");
    refuse(ONE("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, VG_ERR_FORMAT,
           "more elements than memory");
    refuse(ONE("\"F32\"", "[4611686018427387904,3]", "[0,0]"), 0, VG_ERR_FORMAT,
           "more elements than memory"); /* fits 64 bits, but not with a sign: fuzz_safetensors */
    refuse(ONE("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, VG_ERR_FORMAT,
           "need another number");
    refuse(ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, VG_ERR_UNSUPPORTED, "9 dimensions");
    refuse(ONE("\"F8_E4M3\"", "[2]", "[0,2]"), 2, VG_ERR_UNSUPPORTED, "F8_E4M3");
    refuse(ONE("1", "[2]", "[0,2]"), 2, VG_ERR_FORMAT, "no dtype");
    refuse("{\"a\":[]}", 0, VG_ERR_FORMAT, "no dtype");
    refuse("{\"a\":1,\"a\":2}", 0, VG_ERR_FORMAT, "");
    refuse("{\"a\":", 0, VG_ERR_FORMAT, "");
    refuse("{\"__metadata__\":[]}", 0, VG_ERR_FORMAT, "not a map");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, VG_ERR_FORMAT, "not a text");
    refuse("{\"__metadata__\":{\"names\":\"{'a'}\"}}", 0, VG_ERR_FORMAT, "names");
    refuse("{\"__metadata__\":{\"names\":\"[1]\"}}", 0, VG_ERR_FORMAT, "names");
    refuse("{\"__metadata__\":{\"stride\":\"[0]\"}}", 0, VG_ERR_FORMAT, "positive");
    refuse("{\"__metadata__\":{\"epoch\":\"soon\"}}", 0, VG_ERR_FORMAT, "epoch");
    refuse("[]", 0, VG_ERR_FORMAT, "neither safetensors nor a zip");
}

static void overlap_is_refused_and_names_the_tensor(void **state)
{
    (void)state;
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, VG_ERR_FORMAT, "overlaps");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
           8, VG_ERR_FORMAT, "overlaps");
}

static void a_header_longer_than_the_file_is_refused_before_it_is_read(void **state)
{
    (void)state;
    const uint64_t lengths[] = {3, 1000, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t bytes[10] = {0};
        vg_error err;
        weights_file *f = NULL;
        memcpy(bytes, &lengths[i], 8);
        memcpy(bytes + 8, "{}", 2);
        assert_int_equal(weights_open_memory(&f, bytes, sizeof bytes, "file", &mem, &err),
                         VG_ERR_FORMAT);
        assert_non_null(strstr(err.what, "header should have"));
        assert_true(mem.peak_bytes < 1 << 17);
    }
}

static void files_that_are_something_else_are_told_apart(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t n;
        vg_status status;
        const char *what;
    } cases[] = {
        {"", 0, VG_ERR_FORMAT, "empty"},
        {"hello", 5, VG_ERR_FORMAT, "a text"},
        {"nc: 80 # a YAML file", 20, VG_ERR_FORMAT, "a text"},
        {"\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M", 18, VG_ERR_UNSUPPORTED,
         "old format (bare pickle)"},
        {"\x80\2}q\0X\3\0\0\0abc", 13, VG_ERR_UNSUPPORTED, "bare pickle"},
        {"PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, VG_ERR_FORMAT, "zip is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vg_error err;
        weights_file *f = NULL;
        assert_int_equal(weights_open_memory(&f, (const uint8_t *)cases[i].bytes, cases[i].n,
                                             "file", &mem, &err),
                         cases[i].status);
        if (strstr(err.what, cases[i].what) == NULL)
            fail_msg("case %zu: %s", i, err.what);
        assert_true(err.mend[0] != '\0');
    }
}

static void a_missing_file_is_an_io_error(void **state)
{
    (void)state;
    vg_error err;
    weights_file *f = NULL;
    assert_int_equal(weights_open(&f, TEST_FIXTURES_DIR "/weights/there-is-none.pt", &mem, &err),
                     VG_ERR_IO);
    assert_null(f);
}

/* ---- the writer ---- */

static char path[64];

static int setup_path(void **state)
{
    base_format(path, sizeof path, "/tmp/vigil-test-%ld.safetensors", (long)getpid());
    return setup(state);
}

static int remove_path(void **state)
{
    unlink(path);
    return no_memory_is_left(state);
}

static const float values[] = {1.0f, -2.5f, 65504.0f, 1e-8f, 0.1f, 3.0f};
static const int64_t counters[] = {7};
static const uint8_t flags[] = {1, 0, 1};

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    const weights_write_tensor tensors[] = {
        {.name = "flags", .dtype = WEIGHTS_BOOL, .n_dims = 1, .shape = {3}, .data = flags},
        {.name = "f16", .dtype = WEIGHTS_F16, .n_dims = 2, .shape = {2, 3}, .data = values},
        {.name = "bf16", .dtype = WEIGHTS_BF16, .n_dims = 2, .shape = {3, 2}, .data = values},
        {.name = "f32 \"quoted\" \xc3\xa4\n",
         .dtype = WEIGHTS_F32,
         .n_dims = 1,
         .shape = {6},
         .data = values},
        {.name = "none", .dtype = WEIGHTS_F32, .n_dims = 2, .shape = {0, 4}, .data = NULL},
        {.name = "counter", .dtype = WEIGHTS_I64, .data = counters},
    };
    const weights_write_meta meta[] = {{"model_yaml", "{\"nc\": 1}"}, {"names", "[\"cell\\n\"]"}};
    vg_error err;
    weights_file *f = NULL;
    if (weights_write_safetensors(path, tensors, 6, meta, 2, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    if (weights_open(&f, path, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    assert_int_equal(weights_count(f), 6);
    for (size_t i = 0; i < 6; i++) { /* in the order given, wherever their data lie */
        const weights_tensor *t = weights_at(f, i);
        assert_string_equal(t->name, tensors[i].name);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_memory_equal(t->shape, tensors[i].shape, sizeof t->shape);
        assert_int_equal((uintptr_t)t->data % weights_dtype_bytes(t->dtype), 0);
    }
    float got[6];
    weights_to_float(got, weights_at(f, 1));
    for (size_t k = 0; k < 6; k++)
        assert_true(got[k] == weights_f16_to_f32(weights_f32_to_f16(values[k])));
    weights_to_float(got, weights_at(f, 2));
    for (size_t k = 0; k < 6; k++)
        assert_true(got[k] == weights_bf16_to_f32(weights_f32_to_bf16(values[k])));
    assert_memory_equal(weights_at(f, 3)->data, values, sizeof values);
    assert_memory_equal(weights_at(f, 5)->data, counters, sizeof counters);
    assert_memory_equal(weights_at(f, 0)->data, flags, sizeof flags);
    assert_string_equal(weights_get_meta(f)->model_yaml, "{\"nc\": 1}");
    assert_string_equal(weights_get_meta(f)->names[0], "cell\n");
    weights_forget_pages(f);
    assert_memory_equal(weights_at(f, 3)->data, values, sizeof values);
    weights_close(&f);
}

static void data_begin_on_a_multiple_of_64(void **state)
{
    (void)state;
    for (size_t n_name = 1; n_name < 70; n_name++) {
        char name[80];
        memset(name, 'n', n_name);
        name[n_name] = '\0';
        const weights_write_tensor t = {
            .name = name, .dtype = WEIGHTS_F32, .n_dims = 1, .shape = {6}, .data = values};
        vg_error err;
        struct stat st;
        assert_int_equal(weights_write_safetensors(path, &t, 1, NULL, 0, &mem, &err), VG_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(((size_t)st.st_size - sizeof values) % 64, 0);
    }
}

static void a_large_half_tensor_is_converted_in_parts(void **state)
{
    (void)state;
    enum { N = 10001 };
    float *many = base_alloc(&mem, N * sizeof *many, NULL);
    float *back = base_alloc(&mem, N * sizeof *back, NULL);
    for (int i = 0; i < N; i++)
        many[i] = (float)(i % 2048);
    const weights_write_tensor t = {
        .name = "t", .dtype = WEIGHTS_F16, .n_dims = 1, .shape = {N}, .data = many};
    vg_error err;
    weights_file *f = NULL;
    assert_int_equal(weights_write_safetensors(path, &t, 1, NULL, 0, &mem, &err), VG_OK);
    assert_int_equal(weights_open(&f, path, &mem, &err), VG_OK);
    weights_to_float(back, weights_at(f, 0));
    assert_memory_equal(many, back, N * sizeof *many);
    weights_close(&f);
    base_free(many);
    base_free(back);
}

static void wrong_arguments_write_nothing(void **state)
{
    (void)state;
    const weights_write_tensor good = {
        .name = "a", .dtype = WEIGHTS_F32, .n_dims = 1, .shape = {6}, .data = values};
    weights_write_tensor two[] = {good, good};
    vg_error err;
    assert_int_equal(weights_write_safetensors(path, two, 2, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    two[1].name = "__metadata__";
    assert_int_equal(weights_write_safetensors(path, two, 2, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    two[1].name = "not UTF-8: \xff";
    assert_int_equal(weights_write_safetensors(path, two, 2, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    two[1].name = "b";
    two[1].shape[0] = -1;
    assert_int_equal(weights_write_safetensors(path, two, 2, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    two[1].n_dims = 9;
    assert_int_equal(weights_write_safetensors(path, two, 2, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    assert_false(base_path_exists(path));
    assert_int_equal(
        weights_write_safetensors("/nowhere/at/all/x.safetensors", &good, 1, NULL, 0, &mem, &err),
        VG_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tensors_keep_order_shape_and_place, setup,
                                        no_memory_is_left),
        cmocka_unit_test_setup_teardown(a_file_may_hold_no_tensor, setup, no_memory_is_left),
        cmocka_unit_test_setup_teardown(the_size_of_training_is_read_and_not_trusted, setup,
                                        no_memory_is_left),
        cmocka_unit_test_setup_teardown(metadata_tell_names_and_strides, setup, no_memory_is_left),
        cmocka_unit_test_setup_teardown(broken_rules_are_refused, setup, no_memory_is_left),
        cmocka_unit_test_setup_teardown(overlap_is_refused_and_names_the_tensor, setup,
                                        no_memory_is_left),
        cmocka_unit_test_setup_teardown(a_header_longer_than_the_file_is_refused_before_it_is_read,
                                        setup, no_memory_is_left),
        cmocka_unit_test_setup_teardown(files_that_are_something_else_are_told_apart, setup,
                                        no_memory_is_left),
        cmocka_unit_test_setup_teardown(a_missing_file_is_an_io_error, setup, no_memory_is_left),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, setup_path, remove_path),
        cmocka_unit_test_setup_teardown(data_begin_on_a_multiple_of_64, setup_path, remove_path),
        cmocka_unit_test_setup_teardown(a_large_half_tensor_is_converted_in_parts, setup_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(wrong_arguments_write_nothing, setup_path, remove_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
