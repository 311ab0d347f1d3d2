/* test_models.c: YOLOv8, YOLOv8-p2 and YOLOv5u: their sizes against what the reference says of
 * them, their names, both kinds of class branch, and how a weights file tells which it is. Their
 * numbers are golden files (tools/golden). */
#include "support/test.h"

#include <math.h>

#include "nn/models.h"
#include "support/golden.h"
#include "support/synthetic.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static nn_graph *named(const char *name, int nc)
{
    nn_graph *g = NULL;
    vg_error err = {0};
    if (nn_graph_from_name(&g, name, nc, &mem, &err) != VG_OK)
        fail_msg("%s: %s at %s", name, err.what, err.where);
    return g;
}

static bool has_param(const nn_graph *g, const char *key)
{
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        if (strcmp(nn_graph_param(g, i)->key, key) == 0)
            return true;
    return false;
}

static int nothing_is_held(void **state)
{
    (void)state;
    const size_t held = mem.in_use_bytes;
    mem.in_use_bytes = 0;
    return held == 0 ? 0 : -1;
}

/* ---- sizes ---- */

static void sizes_are_the_references(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t params, fused;
        size_t n_tensors;
        double gflops;
    } rows[] = {
        {"yolov8n", 3157200, 3151904, 298, 8.8550912},
        {"yolov8s", 11166560, 11156544, 298, 28.8119296},
        {"yolov8m", 25902640, 25886080, 398, 79.313664},
        {"yolov8l", 43691520, 43668288, 498, 165.734656},
        {"yolov8x", 68229648, 68200608, 498, 258.5370112},
        {"yolov8n-p2", 3354144, 3348240, 367, 17.4288384},
        {"yolov8s-p2", 10884336, 10873680, 367, 39.6701184},
        {"yolov8m-p2", 25082496, 25064944, 487, 98.9808128},
        {"yolov8l-p2", 42888080, 42863184, 607, 206.2662144},
        {"yolov8x-p2", 66637536, 66606544, 607, 317.980928},
        {"yolov5n", 2654816, 2649200, 358, 7.8388736},
        {"yolov5s", 9153152, 9142496, 358, 24.2104832},
        {"yolov5m", 25111456, 25091536, 468, 64.6027776},
        {"yolov5l", 53225024, 53193088, 578, 135.6200448},
        {"yolov5x", 97276448, 97229648, 688, 247.3129472},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nn_graph_info info;
        nn_graph *g = named(rows[i].name, 0);
        nn_graph_get_info(g, 640, &info);
        if (info.n_params != rows[i].params || info.n_params_fused != rows[i].fused ||
            nn_graph_n_params(g) != rows[i].n_tensors ||
            fabs(info.gflops - rows[i].gflops) > 1e-3 * rows[i].gflops)
            fail_msg("%s: %lld parameters, %lld fused, %zu tensors, %.6f GFLOPs", rows[i].name,
                     (long long)info.n_params, (long long)info.n_params_fused, nn_graph_n_params(g),
                     info.gflops);
        const bool is_p2 = strstr(rows[i].name, "-p2") != NULL;
        assert_int_equal(info.n_levels, is_p2 ? 4 : 3);
        assert_true(info.strides[0] == (is_p2 ? 4 : 8));
        assert_int_equal(info.max_stride, 32);
        assert_int_equal(info.class_branch, NN_CLASS_PLAIN);
        assert_string_equal(info.name, rows[i].name);
        nn_graph_destroy(&g);
    }
}

