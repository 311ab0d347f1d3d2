/* A validation through vigil.h: result, folder, predictions.json, and what is refused. That the
 * metrics are right is proved in tests/golden. */
#include "set.h"

#include <jansson.h>

static char folder[256], weights[600], single[600];

/* Weights for all tests: of two classes, and of one. */
static int set_up_all(void **state)
{
    (void)state;
    if (folder_make(folder, sizeof folder) != 0)
        return -1;
    set_make(folder);
    for (int i = 0; i < 2; i++) {
        vg_error err;
        vg_train *t = set_train(folder);
        set_arg(t, "plots", "false");
        set_arg(t, "single_cls", i == 0 ? "false" : "true");
        set_arg(t, "name", i == 0 ? "two" : "one");
        if (vg_train_prepare(t, &err) != VG_OK || vg_train_run(t, NULL, &err) != VG_OK)
            fail_msg("%s (%s)", err.what, err.where);
        vg_train_destroy(&t);
    }
    snprintf(weights, sizeof weights, "%s/runs/two/weights/best.safetensors", folder);
    snprintf(single, sizeof single, "%s/runs/one/weights/best.safetensors", folder);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static vg_val_options options(const char *name)
{
    static char data[600], project[600];
    vg_val_options o = vg_val_options_default();
    snprintf(data, sizeof data, "%s/data.yaml", folder);
    snprintf(project, sizeof project, "%s/val", folder);
    o.data = data;
    o.weights = weights;
    o.imgsz = 64;
    o.batch = 3;
    o.workers = 0;
    o.threads = 1;
    o.plots = false;
    o.project = project;
    o.name = name;
    return o;
}

static vg_val *open_well(const vg_val_options *o)
{
    vg_val *v = NULL;
    vg_error err;
    if (vg_val_open(&v, o, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return v;
}

static const char *message(const vg_val *v, const char *part)
{
    const char *m;
    for (size_t i = 0; (m = vg_val_message(v, i)) != NULL; i++)
        if (strstr(m, part) != NULL)
            return m;
    return NULL;
}

/* Trained at 64: another size gives other results, and nobody has to remember it. */
static void imgsz_is_that_of_the_training(void **state)
{
    (void)state;
    static const struct {
        int given, asked, used;
        vg_imgsz_from from;
    } rows[] = {{0, 64, 64, VG_IMGSZ_OF_WEIGHTS}, {70, 70, 96, VG_IMGSZ_GIVEN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vg_val_options o = options("own");
        vg_model_info info;
        o.imgsz = rows[i].given;
        vg_val *v = open_well(&o);
        vg_val_model(v, &info);
        assert_int_equal(info.imgsz, rows[i].used);
        assert_int_equal(info.asked_imgsz, rows[i].asked);
        assert_int_equal(info.imgsz_from, rows[i].from);
        vg_val_close(&v);
    }
    assert_int_equal(vg_val_options_default().imgsz, 0);
}

static void classes_in_another_order_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *names, *told; /* NULL: nothing */
    } rows[] = {{"[red, blue]", NULL},
                {"[blue, red]", "CLASS ORDER"},
                {"[red, green]", "1 of 2 class names differ: the first is class 1, \"blue\""},
                {"{1: blue, 0: red}", NULL}};
    char data[600], text[200];
    snprintf(data, sizeof data, "%s/names.yaml", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vg_val_options o = options("names");
        o.data = data;
        snprintf(text, sizeof text, "path: .\ntrain: images/train\nval: images/val\nnames: %s\n",
                 rows[i].names);
        scene_write_text(data, text);
        vg_val *v = open_well(&o);
        const bool told = message(v, "class") != NULL || message(v, "CLASS") != NULL;
        if (told != (rows[i].told != NULL) || (told && message(v, rows[i].told) == NULL))
            fail_msg("%s: %s", rows[i].names, vg_val_message(v, 0));
        vg_val_close(&v);
    }
    /* Without names there is nothing to compare. */
    vg_val_options o = options("names");
    o.data = data;
    scene_write_text(data, "path: .\ntrain: images/train\nval: images/val\nnc: 2\n");
    vg_val *v = open_well(&o);
    assert_null(vg_val_message(v, 0));
    vg_val_close(&v);
}

/* predictions.json: how many objects, how many of each picture, and that they can be. */
static size_t read_predictions(const char *run, int nc, size_t by_picture[SET_VAL])
{
    json_error_t why;
    json_t *list = json_load_file(scene_path(run, "predictions.json"), 0, &why), *row;
    size_t i;
    if (!json_is_array(list))
        fail_msg("predictions.json: %s", why.text);
    memset(by_picture, 0, SET_VAL * sizeof *by_picture);
    json_array_foreach(list, i, row)
    {
        json_t *id;
        int category;
        double x, y, w, h, score;
        assert_int_equal(json_unpack_ex(row, &why, JSON_STRICT, "{s:o, s:i, s:[F, F, F, F], s:F}",
                                        "image_id", &id, "category_id", &category, "bbox", &x, &y,
                                        &w, &h, "score", &score),
                         0);
        assert_in_range(category, 0, nc - 1);
        assert_true(x >= 0 && y >= 0 && w >= 0 && h >= 0);
        assert_true(x + w <= SET_W + 0.01 && y + h <= SET_H + 0.01);
        assert_true(score > 0.001 && score <= 1);
        if (json_is_integer(id))
            by_picture[json_integer_value(id) == 7 ? 0 : 1]++;
        else
            by_picture[strcmp(json_string_value(id), "shelf_2") == 0 ? 2 : 3]++;
        assert_true(!json_is_integer(id) || json_integer_value(id) == 7 ||
                    json_integer_value(id) == 8);
    }
    json_decref(list);
    return i;
}

/* ---- tests ---- */

static void every_detection_is_in_predictions_json(void **state)
{
    (void)state;
    const vg_val_result *r;
    vg_error err;
    size_t by_picture[SET_VAL];
    vg_val_options o = options("json");
    o.save_json = true;
    vg_val *v = open_well(&o);
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_OK);
    assert_int_equal(r->n_pictures, SET_VAL);
    assert_int_equal(r->n_instances, SET_VAL * SET_BOXES);
    assert_true(r->n_detections > 0);
    assert_int_equal(read_predictions(vg_val_folder(v), 2, by_picture), r->n_detections);
    for (int i = 0; i < SET_VAL; i++)
        assert_true(by_picture[i] > 0);
    assert_int_equal(folder_count_entries(vg_val_folder(v)), 1); /* no plots were asked for */
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_ERR_ARGUMENT); /* once */
    vg_val_close(&v);
    assert_null(v);
}

