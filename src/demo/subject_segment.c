/* subject_segment.c: a shop's shelves from nearer, and the outline of what is seen of each product:
 * what stands in front cuts it out, or in two. */
#include "shelf.h"
#include "subject.h"

/* Of the finer picture: half a pixel of the picture, and what is too small to be seen as a part. */
static const float tolerance_px = 1, least_area = 24;

static vg_status row_write(demo_sheet *s, int class_index, base_mem *mem, vg_error *err)
{
    const demo_outline *o = &s->outline;
    const double w = s->canvas.fine.view.w, h = s->canvas.fine.view.h;
    vg_status st = demo_row_add(s, mem, err, "%d", class_index);
    for (int i = 0; i < o->n_points && st == VG_OK; i++)
        st = demo_row_add(s, mem, err, " %.5f %.5f", (double)o->points[i].x / w,
                          (double)o->points[i].y / h);
    return st == VG_OK ? demo_row_add(s, mem, err, "\n") : st;
}

static vg_status draw(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err)
{
    static const demo_shelf_look look = {0.5f, 0.75f};
    demo_label labels[DEMO_ITEMS_MAX];
    size_t n;
    vg_status st =
        demo_shelf_draw(&s->picture, labels, &n, &look, seed, number, w, h, &s->canvas, mem, err);
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        st = demo_outline_trace(&s->outline, &s->canvas, labels[i].item, tolerance_px, least_area,
                                mem, err);
        if (st != VG_OK || s->outline.n_points == 0)
            continue;
        st = row_write(s, (int)labels[i].kind, mem, err);
        s->n_objects++;
    }
    return st;
}

static const vg_demo_goal goals[] = {
    {"metrics/mAP50(M)", "mAP50 of masks"}, {"metrics/mAP50(B)", "of boxes"}, {NULL, NULL}};

const demo_subject demo_subject_segment = {
    .about = {.task = "segment",
              .pictures = "shelves",
              .object = "product",
              .model = "yolo11n-seg.yaml",
              .n_train = 400,
              .n_val = 80,
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
