/* test_extras.c: outlines, keypoints and turned boxes through augmentation, against the reference's
 * (golden tasks/..._augment). Pictures are the reference's BGR, which no step here looks at. */
#include "support/test.h"

#include <math.h>

#include "data/augment.h"
#include "data/kind.h"
#include "data/outline.h"
#include "detect/rotated.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test"};

enum { MOST = 32 /* objects of a sample */, MOST_POINTS = 1000 };

typedef struct bench {
    golden_file *g;
    const data_kind *kind;
    augment_box boxes[2 * MOST];
    augment_room room;
    augment_paste_room paste;
    uint8_t *fill;
} bench;

static const char *key(const char *format, ...) VG_PRINTF(1, 2);
static const char *key(const char *format, ...)
{
    static char text[4][96];
    static int turn;
    va_list args;
    va_start(args, format);
    char *p = text[turn++ % 4];
    vsnprintf(p, sizeof text[0], format, args);
    va_end(args);
    return p;
}

static void bench_open(bench *b, const char *file, const data_kind *kind, uint32_t n_keypoints)
{
    *b = (bench){.g = golden_open(file), .kind = kind};
    b->room = (augment_room){
        .n_outline = (uint32_t)kind->n_outline, .n_keypoints = n_keypoints, .most = 2 * MOST};
    b->room.outlines =
        base_alloc(&mem, 2 * MOST * (2 * MOST_POINTS + 3 * 17) * sizeof(float), NULL);
    b->room.keypoints = b->room.outlines + 2 * MOST * 2 * MOST_POINTS;
    b->fill = base_alloc(&mem, 2 * outline_room_bytes(256, 256), NULL);
    b->paste = (augment_paste_room){.fill = b->fill,
                                    .stencil = b->fill + outline_room_bytes(256, 256),
                                    .overlaps = base_alloc(&mem, MOST * sizeof(float), NULL),
                                    .order = base_alloc(&mem, MOST * sizeof(uint32_t), NULL)};
}

static void bench_close(bench *b)
{
    golden_close(b->g);
    base_free(b->room.outlines);
    base_free(b->fill);
    base_free(b->paste.overlaps);
    base_free(b->paste.order);
    assert_int_equal(mem.in_use_bytes, 0);
}

static image_view picture(golden_file *g, const char *name)
{
    size_t n, h = golden_dim(g, name, 0), w = golden_dim(g, name, 1);
    const uint8_t *bytes = golden_u8(g, name, &n);
    uint8_t *copy = base_alloc(&mem, n, NULL);
    memcpy(copy, bytes, n);
    return (image_view){copy, (int)w, (int)h, 3 * w};
}

/* The objects of "<set>.cls, .boxes, .poly0.. or .keypoints" on a picture of w x h. */
static size_t place(bench *b, size_t at, const char *set, int w, int h, float pad_x, float pad_y)
{
    size_t n;
    data_label labels[MOST];
    float points[MOST * 2 * 64];
    const float *cls = golden_f32(b->g, key("%s.cls", set), &n),
                *boxes = golden_f32(b->g, key("%s.boxes", set), NULL);
    const float *keypoints =
        b->kind->has_keypoints ? golden_f32(b->g, key("%s.keypoints", set), NULL) : NULL;
    uint64_t n_points = 0;
    for (size_t i = 0; i < n; i++) {
        labels[i] = (data_label){.class_index = (int)cls[i], .first_point = n_points};
        memcpy(labels[i].xywh_norm, boxes + 4 * i, 4 * sizeof *boxes);
        if (keypoints) {
            labels[i].n_points = b->room.n_keypoints;
            n_points += b->room.n_keypoints;
        } else {
            size_t n_floats;
            const float *poly = golden_f32(b->g, key("%s.poly%zu", set, i), &n_floats);
            memcpy(points + 2 * n_points, poly, n_floats * sizeof *poly);
            labels[i].n_points = (uint32_t)(n_floats / 2);
            n_points += n_floats / 2;
        }
    }
    const data_picture p = {.w = w, .h = h, .n_labels = n, .labels = labels};
    augment_boxes_place(b->boxes + at, &p, keypoints ? NULL : points, (float)w, (float)h, pad_x,
                        pad_y);
    augment_extras_place(&b->room, b->boxes + at, &p, keypoints ? keypoints : points, (float)w,
                         (float)h, 1, 1, pad_x, pad_y);
    for (size_t i = 0; i < n; i++) /* not the normalised points, which are gone */
        b->boxes[at + i].points = NULL;
    return n;
}

static void close_to(const char *set, const char *what, size_t i, float is, float want, float most)
{
    if (!(fabsf(is - want) <= most))
        fail_msg("%s.%s, number %zu: %.9g instead of %.9g", set, what, i, (double)is, (double)want);
}

