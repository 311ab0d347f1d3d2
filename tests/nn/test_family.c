/* test_family.c: weights of other models are refused by their own names. */
#include "support/test.h"

#include "nn/nn.h"

static base_mem mem = {.tag = "test"};

/* A file without tensors whose model is `yaml`, JSON with ' for ". */
static vg_status graph_of_json(nn_graph **g, const char *yaml, vg_error *err)
{
    char header[2048], text[1024];
    uint8_t bytes[2100];
    size_t k = 0;
    for (const char *c = yaml; *c && k < sizeof text - 3; c++) {
        if (*c == '\'')
            text[k++] = '\\';
        text[k++] = *c == '\'' ? '"' : *c;
    }
    text[k] = '\0';
    snprintf(header, sizeof header, "{\"__metadata__\":{\"model_yaml\":\"%s\"}}", text);
    const uint64_t n = strlen(header);
    memcpy(bytes, &n, 8);
    memcpy(bytes + 8, header, n);
    weights_file *f = NULL;
    if (weights_open_memory(&f, bytes, 8 + (size_t)n, "w", &mem, err) != VG_OK)
        fail_msg("%s", err->what);
    const vg_status st = nn_graph_from_weights(g, f, &mem, err);
    weights_close(&f);
    return st;
}

static void refuse(const char *yaml, const char *family)
{
    nn_graph *g = NULL;
    vg_error err = {0};
    const vg_status st = graph_of_json(&g, yaml, &err);
    if (st != VG_ERR_UNSUPPORTED || strstr(err.what, family) == NULL ||
        strstr(err.mend, "YOLO11, YOLOv8 and YOLOv5u") == NULL)
        fail_msg("%s: %d %s; try %s", family, (int)st, err.what, err.mend);
    assert_null(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

#define SCALES "'nc':80,'ch':3,'scales':{'n':[0.33,0.25,1024]},"

static void other_families_and_tasks_are_named(void **state)
{
    (void)state;
    refuse("{" SCALES "'yaml_file':'yolo12n-seg.yaml','backbone':[[-1,4,'A2C2f',[64,true,4]]],"
           "'head':[[[0],1,'Segment',['nc',32,256]]]}",
           ": YOLO12 segmentation");
    refuse("{" SCALES "'yaml_file':'yolov10n-cls.yaml','backbone':[[-1,1,'SCDown',[64,3,2]]],"
           "'head':[[-1,1,'Classify',['nc']]]}",
           ": YOLOv10 classification");
    refuse("{" SCALES "'yaml_file':'yolov10n.yaml','backbone':[[-1,1,'SCDown',[64,3,2]]],"
           "'head':[[[0],1,'v10Detect',['nc']]]}",
           ": YOLOv10 detection");
    refuse("{" SCALES "'yaml_file':'yolov9c.yaml','backbone':[[-1,1,'ELAN1',[64,3,2]]],"
           "'head':[[[0],1,'Detect',['nc']]]}",
           ": YOLOv9 detection");
    refuse("{" SCALES "'yaml_file':'/a/yolo12n.yaml','backbone':[[-1,4,'A2C2f',[64,true,4]]],"
           "'head':[[[0],1,'Detect',['nc']]]}",
           ": YOLO12 detection");
    refuse("{" SCALES "'end2end':true,'reg_max':1,'backbone':[[-1,1,'Conv',[64,3,2]],"
           "[-1,2,'C3k2',[64,false,0.25,true,3]]],'head':[[[1],1,'Detect',['nc']]]}",
           ": YOLO26 detection");
    refuse("{" SCALES "'yaml_file':'yolo26n-obb.yaml','backbone':[[-1,1,'Conv',[64,3,2]],"
           "[-1,2,'C3k2',[64,false,0.25,true,3]]],'head':[[[1],1,'OBB26',['nc',1]]]}",
           ": YOLO26 oriented boxes");
    refuse("{'nc':80,'backbone':[[-1,1,'Conv',[64,3,2]],[-1,3,'models.common.C3',[128]]],"
           "'head':[[[1],1,'Detect',['nc','anchors']]]}",
           ": YOLOv5 detection with anchors");
    refuse("{" SCALES "'yaml_file':'yolov8n-rtdetr.yaml','backbone':[[-1,1,'Conv',[64,3,2]],"
           "[-1,3,'C2f',[128,true]]],'head':[[[1],1,'RTDETRDecoder',['nc']]]}",
           ": RT-DETR detection");
    refuse("{" SCALES "'backbone':[[-1,6,'HGBlock',[48,128,3]]],"
           "'head':[[[0],1,'RTDETRDecoder',['nc']]]}",
           ": RT-DETR detection");
}

static void heads_of_other_tasks_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        vg_task task;
        int n_extra, keypoints, dims;
        const char *suffix; /* of its name */
    } rows[] = {
        {"[[1],1,'Segment',['nc',32,256]]", VG_TASK_SEGMENT, 32, 0, 0, "-seg"},
        {"[[1],1,'Pose',['nc',[17,3]]]", VG_TASK_POSE, 51, 17, 3, "-pose"},
        {"[[1],1,'Pose',['nc','kpt_shape']]", VG_TASK_POSE, 10, 5, 2, "-pose"},
        {"[[1],1,'OBB',['nc',1]]", VG_TASK_OBB, 1, 0, 0, "-obb"},
        {"[-1,1,'Classify',['nc']]", VG_TASK_CLASSIFY, 0, 0, 0, "-cls"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[512];
        nn_graph *g = NULL;
        nn_graph_info info;
        vg_error err = {0};
        snprintf(yaml, sizeof yaml,
                 "{" SCALES "%s'backbone':[[-1,1,'Conv',[64,3,2]],[-1,3,'C2f',[128,true]]],"
                 "'head':[%s]}",
                 i == 2 ? "'kpt_shape':[5,2]," : "", rows[i].head);
        if (graph_of_json(&g, yaml, &err) != VG_OK)
            fail_msg("%s: %s at %s", rows[i].head, err.what, err.where);
        nn_graph_get_info(g, 640, &info);
        assert_int_equal(info.task, rows[i].task);
        assert_non_null(strstr(info.name, rows[i].suffix));
        assert_int_equal(info.n_extra, rows[i].n_extra);
        assert_int_equal(info.keypoints, rows[i].keypoints);
        assert_int_equal(info.keypoint_dims, rows[i].dims);
        nn_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(other_families_and_tasks_are_named),
                                       cmocka_unit_test(heads_of_other_tasks_are_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
