/* Looking at models and converting them, through vigil.h. */
#include "support/test.h"

#include "stream/scenes.h"
#include "vigil/vigil.h"

static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

static void a_yaml_s_name_is_a_model(void **state)
{
    (void)state;
    vg_model *m = NULL;
    vg_error err;
    vg_model_info info;
    assert_int_equal(vg_model_open(&m, "yolo11s.yaml", 640, 0, &err), VG_OK);
    vg_model_info_get(m, &info);
    assert_string_equal(info.name, "yolo11s");
    assert_string_equal(info.scale, "s");
    assert_string_equal(info.isa, "");
    assert_int_equal(info.n_params, 9458752);
    assert_int_equal(info.n_params_fused, 9443760);
    assert_int_equal(info.n_classes, 80);
    assert_int_equal(info.n_layers, 24);
    assert_true(info.gflops > 21.6 && info.gflops < 21.8);
    assert_string_equal(vg_model_class_name(m, 0), "");
    assert_int_equal(vg_model_n_levels(m), 3);
    assert_true(vg_model_stride(m, 0) == 8 && vg_model_stride(m, 2) == 32);
    assert_true(vg_model_stride(m, -1) == 0 && vg_model_stride(m, 3) == 0);
    const char *key, *value;
    assert_false(vg_model_fact(m, 0, &key, &value));
    vg_model_close(&m);
    assert_null(m);
    assert_int_equal(vg_model_open(&m, "yolo11n.yaml", 640, 3, &err), VG_OK);
    vg_model_info_get(m, &info);
    assert_int_equal(info.n_classes, 3);
    vg_model_close(&m);
}

static void layers_add_up_to_the_model(void **state)
{
    (void)state;
    vg_model *m = NULL;
    vg_model_info info;
    vg_layer l;
    int64_t n_params = 0;
    double gflops = 0;
    assert_int_equal(vg_model_open(&m, weights, 640, 0, NULL), VG_OK);
    vg_model_info_get(m, &info);
    assert_string_equal(info.format, "pt");
    for (int i = 0; i < info.n_layers; i++) {
        vg_model_layer(m, i, &l);
        assert_int_equal(l.index, i);
        assert_true(l.module[0] != 0);
        n_params += l.n_params;
        gflops += l.gflops;
    }
    assert_int_equal(n_params, info.n_params);
    assert_true(gflops > info.gflops * 0.999 && gflops < info.gflops * 1.001);
    vg_model_layer(m, 0, &l);
    assert_string_equal(l.module, "Conv");
    assert_int_equal(l.n_params, 464);
    assert_int_equal(l.c_out, 16);
    for (int outside = -1; outside <= info.n_layers; outside += info.n_layers + 1) {
        vg_model_layer(m, outside, &l);
        assert_string_equal(l.module, "");
        assert_int_equal(l.n_params, 0);
    }
    assert_string_equal(vg_model_class_name(m, 79), "class79");
    assert_string_equal(vg_model_class_name(m, 80), "");
    const char *key, *value;
    size_t n_facts = 0;
    bool has_tensors = false;
    while (vg_model_fact(m, n_facts, &key, &value)) {
        n_facts++;
        has_tensors = has_tensors || (strcmp(key, "tensors") == 0 && atoi(value) > 100);
    }
    assert_true(has_tensors);
    vg_model_close(&m);
}