/* The first n boxes against "<set>.cls, .boxes (xyxy, or xywh), .segments or .keypoints". */
static void compare(bench *b, size_t n, const char *set, bool is_xywh)
{
    size_t n_want, n_points;
    const float *cls = golden_f32(b->g, key("%s.cls", set), &n_want),
                *boxes = golden_f32(b->g, key("%s.boxes", set), NULL);
    assert_int_equal(n, n_want);
    const float *want = golden_f32(
        b->g, key("%s.%s", set, b->kind->has_keypoints ? "keypoints" : "segments"), NULL);
    n_points = b->kind->has_keypoints ? 3 * (size_t)b->room.n_keypoints : 2 * 100;
    for (size_t i = 0; i < n; i++) {
        const augment_box *o = &b->boxes[i];
        const float is[4] = {is_xywh ? (o->x1 + o->x2) / 2 : o->x1,
                             is_xywh ? (o->y1 + o->y2) / 2 : o->y1, is_xywh ? o->x2 - o->x1 : o->x2,
                             is_xywh ? o->y2 - o->y1 : o->y2};
        assert_int_equal(o->class_index, (int)cls[i]);
        for (size_t k = 0; k < 4; k++)
            close_to(set, "boxes", 4 * i + k, is[k], boxes[4 * i + k], 2e-3f);
        const size_t step = o->n_outline / 100; /* of 1000 points each tenth is there */
        for (size_t k = 0; k < n_points; k++)
            close_to(set, "points", i * n_points + k,
                     b->kind->has_keypoints ? o->keypoints[k]
                                            : o->outline[k / 2 * step * 2 + k % 2],
                     want[i * n_points + k], 2e-3f);
    }
}

static void same_pixels(const image_view *v, const uint8_t *want, const char *name)
{
    for (int y = 0; y < v->h; y++)
        for (int i = 0; i < 3 * v->w; i++)
            if (v->data[(size_t)y * v->stride + (size_t)i] != want[y * 3 * v->w + i])
                fail_msg("%s: row %d, byte %d is %d instead of %d", name, y, i,
                         v->data[(size_t)y * v->stride + (size_t)i], want[y * 3 * v->w + i]);
}

/* ---- steps ---- */

static size_t run_mosaic(bench *b, const char *set, const image_view *canvas)
{
    const int64_t *yx = golden_i64(b->g, key("%s.center_yx", set), NULL);
    size_t n = 0;
    canvas_fill(canvas);
    b->room.n_taken = 0;
    for (int i = 0; i < 4; i++) {
        int pad_x, pad_y;
        image_view v = picture(b->g, key("%s.img%d", set, i));
        augment_mosaic_place(canvas, &v, i, (int)yx[1], (int)yx[0], &pad_x, &pad_y);
        char in[64];
        base_format(in, sizeof in, "%s.in%d", set, i);
        n += place(b, n, in, v.w, v.h, (float)pad_x, (float)pad_y);
        base_free(v.data);
    }
    n = augment_boxes_clip(b->boxes, n, (float)canvas->w);
    same_pixels(canvas, golden_u8(b->g, key("%s.mosaic.out", set), NULL), set);
    return n;
}

static void check_masks(bench *b, const int32_t *map, const uint32_t *order, size_t n,
                        const char *set)
{
    size_t n_pixels;
    const uint8_t *masks = golden_u8(b->g, key("%s.masks", set), &n_pixels);
    const float *cls = golden_f32(b->g, key("%s.cls", set), NULL),
                *boxes = golden_f32(b->g, key("%s.bboxes", set), NULL);
    const float w = (float)(4 * golden_dim(b->g, key("%s.masks", set), 2)),
                h = (float)(4 * golden_dim(b->g, key("%s.masks", set), 1));
    /* Of two equally large masks the reference's order is its sort's: object by object instead, by
     * the box, and of the map the object's pixels. */
    for (size_t i = 0; i < n; i++) {
        const augment_box *o = &b->boxes[order[i]];
        size_t j = 0;
        while (j < n && (fabsf((o->x1 + o->x2) / 2 / w - boxes[4 * j]) > 1e-4f ||
                         fabsf((o->y1 + o->y2) / 2 / h - boxes[4 * j + 1]) > 1e-4f ||
                         fabsf((o->x2 - o->x1) / w - boxes[4 * j + 2]) > 1e-4f))
            j++;
        assert_true(j < n);
        assert_int_equal(o->class_index, (int)cls[j]);
        if (j != i && i > 0 && i + 1 < n)
            print_message("%s: object %zu is the reference's %zu\n", set, i, j);
        for (size_t k = 0; k < n_pixels; k++)
            if ((map[k] == (int32_t)i + 1) != (masks[k] == j + 1) && j == i)
                fail_msg("%s: pixel %zu of object %zu", set, k, i);
    }
}

