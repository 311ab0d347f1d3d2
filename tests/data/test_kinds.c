/* test_kinds.c: label files of outlines, keypoints and folders, resampled outlines and masks
 * against the reference's (golden tasks/..._labels); what is no such file is named with file and
 * line. */
#include "support.h"

#include <math.h>

#include "data/kind.h"
#include "data/outline.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test"};

static vg_status parse(label_sink *sink, label_text_result *out, const label_form *form,
                       const char *text, size_t n, vg_error *err)
{
    char *copy = base_alloc(&mem, n + 1, NULL); /* of the exact size */
    memcpy(copy, text, n);
    copy[n] = '\0';
    vg_status st = label_text_parse(sink, out, copy, n, form, "l.txt", &mem, err);
    base_free(copy);
    return st;
}

static const char *key(const char *set, const char *name)
{
    static char text[96];
    base_format(text, sizeof text, "%s.%s", set, name);
    return text;
}

/* ---- rows against the reference ---- */

static void compare_rows(golden_file *g, const char *set, const label_sink *sink,
                         const label_form *form)
{
    size_t n;
    const float *rows = golden_f32(g, key(set, "rows"), &n);
    assert_int_equal(sink->n_labels, n / 5);
    for (size_t i = 0; i < sink->n_labels; i++) {
        const data_label *l = &sink->labels[i];
        assert_int_equal(l->class_index, (int)rows[5 * i]);
        for (size_t k = 0; k < 4; k++)
            if (fabsf(l->xywh_norm[k] - rows[5 * i + 1 + k]) > 1e-7f)
                fail_msg("%s, row %zu: %.9g instead of %.9g", set, i, (double)l->xywh_norm[k],
                         (double)rows[5 * i + 1 + k]);
        char name[32];
        base_format(name, sizeof name, "segment%zu", i);
        if (golden_has(g, key(set, name))) {
            const float *want = golden_f32(g, key(set, name), &n);
            assert_int_equal(l->n_points, n / 2);
            assert_memory_equal(sink->points + 2 * l->first_point, want, n * sizeof *want);
        }
        if (form->n_keypoints > 0) {
            const float *want = golden_f32(g, key(set, "keypoints"), &n);
            const size_t each = 3 * (size_t)form->n_keypoints;
            assert_int_equal(l->n_points, form->n_keypoints);
            assert_memory_equal(sink->points + 3 * l->first_point, want + i * each,
                                each * sizeof *want);
        }
    }
}

static void compare_file(golden_file *g, const char *set, const label_form *form)
{
    size_t n;
    label_sink sink = {0};
    label_text_result r;
    vg_error err = {0};
    const char *text = (const char *)golden_u8(g, key(set, "text"), &n);
    const int64_t *flags = golden_i64(g, key(set, "flags"), NULL); /* missing found empty corrupt */
    vg_status st = parse(&sink, &r, form, text, n, &err);
    if (flags[3] == 1) {
        if (st != VG_ERR_FORMAT || strcmp(err.where, "l.txt:1") != 0 || err.mend[0] == '\0')
            fail_msg("%s: status %d, %s at %s", set, st, err.what, err.where);
        assert_int_equal(sink.n_labels, 0);
        assert_int_equal(sink.n_points, 0);
    } else {
        if (st != VG_OK)
            fail_msg("%s: %s at %s", set, err.what, err.where);
        assert_int_equal(r.n_labels == 0, flags[2]);
        compare_rows(g, set, &sink, form);
    }
    label_sink_fini(&sink);
}

static void outlines_are_the_references(void **state)
{
    (void)state;
    /* Not class_eq_nc and fractional_class, which the reference lets pass. */
    static const char *const sets[] = {"polygons",     "duplicates",      "box_rows",    "mixed",
                                       "three_points", "two_points_only", "odd_count",   "over_one",
                                       "negative",     "class_over",      "blank_lines", "empty"};
    static const char *const rotated[] = {"corners", "five_numbers"};
    golden_file *g = golden_open("tasks/segment_labels.safetensors");
    label_form form = {.kind = &DATA_POLYGONS, .nc = 3};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        compare_file(g, sets[i], &form);
    golden_close(g);
    g = golden_open("tasks/obb_labels.safetensors");
    form.kind = &DATA_ROTATED;
    for (size_t i = 0; i < sizeof rotated / sizeof *rotated; i++)
        compare_file(g, rotated[i], &form);
    golden_close(g);
}