static void wrong_models_are_refused(void **state)
{
    (void)state;
    vg_model *m = NULL;
    vg_error err;
    assert_int_equal(vg_model_open(&m, NULL, 640, 0, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_model_open(&m, "", 640, 0, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_model_open(&m, weights, 31, 0, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_model_open(&m, weights, 1 << 20, 0, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_model_open(&m, "/nowhere/a.pt", 640, 0, &err), VG_ERR_IO);
    assert_non_null(strstr(err.where, "/nowhere/a.pt"));
    assert_true(vg_model_open(&m, "yolo99z.yaml", 640, 0, &err) != VG_OK);
    assert_true(err.what[0] != 0);
    assert_null(m);
}

/* The table that is shown beforehand is the one that a detector shows afterwards. */
static void memory_is_foretold_with(bool augment)
{
    vg_model *m = NULL;
    vg_detector *d = NULL;
    vg_memory told, is;
    vg_error err;
    vg_options o = vg_options_default();
    o.weights = weights;
    o.imgsz = 192;
    o.batch = 2;
    o.threads = 2;
    o.augment = augment;
    assert_int_equal(vg_model_open(&m, weights, 192, 0, &err), VG_OK);
    assert_int_equal(vg_model_memory(m, 2, 2, "cpu", augment, &told, &err), VG_OK);
    assert_int_equal(vg_model_memory(m, 0, 2, "cpu", augment, &is, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_model_memory(m, 2, -1, "cpu", augment, &is, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_detector_open(&d, &o, &err), VG_OK);
    vg_detector_memory(d, &is);
    assert_int_equal(told.n_items, is.n_items);
    for (int i = 0; i < is.n_items; i++) {
        size_t a = told.items[i].planned_bytes, b = is.items[i].planned_bytes;
        assert_string_equal(told.items[i].owner, is.items[i].owner);
        size_t most_off = b / 50 + 1024;
        if (a > b + most_off || b > a + most_off)
            fail_msg("%s: %zu told, %zu planned", is.items[i].owner, a, b);
    }
    vg_detector_close(&d);
    vg_model_close(&m);
}

static void memory_is_foretold(void **state)
{
    (void)state;
    memory_is_foretold_with(false);
    memory_is_foretold_with(true);
}

/* ---- converting ---- */

static void a_converted_file_detects_the_same(void **state)
{
    (void)state;
    enum { W = 80, H = 60, MOST = 300 };
    char folder[256];
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    const char *paths[2] = {weights, scene_path(folder, "a.safetensors")};
    vg_error err;
    assert_int_equal(vg_convert(weights, paths[1], &err), VG_OK);
    assert_int_equal(folder_count_entries(folder), 1); /* no temporary file */
    uint8_t *rgb = scene_make(W, H, 3);
    vg_detection *found[2];
    size_t n[2];
    for (size_t i = 0; i < 2; i++) {
        vg_options o = vg_options_default();
        vg_detector *d = NULL;
        vg_image image = {.pixels = rgb, .width = W, .height = H};
        found[i] = calloc(MOST, sizeof **found);
        o.weights = paths[i];
        o.imgsz = 96;
        o.threads = 1;
        assert_int_equal(vg_detector_open(&d, &o, &err), VG_OK);
        assert_int_equal(vg_detect(d, found[i], MOST, &n[i], &image, NULL, &err), VG_OK);
        assert_string_equal(vg_detector_class_name(d, 11), "class11");
        vg_detector_close(&d);
    }
    assert_true(n[0] > 0);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(found[0], found[1], n[0] * sizeof **found);
    free(found[0]);
    free(found[1]);
    free(rgb);
    /* And again from its own kind, byte for byte. */
    size_t n_a, n_b;
    const char *again = scene_path(folder, "b.safetensors");
    assert_int_equal(vg_convert(paths[1], again, &err), VG_OK);
    char *a = scene_read(paths[1], &n_a), *b = scene_read(again, &n_b);
    assert_true(n_a > 1000000);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    free(a);
    free(b);
    folder_remove(folder);
}

static void a_failed_conversion_leaves_the_old_file(void **state)
{
    (void)state;
    char folder[256];
    vg_error err;
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    const char *out = scene_path(folder, "a.safetensors"), *in = scene_path(folder, "in.pt");
    scene_write_text(out, "old");
    scene_write_text(in, "no checkpoint");
    assert_true(vg_convert(in, out, &err) != VG_OK);
    assert_true(err.what[0] != 0);
    assert_int_equal(vg_convert(scene_path(folder, "none.pt"), out, &err), VG_ERR_IO);
    assert_int_equal(vg_convert(weights, scene_path(folder, "no/a.safetensors"), &err), VG_ERR_IO);
    assert_int_equal(vg_convert(NULL, out, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_convert(weights, NULL, &err), VG_ERR_ARGUMENT);
    char *text = scene_read(out, NULL);
    assert_string_equal(text, "old");
    free(text);
    assert_int_equal(folder_count_entries(folder), 2);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_yaml_s_name_is_a_model),
        cmocka_unit_test(layers_add_up_to_the_model),
        cmocka_unit_test(wrong_models_are_refused),
        cmocka_unit_test(memory_is_foretold),
        cmocka_unit_test(a_converted_file_detects_the_same),
        cmocka_unit_test(a_failed_conversion_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
