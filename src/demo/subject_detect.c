/* subject_detect.c: a shop's shelves, and a box around what is seen of each product. */
#include "shelf.h"
#include "subject.h"

static vg_status draw(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err)
{
    static const demo_shelf_look look = {0.85f, 1.2f};
    demo_label labels[DEMO_ITEMS_MAX];
    vg_status st = demo_shelf_draw(&s->picture, labels, &s->n_objects, &look, seed, number, w, h,
                                   &s->canvas, mem, err);
    for (size_t i = 0; i < s->n_objects && st == VG_OK; i++) {
        const demo_label *l = &labels[i];
        const float wide = (float)w, high = (float)h;
        st = demo_row_add(s, mem, err, "%d %.6f %.6f %.6f %.6f\n", (int)l->kind,
                          (double)((l->x1 + l->x2) / (2 * wide)),
                          (double)((l->y1 + l->y2) / (2 * high)), (double)((l->x2 - l->x1) / wide),
                          (double)((l->y2 - l->y1) / high));
    }
    return st;
}

static const vg_demo_goal goals[] = {{"metrics/mAP50(B)", "mAP50"}, {NULL, NULL}};

const demo_subject demo_subject_detect = {
    .about = {.task = "detect",
              .pictures = "shelves",
              .object = "product",
              .model = "yolo11n.yaml",
              .n_train = 480,
              .n_val = 96,
              .imgsz = 192,
              .epochs = 24,
              .arguments = demo_minutes,
              .goals = goals},
    .stem = "shelf",
    .class_names = demo_class_names,
    .n_classes = DEMO_N_CLASSES,
    .sizes = {{320, 240}, {320, 240}, {960, 720}},
    .yaml = "",
    .draw = draw,
};