static void run_format(bench *b, size_t n, const char *set, int w, int h)
{
    int32_t map[64 * 64];
    uint32_t areas[MOST], order[MOST], ranks[MOST];
    if (b->kind->has_masks) {
        outline_map_begin(map, w, h, 4);
        for (uint32_t i = 0; i < n; i++)
            outline_map_paint(map, areas, i, b->fill, b->boxes[i].outline, b->boxes[i].n_outline, w,
                              h, 4);
        outline_map_end(map, order, ranks, areas, n, w, h, 4);
        check_masks(b, map, order, n, set);
        return;
    }
    sample_recipe recipe = {.n_outline = b->room.n_outline,
                            .keypoints = {.n = (int)b->room.n_keypoints, .dims = 3}};
    float keypoints[MOST * 17 * 3], around[DETECT_AROUND_FLOATS(MOST_POINTS)];
    detect_label labels[MOST];
    sample_maker m = {.boxes = b->boxes, .around = around};
    sample_out out = {.h = h, .w = w, .labels = labels, .keypoints = keypoints};
    b->kind->format(&m, &recipe, n, 7, &out);
    assert_int_equal(out.n_labels, n);
    size_t n_want;
    const float *boxes = golden_f32(b->g, key("%s.bboxes", set), &n_want),
                *cls = golden_f32(b->g, key("%s.cls", set), NULL);
    const size_t each = b->kind->has_keypoints ? 4 : 5;
    assert_int_equal(n_want, n * each);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(labels[i].picture, 7);
        assert_int_equal(labels[i].class_index, (int)cls[i]);
        const float *l = labels[i].xywh_norm;
        const float *want = boxes + each * i;
        const float quarter = 1.57079633f;
        bool turned = each == 5 && fabsf(fabsf(labels[i].angle - want[4]) - quarter) < 1e-3f;
        for (size_t k = 0; k < 4; k++)
            close_to(set, "bboxes", 4 * i + k, l[turned && k >= 2 ? 5 - k : k], want[k], 1e-4f);
        if (each == 5 && !turned)
            close_to(set, "angle", i, labels[i].angle, want[4], 2e-3f);
    }
    if (b->kind->has_keypoints) {
        const float *want = golden_f32(b->g, key("%s.keypoints", set), &n_want);
        for (size_t k = 0; k < n_want; k++)
            close_to(set, "keypoints", k, keypoints[k], want[k], 1e-4f);
    }
}

static void run_chains(bench *b)
{
    for (int c = 0; c < 2; c++) {
        char set[16], step[32];
        base_format(set, sizeof set, "chain%d", c);
        uint8_t *block = base_alloc(&mem, canvas_bytes(128, 128), NULL);
        image_view canvas = canvas_init(block, 128, 128);
        size_t n = run_mosaic(b, set, &canvas);
        base_format(step, sizeof step, "%s.mosaic", set);
        compare(b, n, step, false);
        n = augment_boxes_warp(b->boxes, n, golden_f32(b->g, key("%s.M", set), NULL), false,
                               golden_f64(b->g, key("%s.scale", set), NULL)[0], 64, 64, NULL);
        base_format(step, sizeof step, "%s.warp", set);
        compare(b, n, step, false);
        augment_boxes_flip(b->boxes, n, true, true, 64, 64);
        if (b->kind->has_keypoints) {
            int flip_idx[17];
            const int64_t *idx = golden_i64(b->g, key("%s.flip_idx", set), NULL);
            for (int k = 0; k < 17; k++)
                flip_idx[k] = (int)idx[k];
            augment_keypoints_exchange(b->boxes, n, flip_idx);
        }
        base_format(step, sizeof step, "%s.flip", set);
        compare(b, n, step, true);
        base_format(step, sizeof step, "%s.format", set);
        run_format(b, n, step, 64, 64);
        base_free(block);
    }
}

static void run_perspective(bench *b)
{
    const int w = (int)golden_dim(b->g, "persp.in_img", 1),
              h = (int)golden_dim(b->g, "persp.in_img", 0);
    b->room.n_taken = 0;
    size_t n = place(b, 0, "persp.in", w, h, 0, 0);
    n = augment_boxes_warp(b->boxes, n, golden_f32(b->g, "persp.M", NULL), true,
                           golden_f64(b->g, "persp.scale", NULL)[0], w, h, NULL);
    compare(b, n, "persp.out", false);
}