static void keypoints_are_the_references(void **state)
{
    (void)state;
    static const char *const sets[] = {"dim3",          "dim3_zero_point",
                                       "dim2",          "dim2_zero_point",
                                       "wrong_columns", "visibility_over_one_point_over",
                                       "box_over_one",  "negative_visibility",
                                       "empty"};
    golden_file *g = golden_open("tasks/pose_labels.safetensors");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const label_form form = {.kind = &DATA_KEYPOINTS,
                                 .nc = 2,
                                 .n_keypoints = 3,
                                 .keypoint_dims = base_starts_with(sets[i], "dim2") ? 2 : 3};
        compare_file(g, sets[i], &form);
    }
    golden_close(g);
}

static void refuse(const label_form *form, const char *text, const char *where, const char *what)
{
    label_sink sink = {0};
    label_text_result r;
    vg_error err = {0};
    assert_int_equal(parse(&sink, &r, form, text, strlen(text), &err), VG_ERR_FORMAT);
    if (!strstr(err.what, what) || strcmp(err.where, where) != 0 || err.mend[0] == '\0')
        fail_msg("%s -> %s; at %s", text, err.what, err.where);
    assert_int_equal(sink.n_labels, 0);
    assert_int_equal(sink.n_points, 0);
    label_sink_fini(&sink);
}

static void bad_rows_are_named(void **state)
{
    (void)state;
    const label_form polygons = {.kind = &DATA_POLYGONS, .nc = 3},
                     points = {.kind = &DATA_KEYPOINTS,
                               .nc = 1,
                               .n_keypoints = 2,
                               .keypoint_dims = 3},
                     pairs = {
                         .kind = &DATA_KEYPOINTS, .nc = 1, .n_keypoints = 2, .keypoint_dims = 2};
    refuse(&polygons, "0 .1 .1 .2 .1 .2 .2\n\n3 .1 .1 .2 .1 .2 .2", "l.txt:3", "class 3");
    refuse(&polygons, "0 .1 .1 .2 .1 .2 .2\n1 .1 .1 .2", "l.txt:2", "3 coordinates");
    refuse(&polygons, "0 .1 .1 .2 .1 .2 .2\n1 .1 .1", "l.txt:2", "2 coordinates");
    refuse(&polygons, "0 .1 .1 2.2 .1 .2 .2", "l.txt:1", "is not in 0..1");
    refuse(&polygons, "0 .1 .1 .2 .1 .2 x", "l.txt:1", "\"x\" is not a number");
    refuse(&points, "0 .5 .5 .1 .1 .2 .2 2 .3 .3", "l.txt:1", "10 columns where 11 are wanted");
    refuse(&points, "\n0 .5 .5 .1 .1 .2 .2 2 .3 .3 1 1", "l.txt:2", "more than 11 columns");
    refuse(&points, "0 .5 .5 .1 .1 .2 .2 2 .3 1.3 1", "l.txt:1", "coordinate 1.3 of keypoint 2");
    refuse(&points, "0 .5 .5 .1 .1 .2 -.2 2 .3 .3 1", "l.txt:1", "coordinate -0.2 of keypoint 1");
    refuse(&points, "0 .5 .5 .1 .1 .2 .2 -1 .3 .3 1", "l.txt:1", "visibility -1 of keypoint 1");
    refuse(&points, "0 .5 -.5 .1 .1 .2 .2 1 .3 .3 1", "l.txt:1", "coordinate -0.5 is below 0");
    refuse(&points, "0 .5 .5 .1 .1 .2 .2 1 .3 q 1", "l.txt:1", "\"q\" is not a number");
    refuse(&pairs, "0 .5 .5 .1 .1 .2 .2 1 .3 .3 1", "l.txt:1", "more than 9 columns");
}

/* ---- outlines and masks against the reference ---- */

static void resampled_outlines_are_the_references(void **state)
{
    (void)state;
    golden_file *g = golden_open("tasks/segment_labels.safetensors");
    for (int i = 0; i < 6; i++) {
        char set[32];
        float out[2000];
        size_t n, n_want;
        base_format(set, sizeof set, "resample%d_%d", i < 3 ? 100 : 1000, i % 3);
        const float *in = golden_f32(g, key(set, "in"), &n),
                    *want = golden_f32(g, key(set, "out"), &n_want);
        outline_resample(out, n_want / 2, in, n / 2);
        for (size_t k = 0; k < n_want; k++)
            if (out[k] != want[k])
                fail_msg("%s, number %zu: %.9g instead of %.9g", set, k, (double)out[k],
                         (double)want[k]);
    }
    golden_close(g);
}

