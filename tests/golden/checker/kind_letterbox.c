/* kind_letterbox.c: resizes ("r0.in", "r0.out") and letterboxes ("c0.in", "c0.out", "c0.params"),
 * every byte. */
#include "image/image.h"
#include "kind.h"

enum { MOST_CASES = 10000 };

static bool recognises(const gold_file *f)
{
    return (gold_has(f, "c0.in") && gold_has(f, "c0.params")) ||
           (gold_has(f, "r0.in") && gold_has(f, "r0.out"));
}

static vg_status view_of(image_view *out, gold_file *f, char letter, int i, const char *part,
                         gold_tensor *t, vg_error *err)
{
    vg_status st = gold_get(t, f, WEIGHTS_U8, 3, err, "%c%d.%s", letter, i, part);
    if (st == VG_OK && (t->shape[2] != 3 || t->shape[0] > INT32_MAX || t->shape[1] > INT32_MAX))
        st = gold_bad(f, err, "%s is no picture (H,W,3)", t->name);
    *out = (image_view){.data = (uint8_t *)(uintptr_t)t->u8, /* only read */
                        .w = (int)t->shape[1],
                        .h = (int)t->shape[0],
                        .stride = 3 * t->shape[1]};
    return st;
}

static void check_bytes(gold_job *job, const gold_tensor *want, const uint8_t *got)
{
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < want->n; i++)
        gold_diff_add(&d, got[i], want->u8[i]);
    gold_report_row(job->report, &d, "%s", want->name);
}

static vg_status fit_of(image_letterbox_fit *fit, gold_file *f, int i, const image_view *in,
                        vg_error *err)
{
    gold_tensor p;
    vg_status st = gold_get(&p, f, WEIGHTS_I64, 1, err, "c%d.params", i);
    if (st != VG_OK)
        return st;
    if (p.n != 7)
        return gold_bad(f, err, "%s has no 7 elements", p.name);
    image_letterbox_rule rule = {.target_h = (int)p.i64[0],
                                 .target_w = (int)p.i64[1],
                                 .autosize = p.i64[2] != 0,
                                 .scale_fill = p.i64[3] != 0,
                                 .scale_up = p.i64[4] != 0,
                                 .center = p.i64[5] != 0,
                                 .stride = (int)p.i64[6]};
    return image_letterbox_plan(fit, in->w, in->h, &rule, err);
}

static vg_status check_case(gold_file *f, gold_job *job, char letter, int i, vg_error *err)
{
    gold_tensor in_tensor, want_tensor;
    image_view in, want;
    image_buffer got = {0};
    image_scratch scratch = {0};
    image_letterbox_fit fit;
    vg_status st = view_of(&in, f, letter, i, "in", &in_tensor, err);
    if (st == VG_OK)
        st = view_of(&want, f, letter, i, "out", &want_tensor, err);
    if (st == VG_OK && letter == 'c')
        st = fit_of(&fit, f, i, &in, err);
    if (st == VG_OK && letter == 'c' && (fit.out_w != want.w || fit.out_h != want.h))
        st = gold_bad(f, err, "%s is %d x %d (W x H), but the letterbox comes out as %d x %d",
                      want_tensor.name, want.w, want.h, fit.out_w, fit.out_h);
    if (st == VG_OK)
        st = image_buffer_reserve(&got, want.w, want.h, job->mem, err);
    if (st == VG_OK)
        st = letter == 'c' ? image_letterbox(&got.view, &in, &fit, &scratch, job->mem, err)
                           : image_resize(&got.view, &in, &scratch, job->mem, err);
    if (st == VG_OK)
        check_bytes(job, &want_tensor, got.view.data);
    image_buffer_fini(&got);
    image_scratch_fini(&scratch);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = VG_OK;
    for (const char *letter = "cr"; *letter; letter++)
        for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "%c%d.in", *letter, i); i++)
            st = check_case(f, job, *letter, i, err);
    return st;
}

const gold_kind gold_kind_letterbox = {.name = "letterbox",
                                       .help = "resized and letterboxed pictures",
                                       .recognises = recognises,
                                       .check = check};