static void run_pastes(bench *b)
{
    for (int c = 0; c < 2; c++) {
        char set[16];
        image_view v = picture(b->g, key("paste%d.in_img", c));
        base_format(set, sizeof set, "paste%d.in", c);
        b->room.n_taken = 0;
        size_t n = place(b, 0, set, v.w, v.h, 0, 0);
        n = augment_paste_mirrored(&v, b->boxes, n, golden_f64(b->g, key("paste%d.p", c), NULL)[0],
                                   &b->room, &b->paste);
        base_format(set, sizeof set, "paste%d.out", c);
        compare(b, n, set, false);
        same_pixels(&v, golden_u8(b->g, key("paste%d.out_img", c), NULL), set);
        base_free(v.data);
    }
}

/* Letterboxed without enlarging, and formatted. */
static void run_validation(bench *b)
{
    const int w0 = (int)golden_dim(b->g, "val.img", 1), h0 = (int)golden_dim(b->g, "val.img", 0),
              side = 96;
    const image_letterbox_rule rule = {
        .target_w = side, .target_h = side, .center = true, .stride = 32};
    image_letterbox_fit fit;
    assert_int_equal(image_letterbox_plan(&fit, w0, h0, &rule, NULL), VG_OK);
    b->room.n_taken = 0;
    size_t n = place(b, 0, "val.in", w0, h0, (float)fit.pad_w, (float)fit.pad_h);
    run_format(b, n, "val", side, side);
}

static void run(const char *file, const data_kind *kind, uint32_t n_keypoints)
{
    bench b;
    bench_open(&b, file, kind, n_keypoints);
    run_chains(&b);
    run_perspective(&b);
    if (kind->n_outline > 0)
        run_pastes(&b);
    run_validation(&b);
    bench_close(&b);
}

static void outlines_follow(void **state)
{
    (void)state;
    run("tasks/segment_augment.safetensors", &DATA_POLYGONS, 0);
}

static void keypoints_follow(void **state)
{
    (void)state;
    run("tasks/pose_augment.safetensors", &DATA_KEYPOINTS, 17);
}

static void turned_boxes_follow(void **state)
{
    (void)state;
    run("tasks/obb_augment.safetensors", &DATA_ROTATED, 0);
}

/* A pasted object of another picture brings its pixels and its box, and what overlaps stays away.
 */
static void objects_of_others_are_pasted(void **state)
{
    (void)state;
    enum { SIDE = 40 };
    static uint8_t pixels[2][SIDE * SIDE * 3], fill[(SIDE + 1) * SIDE], stencil[SIDE * SIDE];
    static float outlines[8][8];
    float overlaps[8];
    uint32_t order[8];
    augment_box boxes[8];
    const float corners[5][4] = {{0, 0, 20, 20},   /* the picture's own */
                                 {15, 15, 35, 35}, /* on a sixteenth of it */
                                 {4, 4, 16, 16},   /* on too much of it: stays away */
                                 {30, 2, 38, 8},   /* free */
                                 {0, 2, 10, 20}};
    memset(pixels[0], 10, sizeof pixels[0]);
    memset(pixels[1], 200, sizeof pixels[1]);
    for (int i = 0; i < 5; i++) {
        const float *c = corners[i];
        boxes[i] = (augment_box){.x1 = c[0], .y1 = c[1], .x2 = c[2], .y2 = c[3], .class_index = i};
        const float outline[8] = {c[0], c[1], c[2], c[1], c[2], c[3], c[0], c[3]};
        memcpy(outlines[i], outline, sizeof outline);
        boxes[i].outline = outlines[i];
        boxes[i].n_outline = 4;
    }
    const image_view a = {pixels[0], SIDE, SIDE, 3 * SIDE}, b = {pixels[1], SIDE, SIDE, 3 * SIDE};
    const augment_paste_room room = {fill, stencil, overlaps, order};
    /* 1 and 3 may come; of 3 less lies on others. */
    assert_int_equal(augment_paste_other(&a, &b, boxes, 1, 4, 0.5, &room), 2);
    assert_int_equal(boxes[1].class_index, 3);
    assert_int_equal(pixels[0][3 * (5 * SIDE + 33)], 200);
    assert_int_equal(pixels[0][3 * (25 * SIDE + 25)], 10);
    assert_int_equal(augment_paste_other(&a, &b, boxes, 1, 4, 1, &room), 3);
    assert_int_equal(boxes[2].class_index, 1);
    assert_int_equal(pixels[0][3 * (25 * SIDE + 25)], 200);
    assert_int_equal(pixels[0][3 * (10 * SIDE + 10)], 10);
    assert_int_equal(augment_paste_other(&a, &b, boxes, 0, 4, 1, &room), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlines_follow),
        cmocka_unit_test(keypoints_follow),
        cmocka_unit_test(turned_boxes_follow),
        cmocka_unit_test(objects_of_others_are_pasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