/* Section 1.6 of the tasks' specification, GFLOPs as they are printed there. */
static void sizes_of_other_tasks_are_the_references(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int nc, imgsz;
        int64_t params[5], fused[5]; /* 0: not in the table */
        double gflops[5], gflops_fused[5];
    } rows[] = {
        {"seg",
         80,
         640,
         {2876848, 10113248, 22420896, 27678368, 62142656},
         {2868664, 10097776, 22396992, 27646272, 62094528},
         {10.5, 35.8, 123.9, 143.0, 320.2},
         {10.4, 35.5, 123.3, 142.2, 319.0}},
        {"pose",
         1,
         640,
         {2874462, 9918238, 20912364, 26169836, 58798636},
         {2866468, 9902940, 20889004, 26138284, 58751308},
         {7.5, 23.3, 71.9, 91.0, 203.8},
         {7.4, 23.1, 71.4, 90.3, 202.8}},
        {"pose",
         80,
         640,
         {2908507, 9948811, 20973273, 26230745, 58889881},
         {0},
         {7.7, 23.5, 72.3, 91.4, 204.3},
         {0}},
        {"obb",
         15,
         640,
         {2664432, 9719776, 20913408, 26170880, 58800256},
         {2656648, 9704592, 20890048, 26139328, 58752928},
         {6.7, 22.6, 71.9, 91.0, 203.8},
         {6.6, 22.3, 71.4, 90.3, 202.8}},
        {"obb",
         80,
         640,
         {2695747, 9744931, 20963523, 26220995, 58875331},
         {0},
         {6.9, 22.7, 72.2, 91.3, 204.3},
         {0}},
        {"cls",
         1000,
         224,
         {2812104, 6724008, 11634216, 14115624, 29637064},
         {2807024, 6715128, 11622632, 14099432, 29613416},
         {0.5, 1.6, 5.0, 6.2, 13.7},
         {0}},
        {"cls",
         80,
         640,
         {1633584, 5545488, 10455696, 12937104, 28458544},
         {0},
         {3.3, 12.2, 39.7, 49.9, 111.1},
         {3.3, 12.1, 39.3, 49.4, 110.4}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int k = 0; k < 5; k++) {
            char name[32];
            nn_graph_info info;
            base_format(name, sizeof name, "yolo11%c-%s", "nsmlx"[k], rows[i].name);
            nn_graph *g = named(name, rows[i].nc);
            nn_graph_get_info(g, rows[i].imgsz, &info);
            const int64_t fused = rows[i].fused[k];
            const double by = rows[i].gflops_fused[k];
            if (info.n_params != rows[i].params[k] || (fused > 0 && info.n_params_fused != fused) ||
                fabs(info.gflops - rows[i].gflops[k]) > 0.0501 ||
                (by > 0 && fabs(info.gflops_fused - by) > 0.0501))
                fail_msg("%s, nc %d: %lld parameters, %lld fused, %.3f GFLOPs, %.3f fused", name,
                         rows[i].nc, (long long)info.n_params, (long long)info.n_params_fused,
                         info.gflops, info.gflops_fused);
            assert_string_equal(info.name, name);
            nn_graph_destroy(&g);
        }
}

static void the_points_are_the_callers_or_the_yamls(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    nn_graph_info info;
    char *text = NULL;
    const nn_graph_options o = {.nc = 2, .keypoints = 5, .keypoint_dims = 2};
    assert_int_equal(nn_graph_from_name_with(&g, "yolo11n-pose.yaml", &o, &mem, NULL), VG_OK);
    nn_graph_get_info(g, 640, &info);
    assert_int_equal(info.task, VG_TASK_POSE);
    assert_int_equal(info.n_extra, 10);
    nn_graph_destroy(&g);
    assert_int_equal(nn_model_text(&text, nn_builtin_yaml_of("yolo11n-pose"), &o, &mem, NULL),
                     VG_OK);
    assert_non_null(strstr(text, "nc: 2\nkpt_shape: [5, 2]\n"));
    assert_null(strstr(text, "17"));
    assert_int_equal(graph_from_text(&g, text, "n", 0, &mem, NULL), VG_OK);
    nn_graph_get_info(g, 640, &info);
    assert_int_equal(info.keypoints, 5);
    assert_int_equal(info.keypoint_dims, 2);
    nn_graph_destroy(&g);
    base_free(text);
    static const char *const bad[] = {"[17]", "[17, 4]", "[0, 3]", "[17, 3, 1]", "17", "[a, b]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[256];
        vg_error err = {0};
        base_format(yaml, sizeof yaml,
                    "nc: 2\nkpt_shape: %s\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n"
                    "  - [[0], 1, Pose, [nc, kpt_shape]]\n",
                    bad[i]);
        assert_int_equal(graph_from_text(&g, yaml, NULL, 0, &mem, &err), VG_ERR_FORMAT);
        assert_non_null(strstr(err.where, "model.yaml:2, kpt_shape"));
    }
}

