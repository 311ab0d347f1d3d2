/* kind_class_images.c: a classifier's pictures: the middle of one, crops, the operations that
 * training puts them through, a hole. What else is in the file (a network's answers) another kind
 * has. */
#include "data/augment_class.h"
#include "image/image.h"
#include "kind.h"

enum { MOST_CASES = 100 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "val0.size_crop") || gold_has(f, "rrc0.ijhw_size");
}

static vg_status picture(image_view *out, gold_file *f, vg_error *err, const char *name)
{
    gold_tensor t;
    vg_status st = gold_get(&t, f, WEIGHTS_U8, 3, err, "%s", name);
    if (st == VG_OK && t.shape[2] != 3)
        st = gold_bad(f, err, "%s is not (h, w, 3)", name);
    if (st == VG_OK)
        *out = (image_view){(uint8_t *)(uintptr_t)t.u8, (int)t.shape[1], (int)t.shape[0],
                            3 * t.shape[1]};
    return st;
}

/* (h, w, 3) bytes against a tensor of as many; planes: it is (3, h, w). */
static vg_status compare(gold_file *f, gold_job *job, const image_view *is, const char *name,
                         bool planes, double most, vg_error *err)
{
    gold_tensor want;
    const size_t n = (size_t)is->w * (size_t)is->h;
    vg_status st = gold_get(&want, f, WEIGHTS_U8, 3, err, "%s", name);
    if (st == VG_OK && want.n != 3 * n)
        st = gold_bad(f, err, "%s is not of %d x %d pixels", name, is->w, is->h);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(most, 0);
    for (size_t i = 0; i < 3 * n; i++)
        gold_diff_add(&d, is->data[i], want.u8[planes ? i % 3 * n + i / 3 : i]);
    gold_report_row(job->report, &d, "%s", name);
    return VG_OK;
}

static vg_status blank(image_view *out, gold_file *f, int side, vg_error *err)
{
    if (side < 1 || side > 4096)
        return gold_bad(f, err, "a side of %d pixels", side);
    uint8_t *bytes = gold_take(f, 3 * (size_t)side * (size_t)side, 1, err);
    *out = (image_view){bytes, side, side, 3 * (size_t)side};
    return bytes ? VG_OK : VG_ERR_MEMORY;
}

static vg_status check_middle(gold_file *f, gold_job *job, int i, image_scratch *scratch,
                              vg_error *err)
{
    char name[32];
    gold_tensor o;
    image_view src, dst;
    image_middle m;
    vg_status st = gold_get(&o, f, WEIGHTS_F64, 1, err, "val%d.size_crop", i);
    base_format(name, sizeof name, "val%d.rgb", i);
    if (st == VG_OK)
        st = o.n == 2 ? picture(&src, f, err, name) : gold_bad(f, err, "%s is not 2", o.name);
    if (st == VG_OK)
        st = blank(&dst, f, (int)o.f64[0], err);
    if (st == VG_OK)
        st = image_middle_plan(&m, src.w, src.h, dst.w, o.f64[1], err);
    if (st == VG_OK)
        st = image_middle_crop(&dst, &src, &m, scratch, job->mem, err);
    base_format(name, sizeof name, "val%d.out", i);
    return st == VG_OK ? compare(f, job, &dst, name, true, 0, err) : st;
}

static vg_status check_crop(gold_file *f, gold_job *job, int i, image_scratch *scratch,
                            vg_error *err)
{
    char name[32];
    gold_tensor o;
    image_view src, dst;
    vg_status st = gold_get(&o, f, WEIGHTS_I64, 1, err, "rrc%d.ijhw_size", i);
    if (st == VG_OK)
        st = picture(&src, f, err, "rrc.rgb");
    if (st == VG_OK && (o.n != 5 || o.i64[0] < 0 || o.i64[1] < 0 || o.i64[0] + o.i64[2] > src.h ||
                        o.i64[1] + o.i64[3] > src.w))
        st = gold_bad(f, err, "%s is no window of rrc.rgb", o.name);
    if (st == VG_OK)
        st = blank(&dst, f, (int)o.i64[4], err);
    if (st != VG_OK)
        return st;
    const image_view crop = {src.data + (size_t)o.i64[0] * src.stride + 3 * (size_t)o.i64[1],
                             (int)o.i64[3], (int)o.i64[2], src.stride};
    st = image_resize_smooth(&dst, &crop, scratch, job->mem, err);
    base_format(name, sizeof name, "rrc%d.out", i);
    return st == VG_OK ? compare(f, job, &dst, name, false, 0, err) : st;
}

