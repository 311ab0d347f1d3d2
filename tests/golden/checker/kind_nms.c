/* kind_nms.c: suppression of decoded outputs, cases described by JSON in the metadata; and boxes
 * scaled back ("scale0.in", ".out", ".shapes"). */
#include "detect/detect.h"
#include "kind.h"

static const double coordinate_abs = 1e-4;
enum { MOST_CASES = 10000, DEFAULT_MAX_DET = 300 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "pred") || (gold_has(f, "scale0.in") && gold_has(f, "scale0.shapes"));
}

static double number(const base_node *options, const char *key, double fallback)
{
    const base_node *n = base_node_get(options, key);
    return n && (n->kind == BASE_NODE_INT || n->kind == BASE_NODE_REAL) ? n->real : fallback;
}

static bool truth(const base_node *options, const char *key)
{
    const base_node *n = base_node_get(options, key);
    return n && n->kind == BASE_NODE_BOOL && n->i != 0;
}

/* classes: (nc) zeros. */
static vg_status read_options(detect_nms_options *o, const gold_file *f, const base_node *options,
                              uint8_t *classes, int nc, vg_error *err)
{
    *o = DETECT_NMS_PREDICT;
    o->conf = (float)number(options, "conf_thres", 0.25);
    o->iou = (float)number(options, "iou_thres", 0.45);
    o->max_det = (int)number(options, "max_det", DEFAULT_MAX_DET);
    o->max_nms = (int)number(options, "max_nms", 30000);
    o->multi_label = truth(options, "multi_label");
    o->agnostic = truth(options, "agnostic");
    const base_node *wanted = base_node_get(options, "classes");
    for (const base_node *n = wanted ? wanted->first : NULL; n; n = n->next) {
        if (n->kind != BASE_NODE_INT || n->i < 0 || n->i >= nc)
            return gold_bad(f, err, "a case asks for a class outside 0..%d", nc - 1);
        classes[n->i] = 1;
    }
    o->classes = wanted && wanted->kind == BASE_NODE_LIST ? classes : NULL;
    return VG_OK;
}

static void compare_rows(gold_job *job, const gold_tensor *want, const vg_detection *got,
                         size_t n_got)
{
    gold_diff count = gold_diff_make(0, 0), kept = gold_diff_make(0, 0),
              place = gold_diff_make(coordinate_abs, 0);
    gold_diff_add(&count, (double)n_got, (double)want->shape[0]);
    gold_report_row(job->report, &count, "%s rows", want->name);
    for (size_t i = 0; i < n_got && i < want->shape[0]; i++) {
        const float *w = want->f32 + 6 * i;
        gold_diff_add(&place, got[i].x1, w[0]);
        gold_diff_add(&place, got[i].y1, w[1]);
        gold_diff_add(&place, got[i].x2, w[2]);
        gold_diff_add(&place, got[i].y2, w[3]);
        gold_diff_add(&kept, got[i].confidence, w[4]);
        gold_diff_add(&kept, got[i].class_index, w[5]);
    }
    if (want->shape[0] == 0)
        return;
    gold_report_row(job->report, &place, "%s coordinates", want->name);
    gold_report_row(job->report, &kept, "%s order (scores, classes)", want->name);
}

/* One picture of one case: name is "case.picture". */
static vg_status check_rows(gold_file *f, gold_job *job, const gold_tensor *pred, size_t picture,
                            const detect_nms_options *o, const char *name, vg_error *err)
{
    gold_tensor want;
    detect_nms *nms = NULL;
    int nc = (int)pred->shape[1] - 4;
    size_t n_anchors = pred->shape[2];
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 2, err, "%s", name);
    if (st != VG_OK)
        return st;
    if (picture >= pred->shape[0] || want.shape[1] != 6 || o->max_det < 1 || o->max_det > 1 << 20)
        return gold_bad(f, err, "%s is no case of this file's pictures", name);
    size_t rows = n_anchors * (size_t)(o->multi_label ? nc : 1);
    vg_detection *got = base_alloc_zero(job->mem, (size_t)o->max_det, sizeof *got, err);
    st = got ? detect_nms_create(&nms, rows, o->max_det, job->mem, err) : VG_ERR_MEMORY;
    if (st == VG_OK) {
        const float *one = pred->f32 + picture * pred->shape[1] * n_anchors;
        compare_rows(job, &want, got, detect_nms_run(nms, got, NULL, one, nc, n_anchors, o));
    }
    detect_nms_destroy(&nms);
    base_free(got);
    return st;
}