static void masks_are_the_references(void **state)
{
    (void)state;
    static const int ratios[] = {1, 2, 4};
    golden_file *g = golden_open("tasks/segment_labels.safetensors");
    const int64_t *hw = golden_i64(g, "mask.hw", NULL);
    const float *polygons = golden_f32(g, "mask.polygons", NULL);
    const size_t n = golden_dim(g, "mask.polygons", 0);
    const int h = (int)hw[0], w = (int)hw[1];
    uint8_t *room = base_alloc(&mem, outline_room_bytes(w, h), NULL),
            *mask = base_alloc(&mem, (size_t)w * (size_t)h, NULL);
    int32_t *map = base_alloc(&mem, 4 * (size_t)w * (size_t)h, NULL);
    uint32_t areas[16], order[16], ranks[16];
    assert_true(n <= 16);
    for (int r = 0; r < 3; r++) {
        const int q = ratios[r];
        const size_t n_pixels = (size_t)(w / q) * (size_t)(h / q);
        char name[32];
        base_format(name, sizeof name, "mask.separate%d", q);
        const uint8_t *separate = golden_u8(g, name, NULL);
        base_format(name, sizeof name, "mask.overlap%d", q);
        const uint8_t *overlap = golden_u8(g, name, NULL);
        base_format(name, sizeof name, "mask.order%d", q);
        const int64_t *want_order = golden_i64(g, name, NULL);
        outline_map_begin(map, w, h, q);
        for (uint32_t i = 0; i < n; i++) {
            memset(room, 0xff, outline_room_bytes(w, h)); /* nothing of before matters */
            uint32_t area = outline_mask(mask, room, polygons + 2000 * i, 1000, w, h, q), is = 0;
            for (size_t k = 0; k < n_pixels; k++)
                is += mask[k];
            assert_int_equal(area, is);
            assert_memory_equal(mask, separate + i * n_pixels, n_pixels);
            outline_map_paint(map, areas, i, room, polygons + 2000 * i, 1000, w, h, q);
            assert_int_equal(areas[i], area);
        }
        outline_map_end(map, order, ranks, areas, n, w, h, q);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(order[i], want_order[i]);
        for (size_t k = 0; k < n_pixels; k++)
            assert_int_equal(map[k], overlap[k]);
    }
    base_free(map);
    base_free(mask);
    base_free(room);
    golden_close(g);
}

/* Outside on all sides, and by far: cut, and nothing written beside the room. */
static void outlines_may_leave_the_picture(void **state)
{
    (void)state;
    const float around[] = {-5, -5, 25, -5, 25, 15, -5, 15}, left[] = {-9, 2, -1, 2, -1, 6, -9, 6},
                far[] = {-3e9f, 3, 3e9f, 3, NAN, 5}, half[] = {-10, 0, 4, 0, 4, 3, -10, 3};
    const int w = 16, h = 8;
    uint8_t *room = base_alloc(&mem, outline_room_bytes(w, h), NULL), mask[16 * 8];
    assert_int_equal(outline_mask(mask, room, around, 4, w, h, 1), w * h);
    assert_int_equal(outline_mask(mask, room, left, 4, w, h, 1), 0);
    assert_true(outline_mask(mask, room, far, 3, w, h, 1) > 0);
    assert_int_equal(outline_mask(mask, room, half, 4, w, h, 1), 5 * 4);
    assert_int_equal(outline_mask(mask, room, half, 0, w, h, 4), 0);
    base_free(room);
}

/* ---- whole sets ---- */

static data_set *open_set(farm *f, const char *yaml, const data_kind *kind, vg_error *err)
{
    data_spec *spec = NULL;
    data_set *set = NULL;
    vg_status st = data_spec_open(&spec, yaml ? farm_path(f, yaml) : f->root, &mem, err);
    if (st == VG_OK)
        st = data_set_open(&set, spec, &(data_set_options){.kind = kind}, NULL, &mem, err);
    data_spec_destroy(&spec);
    assert_true((st == VG_OK) == (set != NULL));
    return set;
}

static void pose_files(farm *f)
{
    farm_text(f, "data.yaml",
              "train: images/train\nval: images/val\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n"
              "names: [man]\n");
    for (int i = 0; i < 3; i++) {
        char name[64], text[128];
        base_format(name, sizeof name, "images/train/%d.jpg", i);
        farm_picture(f, name, 32, 24, (uint64_t)i);
        base_format(text, sizeof text,
                    "0 .5 .5 .4 .4 .%d .25 2 .75 .5 0\n0 .5 .5 .4 .4 .9 .25 1 "
                    ".75 .5 1\n",
                    i + 1);
        base_format(name, sizeof name, "labels/train/%d.txt", i);
        farm_text(f, name, text);
    }
}

