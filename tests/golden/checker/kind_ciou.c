/* kind_ciou.c: CIoU of pairs of boxes and its gradient, against the reference in double; and the
 * plain IoU of the first boxes with each other. */
#include "detect/detect.h"
#include "kind.h"

static const double tolerance = 1e-5;

static bool recognises(const gold_file *f)
{
    return gold_has(f, "box1") && gold_has(f, "box2") && gold_has(f, "f64.ciou");
}

static vg_status check_matrix(gold_file *f, gold_job *job, const gold_tensor *a,
                              const gold_tensor *b, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 2, err, "box_iou_matrix");
    if (st != VG_OK)
        return st;
    if (want.shape[0] > a->shape[0] || want.shape[1] > b->shape[0])
        return gold_bad(f, err, "box_iou_matrix has more rows or columns than there are boxes");
    gold_diff d = gold_diff_make(tolerance, 0);
    for (size_t i = 0; i < want.n; i++)
        gold_diff_add(
            &d, detect_iou(a->f32 + 4 * (i / want.shape[1]), b->f32 + 4 * (i % want.shape[1])),
            want.f32[i]);
    gold_report_row(job->report, &d, "box_iou_matrix");
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor a, b, value, gradient;
    vg_status st = gold_get(&a, f, WEIGHTS_F32, 2, err, "box1");
    if (st == VG_OK)
        st = gold_get(&b, f, WEIGHTS_F32, 2, err, "box2");
    if (st == VG_OK)
        st = gold_get(&value, f, WEIGHTS_F64, 1, err, "f64.ciou");
    if (st == VG_OK)
        st = gold_get(&gradient, f, WEIGHTS_F64, 2, err, "f64.grad_box1");
    if (st != VG_OK)
        return st;
    size_t n = a.shape[0];
    if (a.shape[1] != 4 || b.n != a.n || gradient.n != a.n || value.n != n)
        return gold_bad(f, err, "not as many values and gradients as pairs of boxes");
    gold_diff plain = gold_diff_make(tolerance, tolerance), slope = plain;
    for (size_t i = 0; i < n; i++) {
        double got[4];
        gold_diff_add(&plain, detect_ciou(a.f32 + 4 * i, b.f32 + 4 * i), value.f64[i]);
        gold_diff_add(&plain, detect_ciou_gradient(got, a.f32 + 4 * i, b.f32 + 4 * i),
                      value.f64[i]);
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&slope, got[k], gradient.f64[4 * i + k]);
    }
    gold_report_row(job->report, &plain, "f64.ciou");
    gold_report_row(job->report, &slope, "f64.grad_box1");
    return gold_has(f, "box_iou_matrix") ? check_matrix(f, job, &a, &b, err) : VG_OK;
}

const gold_kind gold_kind_ciou = {.name = "CIoU",
                                  .help = "CIoU of pairs of boxes and its gradient",
                                  .recognises = recognises,
                                  .check = check};
