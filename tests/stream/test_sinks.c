/* What is kept of a result: each sink's files, against the boxes that the job gave. */
#include "stream/jobs.h"

#include <jansson.h>
#include <math.h>

typedef struct kept {
    size_t n[8];
    vg_detection boxes[8][50];
} kept;
static kept k;
static char out[512]; /* the run folder */

static void run(job *j)
{
    memset(&k, 0, sizeof k);
    job_start(j);
    snprintf(out, sizeof out, "%s", stream_predict_folder(j->p));
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;) {
        assert_int_equal(r->status, VG_OK);
        k.n[r->index] = r->n_detections;
        memcpy(k.boxes[r->index], r->detections, r->n_detections * sizeof *r->detections);
    }
    job_end(j);
}

static void txt_has_a_row_a_box_as_the_spec_says(void **state)
{
    job *j = *state;
    job_draw(j, 2, 70, 50);
    for (int with_conf = 0; with_conf < 2; with_conf++) {
        j->o.save_txt = true;
        j->o.save_conf = with_conf;
        run(j);
        assert_true(k.n[1] > 1);
        char want[8192] = "", path[600];
        for (size_t i = 0; i < k.n[1]; i++) {
            const vg_detection *b = &k.boxes[1][i];
            size_t used = strlen(want);
            used += (size_t)snprintf(
                want + used, sizeof want - used, "%d %g %g %g %g", b->class_index,
                (double)((b->x1 + b->x2) / 2 / 70), (double)((b->y1 + b->y2) / 2 / 50),
                (double)((b->x2 - b->x1) / 70), (double)((b->y2 - b->y1) / 50));
            if (with_conf)
                used +=
                    (size_t)snprintf(want + used, sizeof want - used, " %g", (double)b->confidence);
            snprintf(want + used, sizeof want - used, "\n");
        }
        snprintf(path, sizeof path, "%s/labels/p001.txt", out);
        char *is = scene_read(path, NULL);
        assert_non_null(is);
        assert_string_equal(is, want);
        free(is);
    }
    assert_int_equal(folder_count_entries(out), 1); /* labels, and nothing else */
}

static void a_picture_without_boxes_has_no_txt_not_even_an_old_one(void **state)
{
    job *j = *state;
    char path[600];
    job_draw(j, 2, 70, 50);
    j->o.save_txt = true;
    j->o.exist_ok = true;
    run(j);
    snprintf(path, sizeof path, "%s/labels", out);
    assert_int_equal(folder_count_entries(path), 2);
    j->o.nms.conf = 1;
    run(j);
    assert_int_equal(k.n[0], 0);
    assert_int_equal(folder_count_entries(path), 0);
}

static void json_has_a_line_a_picture(void **state)
{
    job *j = *state;
    char path[600];
    job_draw(j, 3, 70, 50);
    static const char odd[] = "odd \"\\\t\xc3\xa9.bmp";
    assert_int_equal(scene_write_bmp(job_in(j, odd), 40, 90, 4), 0);
    j->o.save_json = true;
    run(j);
    snprintf(path, sizeof path, "%s/predictions.jsonl", out);
    char *text = scene_read(path, NULL), *line = text;
    assert_non_null(text);
    /* Sorted by path: odd before p. */
    for (size_t i = 0; i < 4; i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        json_error_t e;
        json_t *o = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &e);
        if (!o)
            fail_msg("line %zu: %s", i, e.text);
        char name[32];
        snprintf(name, sizeof name, "p%03zu.bmp", i - 1);
        assert_string_equal(base_path_name(json_string_value(json_object_get(o, "source"))),
                            i == 0 ? odd : name);
        assert_int_equal(json_integer_value(json_object_get(o, "width")), i == 0 ? 40 : 70);
        assert_int_equal(json_integer_value(json_object_get(o, "height")), i == 0 ? 90 : 50);
        json_t *boxes = json_object_get(o, "boxes");
        assert_int_equal(json_array_size(boxes), k.n[i]);
        for (size_t b = 0; b < k.n[i]; b++) {
            const vg_detection *want = &k.boxes[i][b];
            json_t *is = json_array_get(boxes, b), *xyxy = json_object_get(is, "xyxy");
            char class_name[16];
            snprintf(class_name, sizeof class_name, "class%d", want->class_index);
            assert_int_equal(json_integer_value(json_object_get(is, "class")), want->class_index);
            assert_string_equal(json_string_value(json_object_get(is, "name")), class_name);
            assert_true(fabs(json_number_value(json_object_get(is, "confidence")) -
                             (double)want->confidence) < 1e-6);
            assert_int_equal(json_array_size(xyxy), 4);
            for (size_t c = 0; c < 4; c++)
                assert_true(fabs(json_number_value(json_array_get(xyxy, c)) -
                                 (double)(&want->x1)[c]) < 1e-4);
        }
        json_decref(o);
        line = end + 1;
    }
    assert_int_equal(*line, 0);
    free(text);
}

/* ---- pictures ---- */

