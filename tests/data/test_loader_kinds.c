/* test_loader_kinds.c: batches of outlines, keypoints, turned boxes and classes: the same whoever
 * makes them, within what was planned, and what lies in them belongs together. */
#include "loader_support.h"

#include <math.h>

static base_mem mem = {.tag = "test"};

/* Pictures with a triangle, a square and a bar, or what the kind has instead. */
static data_set *fill(farm *f, const data_kind *kind, int n)
{
    const bool points = kind == &DATA_KEYPOINTS;
    farm_text(f, "data.yaml",
              "train: images/train\nval: images/train\nnames: [a, b, c]\nkpt_shape: [3, 2]\n"
              "flip_idx: [0, 2, 1]\n");
    for (int i = 0; i < n; i++) {
        char name[64], text[512] = "";
        base_format(name, sizeof name, "images/train/%03d.jpg", i);
        farm_picture(f, name, 40 + 8 * (i % 4), 64 - 4 * (i % 5), (uint64_t)i);
        static const char *const outlines[] = {"0 .1 .1 .45 .1 .1 .5\n",
                                               "1 .5 .5 .95 .5 .95 .9 .5 .9\n",
                                               "2 .6 .05 .7 .05 .7 .4 .6 .4\n"};
        static const char *const keypoints[] = {"0 .25 .3 .3 .4 .1 .1 .4 .1 .1 .5\n",
                                                "1 .7 .7 .4 .4 .5 .5 .9 .5 .9 .9\n",
                                                "2 .65 .2 .1 .3 .6 .05 .7 .05 .7 .4\n"};
        for (int k = 0; k <= i % 3; k++)
            base_format(text + strlen(text), sizeof text - strlen(text), "%s",
                        points ? keypoints[k] : outlines[k]);
        base_format(name, sizeof name, "labels/train/%03d.txt", i);
        if (i % 4 != 3) /* one in four without objects */
            farm_text(f, name, text);
    }
    return farm_set(f, &(data_set_options){.kind = kind, .no_cache = true}, &mem);
}

static data_set *fill_classes(farm *f, int n)
{
    static const char *const classes[] = {"cat", "dog", "owl"};
    for (int i = 0; i < n; i++) {
        char name[64];
        for (int split = 0; split < 2; split++) {
            base_format(name, sizeof name, "set/%s/%s", split ? "val" : "train", classes[i % 3]);
            farm_folder(f, name);
        }
        base_format(name, sizeof name, "set/train/%s/%d.jpg", classes[i % 3], i);
        farm_picture(f, name, 90 - 6 * (i % 5), 30 + 9 * (i % 4), (uint64_t)i);
    }
    data_spec *spec = NULL;
    data_set *set = NULL;
    OK(data_spec_open(&spec, farm_path(f, "set"), &mem, err));
    OK(data_set_open(&set, spec, &(data_set_options){.kind = &DATA_FOLDERS, .no_cache = true}, NULL,
                     &mem, err));
    data_spec_destroy(&spec);
    return set;
}

static uint64_t hash_extras(uint64_t h, const data_batch *b)
{
    const size_t mask = (size_t)b->mask_h * (size_t)b->mask_w;
    h = hash_batch(h, b);
    if (b->keypoints)
        h = base_hash(h, b->keypoints,
                      b->n_labels * (size_t)b->n_keypoints * 3 * sizeof *b->keypoints);
    if (b->index_maps)
        h = base_hash(h, b->index_maps, (size_t)b->n * mask * sizeof *b->index_maps);
    if (b->masks)
        h = base_hash(h, b->masks, b->n_labels * mask);
    return h;
}

