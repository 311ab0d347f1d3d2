/* test_generator.c: the golden state dict is what the generator says, and the reader hands it over
 * bit by bit. */
#include "support/test.h"

#include <inttypes.h>

#include "support/generator.h"
#include "weights/weights.h"

static weights_file *open_golden(const char *name, base_mem *mem)
{
    char path[1024];
    weights_file *f = NULL;
    vg_error err;
    assert_true(base_path_join(path, sizeof path, TEST_GOLDEN_DIR, name));
    if (weights_open(&f, path, mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return f;
}

static const weights_tensor *must_find(const weights_file *f, const char *name)
{
    const weights_tensor *t = weights_find(f, name);
    if (t == NULL)
        fail_msg("no tensor %s", name);
    return t;
}

static void units_equal_the_checks_for_three_seeds(void **state)
{
    (void)state;
    base_mem mem;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    weights_file *f = open_golden("generator_check.safetensors", &mem);
    size_t n_seen = 0;
    for (size_t i = 0; i < weights_count(f); i++) {
        const weights_tensor *t = weights_at(f, i);
        uint64_t seed = 0;
        if (sscanf(t->name, "raw_v/seed%" SCNu64, &seed) != 1)
            continue;
        float expected[64];
        assert_true(t->n_elements <= 64 && t->dtype == WEIGHTS_F32);
        weights_to_float(expected, t);
        for (size_t k = 0; k < t->n_elements; k++) {
            const float got = generator_unit("model.0.conv.weight", seed, k);
            assert_memory_equal(&got, &expected[k], sizeof got);
        }
        n_seen++;
    }
    assert_int_equal(n_seen, 3);
    weights_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_tensor_of_the_state_dict_is_generated_bit_exactly(void **state)
{
    (void)state;
    base_mem mem;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    weights_file *f = open_golden("yolo11n_random.safetensors", &mem);
    weights_file *check = open_golden("generator_check.safetensors", &mem);
    uint64_t sum = 0, n_floats = 0;
    assert_int_equal(weights_count(f), 418);
    for (size_t i = 0; i < weights_count(f); i++) {
        const weights_tensor *t = weights_at(f, i);
        float *made = base_alloc(&mem, t->n_elements * sizeof *made, NULL);
        float *read = base_alloc(&mem, t->n_elements * sizeof *read, NULL);
        if (!generator_fill(made, t->name, t->shape, t->n_dims, 0, 8.0))
            fail_msg("no rule for %s", t->name);
        weights_to_float(read, t);
        if (memcmp(made, read, t->n_elements * sizeof *made) != 0)
            fail_msg("%s differs from the generator", t->name);
        sum = generator_sum(sum, made, t->n_elements);
        n_floats += t->n_elements;

        char name[256];
        float first[4];
        base_format(name, sizeof name, "n.first4/%s", t->name);
        const weights_tensor *four = must_find(check, name);
        weights_to_float(first, four);
        assert_memory_equal(first, made, four->n_elements * sizeof(float));
        base_free(made);
        base_free(read);
    }
    int64_t expected = 0;
    memcpy(&expected, must_find(check, "n.wsum_u64_as_i64")->data, sizeof expected);
    assert_int_equal((int64_t)sum, expected);
    memcpy(&expected, must_find(check, "n.n_state_floats")->data, sizeof expected);
    assert_int_equal(n_floats, expected);
    char text[32];
    base_format(text, sizeof text, "%" PRIu64, sum);
    assert_string_equal(weights_metadata_get(f, "wsum_u64"), text);
    weights_close(&check);
    weights_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The .pt is a genuine one, so the unpickler meets what torch really writes. */
static void the_pt_holds_the_same_tensors_rounded_to_f16(void **state)
{
    (void)state;
    base_mem mem;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    weights_file *f = open_golden("yolo11n_random.safetensors", &mem);
    weights_file *pt = open_golden("yolo11n_random.pt", &mem);
    size_t n_common = 0;
    for (size_t i = 0; i < weights_count(pt); i++) {
        const weights_tensor *half = weights_at(pt, i), *full = weights_find(f, half->name);
        if (full == NULL) { /* the state dict leaves the counters out */
            assert_true(half->dtype == WEIGHTS_I64 && half->n_dims == 0 && half->n_elements == 1);
            continue;
        }
        n_common++;
        assert_int_equal(half->dtype, WEIGHTS_F16);
        assert_int_equal(half->n_dims, full->n_dims);
        assert_memory_equal(half->shape, full->shape, sizeof half->shape);
        for (size_t k = 0; k < full->n_elements; k++) {
            float value;
            uint16_t expected, got;
            memcpy(&value, (const uint8_t *)full->data + k * sizeof value, sizeof value);
            memcpy(&got, (const uint8_t *)half->data + k * sizeof got, sizeof got);
            expected = weights_f32_to_f16(value);
            if (got != expected)
                fail_msg("%s[%zu] is 0x%04x, not 0x%04x", half->name, k, got, expected);
        }
    }
    assert_int_equal(n_common, 418);
    weights_close(&pt);
    weights_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void the_pt_tells_its_model_names_strides_and_arguments(void **state)
{
    (void)state;
    base_mem mem;
    vg_error err;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    weights_file *pt = open_golden("yolo11n_random.pt", &mem);
    const weights_meta *m = weights_get_meta(pt);
    assert_string_equal(m->source, "pt");
    assert_string_equal(m->chosen, "model");
    assert_string_equal(m->scale, "n");
    assert_string_equal(m->version, "8.3.9");
    assert_string_equal(m->date, "2024-10-10T12:00:00");
    assert_int_equal(m->epoch, -1);
    assert_int_equal(m->n_unknown_classes, 0);
    assert_string_equal(m->unknown_class, "");
    assert_int_equal(m->n_classes, 80);
    assert_string_equal(m->names[0], "class0");
    assert_string_equal(m->names[79], "class79");
    assert_int_equal(m->n_strides, 3);
    assert_true(m->strides[0] == 8 && m->strides[1] == 16 && m->strides[2] == 32);

    base_tree *yaml = NULL, *args = NULL;
    assert_int_equal(
        base_tree_from_yaml(&yaml, m->model_yaml, strlen(m->model_yaml), "yaml", &mem, &err),
        VG_OK);
    const base_node *root = base_tree_root(yaml);
    assert_int_equal(base_node_get(root, "nc")->i, 80);
    assert_int_equal(base_node_get(root, "backbone")->n_children, 11);
    assert_int_equal(base_node_get(root, "head")->n_children, 13);
    const base_node *scale = base_node_get(base_node_get(root, "scales"), "x");
    assert_true(base_node_at(scale, 1)->real == 1.5 && base_node_at(scale, 2)->i == 512);
    const base_node *c3k2 = base_node_at(base_node_get(root, "backbone"), 2);
    assert_string_equal(base_node_at(c3k2, 2)->text, "C3k2");
    assert_true(base_node_at(base_node_at(c3k2, 3), 2)->real == 0.25);
    assert_int_equal(
        base_tree_from_json(&args, m->train_args, strlen(m->train_args), "args", &mem, &err),
        VG_OK);
    assert_int_equal(base_node_get(base_tree_root(args), "imgsz")->i, 320);
    assert_true(base_node_get(base_tree_root(args), "momentum")->real == 0.937);
    base_tree_destroy(&args);
    base_tree_destroy(&yaml);
    weights_close(&pt);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_equal_the_checks_for_three_seeds),
        cmocka_unit_test(every_tensor_of_the_state_dict_is_generated_bit_exactly),
        cmocka_unit_test(the_pt_holds_the_same_tensors_rounded_to_f16),
        cmocka_unit_test(the_pt_tells_its_model_names_strides_and_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