/* README: exact, off by 1, or by 2 where pixels move. */
static double allowed(const char *operation)
{
    static const char *const moving[] = {"Shear", "Translate", "Rotate"};
    for (int i = 0; i < 3; i++)
        if (base_starts_with(operation, moving[i]))
            return 2;
    return strcmp(operation, "Posterize") == 0 || strcmp(operation, "Solarize") == 0 ? 0 : 1;
}

static vg_status check_operations(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = VG_OK;
    for (int i = 0; i < 2 * CLASS_N_OPERATIONS && st == VG_OK; i++) {
        const class_operation *o = &CLASS_OPERATIONS[i / 2];
        const bool negative = i % 2 == 1;
        char name[64];
        image_view src, dst;
        base_format(name, sizeof name, "ra.%s.%s", o->name, negative ? "neg" : "pos");
        if (!gold_has(f, "%s", name))
            continue;
        st = picture(&src, f, err, "ra.rgb"); /* a copy each time */
        if (st == VG_OK)
            st = blank(&dst, f, src.w, err);
        if (st == VG_OK && src.h != src.w)
            st = gold_bad(f, err, "ra.rgb is not square");
        if (st != VG_OK)
            return st;
        o->run(o->in_place ? &src : &dst, &src, negative ? -o->magnitude : o->magnitude);
        st = compare(f, job, o->in_place ? &src : &dst, name, false, allowed(o->name), err);
    }
    return st;
}

static vg_status check_hole(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor o;
    image_view v;
    vg_status st = gold_get(&o, f, WEIGHTS_I64, 1, err, "erase.ijhw");
    if (st == VG_OK)
        st = picture(&v, f, err, "ra.rgb");
    if (st == VG_OK && (o.n != 4 || o.i64[0] < 0 || o.i64[1] < 0 || o.i64[0] + o.i64[2] > v.h ||
                        o.i64[1] + o.i64[3] > v.w))
        st = gold_bad(f, err, "erase.ijhw is no window of ra.rgb");
    if (st != VG_OK)
        return st;
    for (int64_t y = o.i64[0]; y < o.i64[0] + o.i64[2]; y++)
        memset(v.data + (size_t)y * v.stride + 3 * (size_t)o.i64[1], 0, 3 * (size_t)o.i64[3]);
    return compare(f, job, &v, "erase.out", true, 0, err);
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    image_scratch scratch = {0};
    vg_status st = VG_OK;
    for (int i = 0; i < MOST_CASES && gold_has(f, "val%d.size_crop", i) && st == VG_OK; i++)
        st = check_middle(f, job, i, &scratch, err);
    for (int i = 0; i < MOST_CASES && gold_has(f, "rrc%d.ijhw_size", i) && st == VG_OK; i++)
        st = check_crop(f, job, i, &scratch, err);
    if (st == VG_OK && gold_has(f, "ra.rgb"))
        st = check_operations(f, job, err);
    if (st == VG_OK && gold_has(f, "erase.out"))
        st = check_hole(f, job, err);
    image_scratch_fini(&scratch);
    for (int i = 0; gold_kinds[i] && st == VG_OK; i++)
        if (gold_kinds[i]->check != check && gold_kinds[i]->recognises(f))
            return gold_kinds[i]->check(f, job, err);
    return st;
}

const gold_kind gold_kind_class_images = {
    .name = "class_images",
    .help = "a classifier's pictures: middle, crops, operations, holes",
    .recognises = recognises,
    .check = check};