static void keypoints_are_kept_in_the_cache(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    pose_files(&f);
    for (int cached = 0; cached < 2; cached++) {
        data_set *set = open_set(&f, "data.yaml", &DATA_KEYPOINTS, NULL);
        assert_int_equal(data_set_from_cache(set), cached);
        data_keypoint_shape shape = data_set_keypoint_shape(set);
        assert_true(shape.n == 2 && shape.dims == 3 && shape.flip_idx[0] == 1);
        assert_null(data_set_points(set));
        const data_picture *p = data_set_picture(set, 1);
        assert_int_equal(p->n_labels, 2);
        const float want[6] = {.2f, .25f, 2, .75f, .5f, 0};
        assert_memory_equal(data_set_keypoints(set) + 3 * p->labels[0].first_point, want,
                            sizeof want);
        data_set_destroy(&set);
    }
    /* The same files as another kind are another table. */
    vg_error err = {0};
    assert_null(open_set(&f, "data.yaml", &DATA_POLYGONS, &err));
    farm_text(&f, "data.yaml", "train: images/train\nval: images/val\nnames: [man]\n");
    assert_null(open_set(&f, "data.yaml", &DATA_KEYPOINTS, &err));
    assert_non_null(strstr(err.what, "no kpt_shape"));
    farm_close(&f);
}

/* A cache file of keypoints that was written upon: made anew, or true. */
static void damaged_caches_are_made_anew(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    pose_files(&f);
    char *bytes = NULL;
    size_t n;
    data_set *set = open_set(&f, "data.yaml", &DATA_KEYPOINTS, NULL);
    data_set_destroy(&set);
    OK(base_file_read(&bytes, &n, farm_path(&f, "labels/train-train.vigil-cache"), SIZE_MAX / 4,
                      &mem, err));
    for (size_t at = 0; at < n; at += 97) {
        bytes[at] ^= 4;
        OK(base_file_replace(farm_path(&f, "labels/train-train.vigil-cache"), bytes, n, err));
        bytes[at] ^= 4;
        set = open_set(&f, "data.yaml", &DATA_KEYPOINTS, NULL);
        assert_int_equal(data_set_picture(set, 2)->n_labels, 2);
        assert_true(data_set_keypoints(set)[0] == .1f);
        data_set_destroy(&set);
    }
    base_free(bytes);
    farm_close(&f);
}

static void the_kind_must_fit(void **state)
{
    (void)state;
    vg_error err = {0};
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 2);
    assert_null(open_set(&f, "data.yaml", &DATA_POLYGONS, &err));
    assert_non_null(strstr(err.what, "3 objects of the train split are each a box without an"));
    assert_non_null(strstr(err.where, "labels/train/000.txt"));
    assert_null(open_set(&f, "data.yaml", &DATA_FOLDERS, &err));
    assert_non_null(strstr(err.what, "folder of classes"));
    static const struct {
        const char *yaml, *what;
    } bad[] = {{"kpt_shape: 17", "kpt_shape is not"},
               {"kpt_shape: [17]", "kpt_shape is not"},
               {"kpt_shape: [0, 3]", "kpt_shape is not"},
               {"kpt_shape: [17, 4]", "kpt_shape is not"},
               {"kpt_shape: [1000, 3]", "kpt_shape is not"},
               {"kpt_shape: [2, 3]\nflip_idx: [0]", "flip_idx holds 1 numbers for 2 keypoints"},
               {"kpt_shape: [2, 3]\nflip_idx: [0, 2]", "number 2 of flip_idx"},
               {"kpt_shape: [2, 3]\nflip_idx: [1, 1]", "number 2 of flip_idx"},
               {"kpt_shape: [2, 3]\nflip_idx: 5", "flip_idx is"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[256];
        data_spec *spec = NULL;
        base_format(yaml, sizeof yaml, "train: a\nval: b\nnames: [x]\n%s\n", bad[i].yaml);
        assert_int_equal(data_spec_parse(&spec, yaml, strlen(yaml), "d.yaml", &mem, &err),
                         VG_ERR_FORMAT);
        if (!strstr(err.what, bad[i].what) || !base_starts_with(err.where, "d.yaml:"))
            fail_msg("%s -> %s at %s", bad[i].yaml, err.what, err.where);
    }
    farm_close(&f);
}

/* ---- folders of classes ---- */

/* Names are of all kinds; what is in the file is what counts. */
static void class_picture(farm *f, const char *name, uint64_t seed)
{
    farm_picture(f, "set/picture.png", 16, 12, seed);
    assert_int_equal(rename(farm_path(f, "set/picture.png"), farm_path(f, name)), 0);
}

