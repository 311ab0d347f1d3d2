/* kind_probiou.c: probIoU of pairs of rotated boxes and its gradient, against the reference in
 * double and in single precision; corners, regular form, and the smallest rectangle around the
 * corners. */
#include <math.h>

#include "detect/detect.h"
#include "kind.h"

static bool recognises(const gold_file *f)
{
    return gold_has(f, "box1") && gold_has(f, "box2") && gold_has(f, "f64.probiou");
}

static vg_status check_pairs(gold_file *f, gold_job *job, const gold_tensor *a,
                             const gold_tensor *b, vg_error *err)
{
    gold_tensor value, gradient, value_float, gradient_float;
    vg_status st = gold_get(&value, f, WEIGHTS_F64, 1, err, "f64.probiou");
    if (st == VG_OK)
        st = gold_get(&gradient, f, WEIGHTS_F64, 2, err, "f64.grad_box1");
    if (st == VG_OK)
        st = gold_get(&value_float, f, WEIGHTS_F32, 1, err, "f32.probiou");
    if (st == VG_OK)
        st = gold_get(&gradient_float, f, WEIGHTS_F32, 2, err, "f32.grad_box1");
    if (st != VG_OK)
        return st;
    const size_t n = a->shape[0];
    if (value.n != n || value_float.n != n || gradient.n != a->n || gradient_float.n != a->n)
        return gold_bad(f, err, "not as many values and gradients as pairs of boxes");
    gold_diff d = gold_diff_make(1e-9, 0), slope = gold_diff_make(1e-9, 1e-6);
    gold_diff d_float = gold_diff_make(5e-5, 0), slope_float = gold_diff_make(1e-4, 1e-4);
    for (size_t i = 0; i < n; i++) {
        const float *p = a->f32 + 5 * i, *t = b->f32 + 5 * i;
        double got[5];
        gold_diff_add(&d, detect_probiou(p, t), value.f64[i]);
        gold_diff_add(&d, detect_probiou_gradient(got, p, t), value.f64[i]);
        gold_diff_add(&d_float, detect_probiou_float(p, t), value_float.f32[i]);
        for (size_t k = 0; k < 5; k++) {
            gold_diff_add(&slope, got[k], gradient.f64[5 * i + k]);
            gold_diff_add(&slope_float, got[k], gradient_float.f32[5 * i + k]);
        }
    }
    gold_report_row(job->report, &d, "f64.probiou");
    gold_report_row(job->report, &slope, "f64.grad_box1");
    gold_report_row(job->report, &d_float, "f32.probiou");
    gold_report_row(job->report, &slope_float, "f32.grad_box1");
    return VG_OK;
}

static vg_status check_matrix(gold_file *f, gold_job *job, const gold_tensor *a,
                              const gold_tensor *b, vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, f, WEIGHTS_F32, 2, err, "matrix");
    if (st != VG_OK)
        return st;
    if (want.shape[0] > a->shape[0] || want.shape[1] > b->shape[0])
        return gold_bad(f, err, "matrix has more rows or columns than there are boxes");
    gold_diff d = gold_diff_make(5e-5, 0);
    for (size_t i = 0; i < want.n; i++)
        gold_diff_add(
            &d, detect_probiou(a->f32 + 5 * (i / want.shape[1]), b->f32 + 5 * (i % want.shape[1])),
            want.f32[i]);
    gold_report_row(job->report, &d, "matrix");
    return VG_OK;
}

static vg_status check_forms(gold_file *f, gold_job *job, const gold_tensor *a, vg_error *err)
{
    gold_tensor corners, regular, around;
    vg_status st = gold_get(&corners, f, WEIGHTS_F32, 3, err, "corners");
    if (st == VG_OK)
        st = gold_get(&regular, f, WEIGHTS_F32, 2, err, "regular");
    if (st == VG_OK)
        st = gold_get(&around, f, WEIGHTS_F64, 2, err, "minarea");
    if (st != VG_OK)
        return st;
    const size_t n = a->shape[0];
    if (corners.n != 8 * n || regular.n != 5 * n || around.n != 5 * n)
        return gold_bad(f, err, "not as many corners and rectangles as boxes");
    gold_diff corner = gold_diff_make(1e-4, 0), reg = gold_diff_make(1e-5, 0),
              least = gold_diff_make(1e-3, 0);
    for (size_t i = 0; i < n; i++) {
        const float *box = a->f32 + 5 * i;
        float got[8], same[5], scratch[DETECT_AROUND_FLOATS(4)];
        detect_rotated_corners(got, box);
        for (size_t k = 0; k < 8; k++)
            gold_diff_add(&corner, got[k], corners.f32[8 * i + k]);
        memcpy(same, box, sizeof same);
        detect_rotated_regularise(same);
        for (size_t k = 0; k < 5; k++)
            gold_diff_add(&reg, same[k], regular.f32[5 * i + k]);
        detect_rotated_around(same, corners.f32 + 8 * i, 4, scratch);
        for (size_t k = 0; k < 5; k++)
            gold_diff_add(&least, same[k], around.f64[5 * i + k]);
    }
    gold_report_row(job->report, &corner, "corners");
    gold_report_row(job->report, &reg, "regular");
    gold_report_row(job->report, &least, "minarea");
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor a, b;
    vg_status st = gold_get(&a, f, WEIGHTS_F32, 2, err, "box1");
    if (st == VG_OK)
        st = gold_get(&b, f, WEIGHTS_F32, 2, err, "box2");
    if (st != VG_OK)
        return st;
    if (a.shape[1] != 5 || b.n != a.n)
        return gold_bad(f, err, "box1 and box2 are not as many rows of 5");
    st = check_pairs(f, job, &a, &b, err);
    if (st == VG_OK)
        st = check_matrix(f, job, &a, &b, err);
    return st == VG_OK ? check_forms(f, job, &a, err) : st;
}

const gold_kind gold_kind_probiou = {
    .name = "probIoU",
    .help = "rotated boxes: probIoU and its gradient, corners, rectangles",
    .recognises = recognises,
    .check = check};