static vg_status check_case(gold_file *f, gold_job *job, const gold_tensor *pred, const char *name,
                            vg_error *err)
{
    char key[128];
    const char *dot = strrchr(name, '.');
    int64_t picture;
    if (!dot || !base_parse_i64(&picture, dot + 1, 0, 1 << 20) ||
        !base_format(key, sizeof key, "%.*s", (int)(dot - name), name))
        return VG_OK; /* none of ours: it is listed as not compared */
    const char *json = gold_meta_text(f, key, NULL);
    if (!json)
        return VG_OK;
    base_tree *tree = NULL;
    detect_nms_options o;
    int nc = (int)pred->shape[1] - 4;
    uint8_t *classes = gold_take(f, (size_t)nc, 1, err);
    vg_status st = classes ? base_tree_from_json(&tree, json, strlen(json), key, job->mem, err)
                           : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = read_options(&o, f, base_tree_root(tree), classes, nc, err);
    if (st == VG_OK)
        st = check_rows(f, job, pred, (size_t)picture, &o, name, err);
    base_tree_destroy(&tree);
    return st;
}

static vg_status check_scale(gold_file *f, gold_job *job, int i, vg_error *err)
{
    gold_tensor in, out, shapes;
    vg_status st = gold_get(&in, f, WEIGHTS_F32, 2, err, "scale%d.in", i);
    if (st == VG_OK)
        st = gold_get(&out, f, WEIGHTS_F32, 2, err, "scale%d.out", i);
    if (st == VG_OK)
        st = gold_get(&shapes, f, WEIGHTS_I64, 1, err, "scale%d.shapes", i);
    if (st != VG_OK)
        return st;
    if (shapes.n != 4 || in.n != out.n || in.shape[1] != 4 || in.shape[0] != out.shape[0])
        return gold_bad(f, err, "scale%d is not boxes in, boxes out and four sizes", i);
    gold_diff d = gold_diff_make(coordinate_abs, 0);
    const int64_t *s = shapes.i64;
    for (size_t k = 0; k < in.shape[0]; k++) {
        const float *x = in.f32 + 4 * k, *want = out.f32 + 4 * k;
        vg_detection b = {x[0], x[1], x[2], x[3], 0, 0};
        detect_scale_boxes(&b, 1, (int)s[0], (int)s[1], (int)s[2], (int)s[3]);
        gold_diff_add(&d, b.x1, want[0]);
        gold_diff_add(&d, b.y1, want[1]);
        gold_diff_add(&d, b.x2, want[2]);
        gold_diff_add(&d, b.y2, want[3]);
    }
    gold_report_row(job->report, &d, "%s", out.name);
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = VG_OK;
    if (gold_has(f, "pred")) {
        gold_tensor pred;
        st = gold_get(&pred, f, WEIGHTS_F32, 3, err, "pred");
        if (st == VG_OK && (pred.shape[1] < 5 || pred.shape[1] > 65536))
            st = gold_bad(f, err, "pred has %zu rows, not 4 and classes", pred.shape[1]);
        for (size_t i = 0; i < weights_count(f->weights) && st == VG_OK; i++)
            st = check_case(f, job, &pred, weights_at(f->weights, i)->name, err);
    }
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "scale%d.in", i); i++)
        st = check_scale(f, job, i, err);
    return st;
}

const gold_kind gold_kind_nms = {.name = "suppression",
                                 .help = "rows kept of decoded outputs; boxes scaled back",
                                 .recognises = recognises,
                                 .check = check};