/* Numbers in their bounds, and masks that go with their labels. */
static void check_batch(const data_set *set, const data_batch *b)
{
    const size_t mask = (size_t)b->mask_h * (size_t)b->mask_w;
    const data_kind *kind = data_set_kind(set);
    assert_true((b->keypoints != NULL) == (kind == &DATA_KEYPOINTS));
    assert_true((b->mask_h > 0) == (kind == &DATA_POLYGONS));
    for (size_t i = 0; i < b->n_labels; i++) {
        const detect_label *l = &b->labels[i];
        assert_true(l->picture >= 0 && l->picture < b->n && l->class_index >= 0 &&
                    l->class_index < 3);
        for (int k = 0; k < 4; k++)
            assert_true(l->xywh_norm[k] >= 0 && l->xywh_norm[k] <= 1.5f);
        assert_true(l->angle >= 0 && l->angle < 1.5708f &&
                    (kind == &DATA_ROTATED || l->angle == 0));
        for (int k = 0; k < 3 * b->n_keypoints; k++) {
            const float v = b->keypoints[i * 3 * (size_t)b->n_keypoints + (size_t)k];
            assert_true(v >= 0 && v <= 1);
        }
    }
    for (int p = 0; b->index_maps && p < b->n; p++) {
        size_t n = 0, n_seen[64] = {0};
        for (size_t i = 0; i < b->n_labels; i++)
            n += b->labels[i].picture == p;
        assert_true(n < 64);
        for (size_t k = 0; k < mask; k++) {
            const int32_t j = b->index_maps[(size_t)p * mask + k];
            assert_true(j >= 0 && j <= (int32_t)n);
            n_seen[j]++;
        }
    }
}

static void run(const data_set *set, data_loader_options o)
{
    uint64_t want[2] = {0};
    for (int workers = 0; workers <= 3; workers += 3)
        for (int n_batches = 1; n_batches <= 3; n_batches += 2) {
            data_loader *l = NULL;
            const size_t before = mem.in_use_bytes;
            o.n_workers = workers;
            o.n_batches = n_batches;
            const size_t planned = data_loader_bytes(set, &o);
            OK(data_loader_create(&l, set, &o, &mem, err));
            assert_int_equal(mem.in_use_bytes - before, planned);
            const uint64_t n_allocs = mem.n_allocs;
            for (uint64_t epoch = 0; epoch < 2; epoch++) {
                const data_batch *b;
                uint64_t h = BASE_HASH_START;
                OK(data_loader_start(l, epoch, 0, err));
                for (;;) {
                    OK(data_loader_next(l, &b, err));
                    if (!b)
                        break;
                    check_batch(set, b);
                    h = hash_extras(h, b);
                }
                if (want[epoch] == 0)
                    want[epoch] = h;
                if (h != want[epoch])
                    fail_msg("%d workers, %d batches: other bits", workers, n_batches);
            }
            assert_int_equal(mem.in_use_bytes - before, planned);
            assert_int_equal(mem.n_allocs, n_allocs);
            data_loader_destroy(&l);
            assert_int_equal(mem.in_use_bytes, before);
        }
}

static data_augment wild(void)
{
    data_augment a = DATA_AUGMENT_DEFAULT;
    a.mosaic = 0.7f;
    a.mixup = 0.5f;
    a.flipud = 0.5f;
    a.degrees = 20;
    a.shear = 5;
    a.perspective = 0.0005f;
    return a;
}

static void batches_are_the_same_whoever_makes_them(void **state)
{
    (void)state;
    static const data_kind *const kinds[] = {&DATA_POLYGONS, &DATA_KEYPOINTS, &DATA_ROTATED};
    for (int k = 0; k < 3; k++) {
        farm f;
        farm_open(&f);
        data_set *set = fill(&f, kinds[k], 13);
        data_loader_options o = training(0);
        o.augment = wild();
        for (int paste = 0; paste < (kinds[k] == &DATA_KEYPOINTS ? 1 : 3); paste++)
            for (int separate = 0; separate < (kinds[k] == &DATA_POLYGONS ? 2 : 1); separate++) {
                o.augment.copy_paste = paste > 0 ? 0.8f : 0;
                o.augment.copy_paste_mode = paste == 2 ? DATA_PASTE_MIXUP : DATA_PASTE_FLIP;
                o.separate_masks = separate == 1;
                run(set, o);
            }
        o.rect = true;
        o.augment.copy_paste = 0;
        run(set, o);
        o.train = false;
        run(set, o);
        data_set_destroy(&set);
        farm_close(&f);
    }
}