/* A row for each detection, with its confidence; the folder that all pictures share is left out. */
static void labels_hold_what_was_found(void **state)
{
    (void)state;
    const vg_val_result *r;
    vg_error err;
    vg_val *v = NULL;
    vg_val_options o = options("txt");
    size_t n = 0;
    o.save_conf = true;
    assert_int_equal(vg_val_open(&v, &o, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "save_conf without save_txt"));
    o.save_txt = true;
    v = open_well(&o);
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_OK);
    assert_int_equal(folder_count_entries(vg_val_folder(v)), 1); /* labels */
    assert_int_equal(folder_count_entries(scene_path(vg_val_folder(v), "labels")), SET_VAL);
    FILE *rows = fopen(scene_path(vg_val_folder(v), "labels/shelf_2.txt"), "r");
    assert_non_null(rows);
    int class_index;
    for (float x, y, w, h, conf;
         fscanf(rows, "%d %f %f %f %f %f\n", &class_index, &x, &y, &w, &h, &conf) == 6; n++) {
        assert_in_range(class_index, 0, 1);
        assert_true(x >= 0 && x <= 1 && y >= 0 && y <= 1 && w <= 1 && h <= 1);
        assert_true(conf > 0.001f && conf <= 1);
    }
    assert_true(feof(rows) && n > 0);
    fclose(rows);
    vg_val_close(&v);
}

static void plots_are_in_the_folder_and_in_the_plan(void **state)
{
    (void)state;
    static const char *const files[] = {"PR_curve.png",          "P_curve.png",
                                        "R_curve.png",           "F1_curve.png",
                                        "confusion_matrix.png",  "confusion_matrix_normalized.png",
                                        "val_batch0_labels.jpg", "val_batch0_pred.jpg",
                                        "val_batch1_labels.jpg", "val_batch1_pred.jpg"};
    const vg_val_result *r;
    vg_memory m;
    vg_error err;
    vg_val_options o = options("plots");
    vg_val *v = open_well(&o);
    vg_val_memory(v, &m);
    const size_t without = m.planned_bytes;
    assert_string_equal(vg_val_folder(v), "");
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_OK);
    vg_val_close(&v);
    assert_int_equal(folder_count_entries(scene_path(o.project, "plots")), -1);
    o.plots = true;
    v = open_well(&o);
    vg_val_memory(v, &m);
    assert_true(m.planned_bytes > without + 2 * 3 * 96 * 96);
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_OK);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!set_has(vg_val_folder(v), files[i]))
            fail_msg("no %s", files[i]);
    assert_int_equal(folder_count_entries(vg_val_folder(v)), sizeof files / sizeof *files);
    vg_val_close(&v);
}

static void single_cls_makes_one_class_of_all(void **state)
{
    (void)state;
    const vg_val_result *r;
    vg_error err;
    vg_val *v = NULL;
    size_t by_picture[SET_VAL];
    vg_val_options o = options("single");
    o.weights = single;
    assert_int_equal(vg_val_open(&v, &o, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "a model of 1 class and a dataset of 2"));
    o.single_cls = o.save_json = true;
    v = open_well(&o);
    assert_int_equal(vg_val_run(v, &r, NULL, NULL, &err), VG_OK);
    assert_int_equal(r->n_instances, SET_VAL * SET_BOXES);
    for (size_t i = 0; i < r->n_classes; i++)
        assert_string_equal(r->classes[i].name, "item");
    assert_int_equal(read_predictions(vg_val_folder(v), 1, by_picture), r->n_detections);
    vg_val_close(&v);
}