static void decode(const char *path, image_buffer *picture, base_mem *mem)
{
    image_decoder *d = NULL;
    size_t n;
    vg_error err;
    char *bytes = scene_read(path, &n);
    if (!bytes)
        fail_msg("%s is not there", path);
    assert_int_equal(image_decoder_create(&d, NULL, mem, &err), VG_OK);
    if (image_decode(d, picture, (uint8_t *)bytes, n, path, mem, &err) != VG_OK)
        fail_msg("%s: %s", path, err.what);
    image_decoder_destroy(&d);
    free(bytes);
}

/* Mean difference per sample. */
static double difference(const image_buffer *a, const image_buffer *b)
{
    double sum = 0;
    size_t n = (size_t)a->view.w * (size_t)a->view.h * 3;
    assert_true(a->view.w == b->view.w && a->view.h == b->view.h);
    for (size_t i = 0; i < n; i++)
        sum += abs(a->view.data[i] - b->view.data[i]);
    return sum / (double)n;
}

static void the_picture_is_kept_with_its_boxes_drawn(void **state)
{
    job *j = *state;
    base_mem mem;
    image_buffer source = {0}, plain = {0}, drawn = {0};
    char path[600];
    base_mem_init(&mem, "test", NULL, 0);
    job_draw(j, 1, 200, 150);
    j->o.save = true;
    j->o.nms.conf = 1;
    run(j);
    decode(job_in(j, "p000.bmp"), &source, &mem);
    snprintf(path, sizeof path, "%s/p000.jpg", out);
    decode(path, &plain, &mem);
    double without = difference(&source, &plain);
    j->o.nms.conf = 0.25f;
    run(j);
    assert_true(k.n[0] > 0);
    snprintf(path, sizeof path, "%s/p000.jpg", out);
    decode(path, &drawn, &mem);
    assert_true(difference(&source, &drawn) > without + 2);
    assert_int_equal(folder_count_entries(out), 1);
    /* Other lines and labels, another picture. */
    double looks[3];
    for (int i = 0; i < 3; i++) {
        j->o.line_width_px = i == 0 ? 7 : 0;
        j->o.hide_labels = i == 1;
        j->o.hide_conf = i == 2;
        run(j);
        snprintf(path, sizeof path, "%s/p000.jpg", out);
        decode(path, &plain, &mem);
        looks[i] = difference(&drawn, &plain);
        assert_true(looks[i] > 0.5);
    }
    image_buffer_fini(&source);
    image_buffer_fini(&plain);
    image_buffer_fini(&drawn);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void crops_are_the_boxes_inside_the_picture(void **state)
{
    job *j = *state;
    base_mem mem;
    image_buffer crop = {0};
    char plain[512], path[700];
    base_mem_init(&mem, "test", NULL, 0);
    job_draw(j, 1, 200, 150);
    j->o.save_crop = true;
    j->o.detector.imgsz = (base_size){320, 320}; /* finds boxes that do not fill the picture */
    j->o.nms.conf = 0.05f;
    j->o.nms.iou = 0.3f;
    run(j);
    snprintf(plain, sizeof plain, "%s", out);
    j->o.save = true; /* which draws into the picture, but later */
    run(j);
    size_t n_at_border = 0, n_broken = 0;
    for (size_t i = 0; i < k.n[0]; i++) {
        const vg_detection *b = &k.boxes[0][i];
        int x1 = (int)floorf(b->x1), y1 = (int)floorf(b->y1);
        int x2 = (int)ceilf(b->x2), y2 = (int)ceilf(b->y2);
        if (x1 >= x2 || y1 >= y2)
            continue;
        size_t n[2];
        char *bytes[2];
        for (size_t v = 0; v < 2; v++) {
            snprintf(path, sizeof path, "%s/crops/class%d/p000-%zu.jpg", v ? out : plain,
                     b->class_index, i + 1);
            bytes[v] = scene_read(path, &n[v]);
            assert_non_null(bytes[v]);
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(bytes[0], bytes[1], n[0]);
        free(bytes[0]);
        free(bytes[1]);
        decode(path, &crop, &mem);
        assert_int_equal(crop.view.w, x2 - x1);
        assert_int_equal(crop.view.h, y2 - y1);
        n_at_border += x1 == 0 || y1 == 0 || x2 == 200 || y2 == 150;
        n_broken += (float)x1 != b->x1 && (float)y1 != b->y1 && (float)x2 != b->x2;
    }
    assert_true(k.n[0] > 0 && n_at_border > 0 && n_broken > 0);
    image_buffer_fini(&crop);
}

static void a_png_stays_a_png_and_twins_keep_apart(void **state)
{
    job *j = *state;
    base_mem mem;
    image_encoder *e = NULL;
    uint8_t *rgb = scene_make(60, 40, 2);
    image_view v = {rgb, 60, 40, 180};
    base_mem_init(&mem, "test", NULL, 0);
    assert_int_equal(image_encoder_create(&e, &mem, &j->err), VG_OK);
    assert_int_equal(image_write(e, &v, job_in(j, "a.png"), &mem, &j->err), VG_OK);
    image_encoder_destroy(&e);
    free(rgb);
    assert_int_equal(scene_write_bmp(job_in(j, "a.bmp"), 50, 50, 1), 0);
    assert_int_equal(scene_write_bmp(job_in(j, "a-2.bmp"), 50, 50, 3), 0);
    j->o.save = j->o.save_txt = true;
    j->o.nms.conf = 0.001f;
    run(j);
    assert_true(base_path_exists(scene_path(out, "a.jpg")));
    assert_true(base_path_exists(scene_path(out, "a-3.png")));
    assert_true(base_path_exists(scene_path(out, "a-2.jpg")));
    assert_int_equal(folder_count_entries(scene_path(out, "labels")), 3);
}

static void a_picture_is_never_written_over_its_source(void **state)
{
    job *j = *state;
    size_t n;
    base_mem mem;
    image_encoder *e = NULL;
    uint8_t *rgb = scene_make(60, 40, 2);
    image_view v = {rgb, 60, 40, 180};
    base_mem_init(&mem, "test", NULL, 0);
    assert_int_equal(image_encoder_create(&e, &mem, &j->err), VG_OK);
    assert_int_equal(image_write(e, &v, job_in(j, "a.jpg"), &mem, &j->err), VG_OK);
    image_encoder_destroy(&e);
    free(rgb);
    char *before = scene_read(job_in(j, "a.jpg"), &n);
    j->o.save = true;
    j->o.exist_ok = true;
    j->o.project = j->folder;
    j->o.name = "in";
    job_start(j);
    const vg_predict_result *r = job_next(j);
    assert_int_equal(r->status, VG_ERR_ARGUMENT);
    job_end(j);
    char *after = scene_read(job_in(j, "a.jpg"), &n);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
}

static void texts_stop_at_their_capacity(void **state)
{
    (void)state;
    base_mem mem;
    vg_error err;
    sink_text t;
    base_mem_init(&mem, "test", NULL, 0);
    assert_int_equal(sink_text_open(&t, 10, &mem, &err), VG_OK);
    assert_int_equal(sink_text_add(&t, &err, "%s", "12345"), VG_OK);
    assert_int_equal(sink_text_add(&t, &err, "%s", "12345"), VG_ERR_LIMIT);
    assert_int_equal(sink_text_add_json(&t, "abc", &err), VG_ERR_LIMIT);
    t.length = 5;
    assert_int_equal(sink_text_add(&t, &err, "%s", "6789"), VG_OK);
    assert_string_equal(t.bytes, "123456789");
    sink_text_close(&t);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The fullest line and rows that there can be: every sink's block was measured for them. */
static void the_longest_texts_fit(void **state)
{
    job *j = *state;
    enum { N = 4 };
    char source[400];
    vg_detection boxes[N];
    memset(source, 1, sizeof source - 1); /* six bytes each in JSON */
    source[sizeof source - 1] = 0;
    for (size_t i = 0; i < N; i++)
        boxes[i] = (vg_detection){-1.234567e-30f, -1.765433e-30f, -1.111117e-30f,
                                  -1.222227e-30f, -1.234567e-30f, INT32_MIN};
    j->o.nms.max_det = N;
    j->o.save_json = j->o.save_txt = j->o.save_conf = true;
    sink_setting setting = {.options = &j->o,
                            .folder = j->folder,
                            .longest_path_bytes = sizeof source - 1,
                            .mem = &j->mem.owner[STREAM_OUTPUT]};
    vg_predict_result result = {.source = source,
                                .detections = boxes,
                                .n_detections = N,
                                .width = 2000000000,
                                .height = 2000000000};
    picture_entry entry = {.path = "a.jpg"};
    sink_item item = {.result = &result, .entry = &entry};
    for (size_t i = 0; i < n_sinks; i++) {
        if (!sinks[i]->is_wanted(&j->o))
            continue;
        void *s = scene_alloc(sinks[i]->state_bytes);
        assert_int_equal(sinks[i]->open(s, &setting, &j->err), VG_OK);
        if (sinks[i]->write(s, &setting, &item, &j->err) != VG_OK)
            fail_msg("%s: %s", sinks[i]->name, j->err.what);
        assert_int_equal(sinks[i]->close(s, &j->err), VG_OK);
        free(s);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, job_set_up, job_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(txt_has_a_row_a_box_as_the_spec_says),
        TEST(a_picture_without_boxes_has_no_txt_not_even_an_old_one),
        TEST(json_has_a_line_a_picture),
        TEST(the_picture_is_kept_with_its_boxes_drawn),
        TEST(crops_are_the_boxes_inside_the_picture),
        TEST(a_png_stays_a_png_and_twins_keep_apart),
        TEST(a_picture_is_never_written_over_its_source),
        cmocka_unit_test(texts_stop_at_their_capacity),
        TEST(the_longest_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