static void classes_are_the_same_whoever_makes_them(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    data_set *set = fill_classes(&f, 14);
    data_loader_options o = training(0);
    o.imgsz = 32;
    run(set, o);
    o.augment.auto_augment = DATA_AUTO_NONE;
    o.cache = DATA_CACHE_RAM;
    run(set, o);
    o.train = false;
    o.crop_fraction = 0.875f;
    run(set, o);
    data_set_destroy(&set);
    farm_close(&f);
}

/* In validation: one label a picture, in the order of the folders, and the middle of the picture.
 */
static void classes_come_in_order(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    data_set *set = fill_classes(&f, 14);
    data_loader *l = NULL;
    const data_batch *b;
    const data_loader_options o = {.imgsz = 32, .batch = 5, .rect = true};
    OK(data_loader_create(&l, set, &o, &mem, err));
    OK(data_loader_start(l, 0, 0, err));
    OK(data_loader_next(l, &b, err));
    assert_true(b->h == 32 && b->w == 32 && b->n == 5 && b->n_labels == 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(b->labels[i].picture, i);
        assert_int_equal(b->labels[i].class_index, 0);
    }
    OK(data_loader_next(l, &b, err));
    assert_int_equal(b->labels[0].class_index, 1);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

/* The second picture's square covers exactly a quarter of 0.45 x 0.4, and is where its box says. */
static void validation_has_masks_and_angles(void **state)
{
    (void)state;
    static const data_kind *const kinds[] = {&DATA_POLYGONS, &DATA_ROTATED};
    for (int k = 0; k < 2; k++) {
        farm f;
        farm_open(&f);
        data_set *set = fill(&f, kinds[k], 3);
        data_loader *l = NULL;
        const data_batch *b;
        const data_loader_options o = {.imgsz = 64, .batch = 3, .mask_ratio = 2};
        OK(data_loader_create(&l, set, &o, &mem, err));
        OK(data_loader_start(l, 0, 0, err));
        OK(data_loader_next(l, &b, err));
        assert_int_equal(b->n_labels, 6);
        const detect_label *square = &b->labels[1]; /* the larger one comes first */
        assert_int_equal(square->picture, 1);
        if (kinds[k] == &DATA_ROTATED)
            square++;
        assert_int_equal(square->class_index, 1);
        if (kinds[k] == &DATA_ROTATED) {
            /* Axis-parallel ones are given by their height first. */
            assert_true(fabsf(square->angle - 1.57079633f) < 0.02f);
            assert_true(square->xywh_norm[2] > 0.3f && square->xywh_norm[3] > 0.28f);
        } else {
            const size_t mask = (size_t)b->mask_h * (size_t)b->mask_w;
            int n_in = 0, n_out = 0;
            assert_true(b->mask_h == 32 && b->mask_w == 32);
            for (size_t i = 0; i < mask; i++) {
                if (b->index_maps[mask + i] != 1)
                    continue;
                const float x = ((float)(i % 32) + 0.5f) / 32, y = ((float)(i / 32) + 0.5f) / 32;
                const float *box = square->xywh_norm;
                const bool inside = fabsf(x - box[0]) <= box[2] / 2 + 0.04f &&
                                    fabsf(y - box[1]) <= box[3] / 2 + 0.04f;
                n_in += inside;
                n_out += !inside;
            }
            assert_int_equal(n_out, 0);
            const float area = square->xywh_norm[2] * square->xywh_norm[3] * 32 * 32;
            assert_true(fabsf((float)n_in - area) < 0.25f * area);
        }
        data_loader_destroy(&l);
        data_set_destroy(&set);
        farm_close(&f);
    }
}

static void refuse(const data_set *set, const data_loader_options *o, const char *what)
{
    data_loader *l = NULL;
    vg_error failure = {0};
    assert_int_equal(data_loader_create(&l, set, o, &mem, &failure), VG_ERR_ARGUMENT);
    if (!strstr(failure.what, what))
        fail_msg("%s instead of %s", failure.what, what);
    assert_null(l);
    assert_int_equal(data_loader_bytes(set, o), 0);
}

static void what_a_kind_has_not_is_refused(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    data_set *set = fill(&f, &DATA_POLYGONS, 3);
    data_loader_options o = training(0);
    o.mask_ratio = 3;
    refuse(set, &o, "mask_ratio 3");
    o.mask_ratio = 64;
    refuse(set, &o, "mask_ratio 64");
    o = training(0);
    o.augment.copy_paste = 1.5f;
    refuse(set, &o, "not in 0..1");
    o.augment.copy_paste = 0;
    data_loader *l = NULL;
    OK(data_loader_create(&l, set, &o, &mem, err));
    o.augment.copy_paste = 0.5f;
    assert_int_equal(data_loader_set_augment(l, &o.augment, NULL), VG_ERR_ARGUMENT);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    set = fill(&f, &DATA_KEYPOINTS, 3);
    refuse(set, &o, "labels of keypoints");
    data_set_destroy(&set);
    set = farm_set(&f, &(data_set_options){.kind = &DATA_KEYPOINTS, .no_cache = true}, &mem);
    data_set_destroy(&set);
    farm_text(&f, "data.yaml",
              "train: images/train\nval: images/train\nnames: [a, b, c]\nkpt_shape: [3, 2]\n");
    set = farm_set(&f, &(data_set_options){.kind = &DATA_KEYPOINTS, .no_cache = true}, &mem);
    assert_non_null(strstr(data_set_message(set, 0), "no flip_idx"));
    data_set_destroy(&set);
    farm_close(&f);
}

/* Each allocation of set and loader failing in turn. */
static vg_status try_all(const char *data, const data_kind *kind, vg_error *err)
{
    data_spec *spec = NULL;
    data_set *set = NULL;
    data_loader *l = NULL;
    data_loader_options o = training(1);
    o.imgsz = 32;
    o.augment.copy_paste = kind == &DATA_POLYGONS ? 0.5f : 0;
    vg_status st = data_spec_open(&spec, data, &mem, err);
    if (st == VG_OK)
        st = data_set_open(&set, spec, &(data_set_options){.kind = kind, .no_cache = true}, NULL,
                           &mem, err);
    if (st == VG_OK)
        st = data_loader_create(&l, set, &o, &mem, err);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    data_spec_destroy(&spec);
    return st;
}

static void what_runs_out_of_memory_gives_all_back(void **state)
{
    (void)state;
    static const data_kind *const kinds[] = {&DATA_POLYGONS, &DATA_KEYPOINTS, &DATA_ROTATED,
                                             &DATA_FOLDERS};
    for (int k = 0; k < 4; k++) {
        farm f;
        farm_open(&f);
        const bool is_folder = kinds[k] == &DATA_FOLDERS;
        data_set *set = is_folder ? fill_classes(&f, 4) : fill(&f, kinds[k], 4);
        data_set_destroy(&set);
        const char *data = farm_path(&f, is_folder ? "set" : "data.yaml");
        int n = 0;
        for (vg_status st = VG_ERR_MEMORY; st != VG_OK; n++) {
            vg_error failure = {0};
            mem.fail_in = n + 1;
            st = try_all(data, kinds[k], &failure);
            mem.fail_in = 0;
            assert_true(st == VG_OK || (st == VG_ERR_MEMORY && failure.status == st));
            assert_int_equal(mem.in_use_bytes, 0);
        }
        assert_true(n > 10);
        farm_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_the_same_whoever_makes_them),
        cmocka_unit_test(classes_are_the_same_whoever_makes_them),
        cmocka_unit_test(classes_come_in_order),
        cmocka_unit_test(validation_has_masks_and_angles),
        cmocka_unit_test(what_a_kind_has_not_is_refused),
        cmocka_unit_test(what_runs_out_of_memory_gives_all_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    assert_int_equal(mem.in_use_bytes, 0);
    return failed;
}