static bool at_once(void *ctx)
{
    ++*(int *)ctx;
    return true;
}

static void a_validation_that_was_stopped_leaves_no_list(void **state)
{
    (void)state;
    const vg_val_result *r = NULL;
    vg_error err;
    int n_asked = 0;
    vg_val_options o = options("stopped");
    o.save_json = true;
    vg_val *v = open_well(&o);
    char run[512];
    snprintf(run, sizeof run, "%s", vg_val_folder(v));
    assert_int_equal(vg_val_run(v, &r, at_once, &n_asked, &err), VG_ERR_INTERRUPTED);
    assert_null(r);
    assert_int_equal(n_asked, 1);
    vg_val_close(&v);
    assert_int_equal(folder_count_entries(run), -1); /* nor the folder */
}

static void wrong_validations_are_refused(void **state)
{
    (void)state;
    vg_error err;
    vg_val *v = NULL;
    assert_int_equal(vg_val_open(&v, NULL, &err), VG_ERR_ARGUMENT);
    for (int i = 0; i < 14; i++) {
        vg_val_options o = options("wrong");
        vg_status want = VG_ERR_ARGUMENT;
        o.save_json = true;
        switch (i) {
        case 0:
            o.data = NULL;
            break;
        case 1:
            o.weights = "";
            break;
        case 2:
            o.split = "valid";
            break;
        case 3:
            o.split = "test"; /* which the YAML leaves out */
            break;
        case 4:
            o.conf = 2;
            break;
        case 5:
            o.iou = -1;
            break;
        case 6:
            o.max_det = 0;
            break;
        case 7:
            o.imgsz = 8;
            break;
        case 8:
            o.batch = 0;
            break;
        case 9:
            o.workers = -1;
            break;
        case 10:
            o.name = "";
            break;
        case 11:
            o.weights = TEST_GOLDEN_DIR "/yolo11n_random.pt"; /* of 80 classes */
            break;
        case 12:
            o.weights = "/nowhere.pt";
            want = VG_ERR_IO;
            break;
        default:
            o.single_cls = true; /* with weights of two classes */
            break;
        }
        const vg_status st = vg_val_open(&v, &o, &err);
        if (st != want || err.what[0] == '\0')
            fail_msg("row %d: %s", i, vg_status_name(st));
        assert_null(v);
    }
    assert_int_equal(folder_count_entries(scene_path(options("").project, "wrong")), -1);
}

static void faults_of_the_data_are_told(void **state)
{
    (void)state;
    char path[600], data[600];
    const char *const dirs[] = {"images/faults", "labels/faults"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, dirs[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    const char *const rows[][2] = {{"good", NULL},
                                   {"empty", ""},
                                   {"twice", "1 .5 .5 .2 .2\n1 .5 .5 .2 .2\n"},
                                   {"wrong", "2 .5 .5 .2 .2\n"},
                                   {"without", NULL}};
    for (int i = 0; i < 5; i++) {
        set_write_picture(folder, "faults", rows[i][0], i);
        snprintf(path, sizeof path, "%s/labels/faults/%s.txt", folder, rows[i][0]);
        if (rows[i][1])
            scene_write_text(path, rows[i][1]);
    }
    assert_int_equal(remove(path), 0);
    snprintf(data, sizeof data, "%s/faults.yaml", folder);
    scene_write_text(data,
                     "path: .\ntrain: images/train\nval: images/faults\nnames: [red, blue]\n");
    vg_val_options o = options("faults");
    o.data = data;
    vg_val *v = open_well(&o);
    vg_data_report r;
    vg_val_data(v, &r);
    assert_int_equal(r.n_pictures, 4);
    assert_int_equal(r.n_objects, 3);
    assert_int_equal(r.n_empty, 1);
    assert_int_equal(r.n_missing, 1);
    assert_int_equal(r.n_corrupt, 1);
    assert_int_equal(r.n_duplicates, 1);
    assert_non_null(strstr(vg_val_message(v, 0), "wrong.txt:1: class 2"));
    assert_null(vg_val_message(v, 1));
    vg_val_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imgsz_is_that_of_the_training),
        cmocka_unit_test(classes_in_another_order_are_told),
        cmocka_unit_test(every_detection_is_in_predictions_json),
        cmocka_unit_test(labels_hold_what_was_found),
        cmocka_unit_test(plots_are_in_the_folder_and_in_the_plan),
        cmocka_unit_test(single_cls_makes_one_class_of_all),
        cmocka_unit_test(a_validation_that_was_stopped_leaves_no_list),
        cmocka_unit_test(wrong_validations_are_refused),
        cmocka_unit_test(faults_of_the_data_are_told),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