static void class_folders(farm *f)
{
    farm_folder(f, "set/train/empty");
    farm_folder(f, "set/train/cat/deep");
    farm_folder(f, "set/train/10");
    farm_folder(f, "set/train/2");
    farm_folder(f, "set/train/Dog");
    class_picture(f, "set/train/10/q.bmp", 1);
    class_picture(f, "set/train/2/q.webp", 2);
    class_picture(f, "set/train/Dog/x.jpeg", 3);
    class_picture(f, "set/train/cat/b.jpg", 4);
    class_picture(f, "set/train/cat/a.png", 5);
    class_picture(f, "set/train/cat/deep/c.JPG", 6);
    class_picture(f, "set/train/loose.jpg", 7);
}

static data_set *open_folder(farm *f, data_split split, vg_error *err)
{
    data_spec *spec = NULL;
    data_set *set = NULL;
    vg_status st = data_spec_open(&spec, farm_path(f, "set"), &mem, err);
    if (st == VG_OK)
        st = data_set_open(&set, spec, &(data_set_options){.kind = &DATA_FOLDERS, .split = split},
                           NULL, &mem, err);
    data_spec_destroy(&spec);
    return set;
}

static void folders_are_walked_as_the_reference_does(void **state)
{
    (void)state;
    size_t n;
    farm f;
    vg_error err = {0};
    farm_open(&f);
    class_folders(&f);
    assert_null(open_folder(&f, DATA_TRAIN, &err));
    assert_non_null(strstr(err.what, "without val or test"));
    farm_folder(&f, "set/test/2");
    assert_null(open_folder(&f, DATA_TRAIN, &err));
    assert_non_null(strstr(err.what, "no folder for class \"10\" of train"));
    static const char *const classes[] = {"10", "Dog", "cat", "empty"};
    for (int i = 0; i < 4; i++) {
        char name[64];
        base_format(name, sizeof name, "set/test/%s", classes[i]);
        farm_folder(&f, name);
    }
    class_picture(&f, "set/test/cat/v.png", 8);
    class_picture(&f, "set/test/2/w.png", 9);
    golden_file *g = golden_open("tasks/classify_labels.safetensors");
    for (int split = 0; split < 3; split++) { /* without val its test */
        const char *want =
            (const char *)golden_u8(g, split == 0 ? "train.samples" : "val.samples", &n);
        for (int cached = 0; cached < 2; cached++) {
            char text[256] = "";
            data_set *set = open_folder(&f, (data_split)split, &err);
            assert_non_null(set);
            assert_int_equal(data_set_from_cache(set), cached || split == 2);
            assert_int_equal(data_set_nc(set), 5);
            for (size_t i = 0; i < data_set_size(set); i++) {
                const data_picture *p = data_set_picture(set, i);
                assert_int_equal(p->n_labels, 1);
                /* The reference numbers a split by its own folders; here it has all of train's. */
                int class_index = p->labels[0].class_index;
                if (split > 0)
                    class_index = class_index == 1 ? 0 : 1;
                const char *path = strstr(p->path, split == 0 ? "train/" : "test/");
                base_format(text + strlen(text), sizeof text - strlen(text), "%s%d %s%s",
                            i > 0 ? "\n" : "", class_index, split == 0 ? "" : "val/",
                            path + (split == 0 ? 0 : strlen("test/")));
            }
            if (strlen(text) != n || memcmp(text, want, n) != 0)
                fail_msg("%s\ninstead of\n%.*s", text, (int)n, want);
            data_set_destroy(&set);
        }
    }
    golden_close(g);
    data_set *set = open_folder(&f, DATA_TRAIN, &err);
    assert_non_null(strstr(data_set_message(set, 0), "loose.jpg"));
    data_set_destroy(&set);
    farm_folder(&f, "set/test/ape");
    assert_null(open_folder(&f, DATA_TRAIN, &err));
    assert_non_null(strstr(err.what, "a folder \"ape\", which train has not"));
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlines_are_the_references),
        cmocka_unit_test(keypoints_are_the_references),
        cmocka_unit_test(bad_rows_are_named),
        cmocka_unit_test(resampled_outlines_are_the_references),
        cmocka_unit_test(masks_are_the_references),
        cmocka_unit_test(outlines_may_leave_the_picture),
        cmocka_unit_test(keypoints_are_kept_in_the_cache),
        cmocka_unit_test(damaged_caches_are_made_anew),
        cmocka_unit_test(the_kind_must_fit),
        cmocka_unit_test(folders_are_walked_as_the_reference_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    assert_int_equal(mem.in_use_bytes, 0);
    return failed;
}