/* Every parameter that the reference has a gradient for, and no other. */
static void names_are_those_of_a_state_dict(void **state)
{
    (void)state;
    static const char *const names[] = {"yolov8n", "yolov8n-p2", "yolov5n"};
    for (size_t k = 0; k < 3; k++) {
        char key[NN_KEY_BYTES + 16];
        base_format(key, sizeof key, "train_%s_nc3_64.safetensors", names[k]);
        golden_file *f = golden_open(key);
        nn_graph *g = named(names[k], 3);
        for (size_t i = 0; i < nn_graph_n_params(g); i++) {
            const nn_param *p = nn_graph_param(g, i);
            base_format(key, sizeof key, "norm1/%s", p->key);
            if (!golden_has(f, key))
                fail_msg("the reference's %s has no %s", names[k], p->key);
        }
        nn_graph_destroy(&g);
        golden_close(f);
    }
}

static void names_that_users_type_mean_the_built_in_models(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"yolov8s.yaml", "yolov8s"},      {"yolo8s", "yolov8s"},
        {"yolov8x-p2.yml", "yolov8x-p2"}, {"yolov5nu", "yolov5n"},
        {"yolov5mu.yaml", "yolov5m"},     {"yolov5l.yaml", "yolov5l"},
        {"yolov11m.yaml", "yolo11m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nn_graph_info info;
        nn_graph *g = named(rows[i][0], 7);
        nn_graph_get_info(g, 640, &info);
        assert_string_equal(info.name, rows[i][1]);
        assert_int_equal(info.nc, 7);
        assert_non_null(nn_builtin_yaml_of(rows[i][0]));
        nn_graph_destroy(&g);
    }
    static const char *const not [] = {"yolov8z",  "yolov8n-p6", "yolov9c", "yolo11n-p2",
                                       "yolov8nu", "yolov8",     "yolo",    "yolov3n"};
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
        nn_graph *g = NULL;
        assert_int_equal(nn_graph_from_name(&g, not [i], 0, &mem, NULL), VG_ERR_ARGUMENT);
        assert_null(g);
    }
}

/* ---- what a weights file holds ---- */

/* The generator's weights of g as a plain state dict, and the graph that is found for them. */
static nn_graph *found_of(nn_graph **g, synthetic_weights *s)
{
    nn_graph *found = NULL;
    vg_error err = {0};
    if (synthetic_make(s, *g, 0, 8.0, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    nn_graph_destroy(g);
    if (nn_graph_from_weights(&found, s->weights, &mem, &err) != VG_OK)
        fail_msg("%s at %s; try %s", err.what, err.where, err.mend);
    return found;
}

static void a_plain_state_dict_is_known_by_its_tensors(void **state)
{
    (void)state;
    static const char *const names[] = {"yolov8n",     "yolov8n-p2",  "yolov5n",
                                        "yolo11n",     "yolo11n-seg", "yolo11n-pose",
                                        "yolo11n-obb", "yolo11n-cls"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        nn_graph *g = named(names[k], 6);
        synthetic_weights s;
        nn_graph_info info;
        nn_graph *found = found_of(&g, &s);
        nn_graph_get_info(found, 640, &info);
        assert_string_equal(info.name, names[k]);
        assert_int_equal(info.nc, 6);
        char *text = NULL;
        assert_int_equal(nn_model_text_of_weights(&text, found, s.weights,
                                                  &(nn_graph_options){.nc = 4}, &mem, NULL),
                         VG_OK);
        assert_non_null(strstr(text, "nc: 4\n"));
        assert_null(strstr(text, "class_branch"));
        base_free(text);
        nn_graph_destroy(&found);
        synthetic_close(&s);
    }
}

/* Some releases of the reference gave YOLOv8 the depthwise branch of YOLO11. */
static void the_tensors_tell_the_class_branch(void **state)
{
    (void)state;
    char *yaml = NULL, *text = NULL;
    nn_graph *g = NULL;
    synthetic_weights s;
    nn_graph_info info;
    yaml = base_asprintf(&mem, NULL, "%sclass_branch: depthwise\n", nn_builtin_yaml_of("yolov8n"));
    assert_non_null(yaml);
    assert_int_equal(graph_from_text(&g, yaml, "n", 2, &mem, NULL), VG_OK);
    assert_true(has_param(g, "model.22.cv3.0.0.0.conv.weight"));
    assert_false(has_param(g, "model.22.cv3.0.0.conv.weight"));
    nn_graph *found = found_of(&g, &s);
    nn_graph_get_info(found, 640, &info);
    assert_string_equal(info.name, "yolov8n");
    assert_int_equal(info.class_branch, NN_CLASS_DEPTHWISE);
    /* A run that goes on from them says so to those who open its weights. */
    assert_int_equal(
        nn_model_text_of_weights(&text, found, s.weights, &(nn_graph_options){.nc = 3}, &mem, NULL),
        VG_OK);
    assert_non_null(strstr(text, "class_branch: depthwise\n"));
    assert_int_equal(graph_from_text(&g, text, "n", 0, &mem, NULL), VG_OK);
    assert_true(has_param(g, "model.22.cv3.0.0.0.conv.weight"));
    nn_graph_destroy(&g);
    nn_graph_destroy(&found);
    synthetic_close(&s);
    base_free(text);
    base_free(yaml);
    vg_error err = {0};
    assert_int_equal(graph_from_text(&g,
                                     "nc: 2\nclass_branch: odd\nbackbone:\n"
                                     "  - [-1, 1, Conv, [16, 3, 2]]\n" MODEL_HEAD(0),
                                     NULL, 0, &mem, &err),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(err.where, "model.yaml:2"));
}

/* A weights file without tensors whose model is this JSON. */
static weights_file *file_of_json(const char *json, uint8_t *bytes, size_t most)
{
    char text[4096];
    size_t k = 0;
    weights_file *f = NULL;
    for (const char *c = json; *c && k < sizeof text - 3; c++) {
        if (*c == '\'')
            text[k++] = '\\';
        text[k++] = *c == '\'' ? '"' : *c;
    }
    text[k] = '\0';
    const int n =
        snprintf((char *)bytes + 8, most - 8, "{\"__metadata__\":{\"model_yaml\":\"%s\"}}", text);
    const uint64_t length = (uint64_t)n;
    assert_true(n > 0 && (size_t)n < most - 8);
    memcpy(bytes, &length, sizeof length);
    assert_int_equal(weights_open_memory(&f, bytes, (size_t)n + 8, "w", &mem, NULL), VG_OK);
    return f;
}

static char *text_of_json(const char *json)
{
    static uint8_t bytes[8192];
    weights_file *f = file_of_json(json, bytes, sizeof bytes);
    nn_graph *g = NULL;
    char *text = NULL;
    vg_error err = {0};
    if (nn_graph_from_weights(&g, f, &mem, &err) != VG_OK ||
        nn_model_text_of_weights(&text, g, f, &(nn_graph_options){.nc = 9}, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    nn_graph_destroy(&g);
    weights_close(&f);
    return text;
}

/* A checkpoint's model is JSON; training goes on from it with another class count. */
static void a_checkpoints_model_becomes_a_yaml(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    nn_graph_info info;
    char *text = text_of_json(
        "{'nc':80,'yaml_file':'mine.yaml','scale':'t','scales':{'t':[0.33,0.25,1024]},"
        "'backbone':[[-1,1,'Conv',[64,6,2,2]],[-1,3,'C3',[128,false]],"
        "[-1,1,'nn.Upsample',['None',2,'nearest']]],'head':[[[1,2],1,'Detect',['nc']]]}");
    assert_string_equal(text, "nc: 9\nscale: t\nscales: # depth, width, most channels\n"
                              "  t: [0.33, 0.25, 1024]\nbackbone:\n"
                              "  - [-1, 1, Conv, [64, 6, 2, 2]]\n  - [-1, 3, C3, [128, False]]\n"
                              "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\nhead:\n"
                              "  - [[1, 2], 1, Detect, [nc]]\n");
    assert_int_equal(graph_from_text(&g, text, NULL, 0, &mem, NULL), VG_OK);
    nn_graph_get_info(g, 640, &info);
    assert_int_equal(info.nc, 9);
    assert_int_equal(info.n_levels, 2);
    assert_string_equal(info.scale, "t");
    nn_graph_destroy(&g);
    base_free(text);
}

/* Their detectors' tensors are all there, and yet it is not what was trained. */
static void a_state_dict_of_another_task_is_refused_by_it(void **state)
{
    (void)state;
    static const struct {
        const char *tensors, *what;
    } rows[] = {
        {"'model.22.cv3.0.2.weight','model.22.proto.cv1.conv.weight'", "YOLOv8 segmentation"},
        {"'model.22.cv3.0.2.weight','model.22.cv4.0.2.weight'", "YOLOv8 pose"},
        {"'model.22.cv3.0.2.weight','model.4.cv2.0.cv3.conv.weight'", "YOLOv9 detection"},
        {"'model.23.cv3.0.2.weight','model.23.one2one_cv2.0.2.weight'", "YOLOv10 detection"},
        {"'model.21.cv3.0.2.weight'", "YOLO12 detection"},
        {"'model.24.m.0.weight','model.24.anchors'", "YOLOv5 detection with anchors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[1024] = "{";
        uint8_t bytes[1100];
        size_t k = 1;
        for (const char *c = rows[i].tensors; *c; c++) {
            if (*c == '\'') {
                header[k++] = '"';
                if (c[1] == ',' || c[1] == '\0')
                    k += (size_t)snprintf(
                        header + k, sizeof header - k,
                        ":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}");
            } else
                header[k++] = *c;
        }
        header[k++] = '}';
        const uint64_t length = k;
        memcpy(bytes, &length, 8);
        memcpy(bytes + 8, header, k);
        weights_file *f = NULL;
        nn_graph *g = NULL;
        vg_error err = {0};
        if (weights_open_memory(&f, bytes, k + 8, "w", &mem, &err) != VG_OK)
            fail_msg("%s at %s", err.what, err.where);
        if (nn_graph_from_weights(&g, f, &mem, &err) != VG_ERR_UNSUPPORTED ||
            !strstr(err.what, rows[i].what))
            fail_msg("%s: %s", rows[i].what, err.what);
        weights_close(&f);
    }
}

/* ---- a user's YAML ---- */

#define STEM "backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n"

static void keys_that_change_the_network_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "nc: 2\nactivation: nn.ReLU()\n" STEM MODEL_HEAD(0),
        "nc: 2\nend2end: True\n" STEM MODEL_HEAD(0),
        "nc: 2\nreg_max: 1\n" STEM MODEL_HEAD(0),
        "nc: 2\nchannels: 4\n" STEM MODEL_HEAD(0),
        "nc: 2\nch: 1\n" STEM MODEL_HEAD(0),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        nn_graph *g = NULL;
        vg_error err = {0};
        assert_int_equal(graph_from_text(&g, texts[i], NULL, 0, &mem, &err), VG_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.where, "model.yaml:2"));
        assert_null(g);
    }
    nn_graph *g = NULL;
    assert_int_equal(
        graph_from_text(&g, "nc: 2\nactivation: nn.SiLU()\nreg_max: 16\nch: 3\n" STEM MODEL_HEAD(0),
                        NULL, 0, &mem, NULL),
        VG_OK);
    nn_graph_destroy(&g);
}

static void paddings_that_keep_the_halves_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        bool good;
    } rows[] = {
        {"[16, 6, 2, 2]", true},  {"[16, 3, 1, 1]", true},  {"[16, 2, 2, 0]", true},
        {"[16, 4, 2, 1]", true},  {"[16, 6, 2]", false},    {"[16, 6, 2, 3]", false},
        {"[16, 6, 1, 2]", false}, {"[16, 3, 2, 0]", false}, {"[16, 3, 1, 0]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        nn_graph *g = NULL;
        vg_error err = {0};
        base_format(text, sizeof text, "nc: 2\nbackbone:\n  - [-1, 1, Conv, %s]\n%s", rows[i].row,
                    MODEL_HEAD(0));
        const vg_status st = graph_from_text(&g, text, NULL, 0, &mem, &err);
        if (st != (rows[i].good ? VG_OK : VG_ERR_UNSUPPORTED))
            fail_msg("%s: %d %s", rows[i].row, (int)st, err.what);
        nn_graph_destroy(&g);
    }
}

static void upsampling_is_by_powers_of_two(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        float stride; /* 0: refused */
    } rows[] = {{"None, 2, nearest", 4}, {"None, 4, 'nearest'", 2}, {"None, 8", 1},
                {"None, 3, nearest", 0}, {"None, 1, nearest", 0},   {"64, 2, nearest", 0},
                {"None, 2, bilinear", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        nn_graph *g = NULL;
        nn_graph_info info;
        base_format(text, sizeof text,
                    "nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [-1, 1, Conv, [16, 3, "
                    "2]]\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [-1, 1, nn.Upsample, [%s]]\n%s",
                    rows[i].row, MODEL_HEAD(3));
        const vg_status st = graph_from_text(&g, text, NULL, 0, &mem, NULL);
        assert_int_equal(st, rows[i].stride > 0 ? VG_OK : VG_ERR_UNSUPPORTED);
        if (g) {
            nn_graph_get_info(g, 64, &info);
            assert_true(info.strides[0] == rows[i].stride);
        }
        nn_graph_destroy(&g);
    }
}

static void multiples_scale_where_there_are_no_scales(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    vg_layer l;
    assert_int_equal(graph_from_text(&g,
                                     "nc: 2\ndepth_multiple: 0.33\nwidth_multiple: 0.5\nbackbone:\n"
                                     "  - [-1, 6, C3, [64]]\n" MODEL_HEAD(0),
                                     NULL, 0, &mem, NULL),
                     VG_OK);
    nn_graph_layer(g, 0, 64, &l);
    assert_int_equal(l.repeats, 2);
    assert_int_equal(l.c_out, 32);
    nn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sizes_are_the_references, nothing_is_held),
        cmocka_unit_test_teardown(sizes_of_other_tasks_are_the_references, nothing_is_held),
        cmocka_unit_test_teardown(the_points_are_the_callers_or_the_yamls, nothing_is_held),
        cmocka_unit_test_teardown(names_are_those_of_a_state_dict, nothing_is_held),
        cmocka_unit_test_teardown(names_that_users_type_mean_the_built_in_models, nothing_is_held),
        cmocka_unit_test_teardown(a_plain_state_dict_is_known_by_its_tensors, nothing_is_held),
        cmocka_unit_test_teardown(the_tensors_tell_the_class_branch, nothing_is_held),
        cmocka_unit_test_teardown(a_checkpoints_model_becomes_a_yaml, nothing_is_held),
        cmocka_unit_test_teardown(a_state_dict_of_another_task_is_refused_by_it, nothing_is_held),
        cmocka_unit_test_teardown(keys_that_change_the_network_are_refused, nothing_is_held),
        cmocka_unit_test_teardown(paddings_that_keep_the_halves_are_allowed, nothing_is_held),
        cmocka_unit_test_teardown(upsampling_is_by_powers_of_two, nothing_is_held),
        cmocka_unit_test_teardown(multiples_scale_where_there_are_no_scales, nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
