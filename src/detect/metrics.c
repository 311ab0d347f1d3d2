/* metrics.c: gathers pictures, then sorts detections by class and confidence and makes the figures
 * (spec 6). */
#include "metrics.h"

#include <assert.h>
#include <math.h>

#include "curves.h"
#include "match.h"

/* By rank among classes with objects, but for maps. */
typedef struct figures {
    double *ap;                                      /* (nc, DETECT_N_IOU) */
    double *p, *r, *f1, *tp_count, *fp_count, *maps; /* (nc) */
    double *p_curve, *r_curve, *f1_curve, *pr_curve; /* (nc, DETECT_CURVE_POINTS) */
} figures;

struct detect_metrics {
    detect_metrics_bounds bounds;
    float confusion_conf;
    detect_ap kind_of_ap;
    size_t n_pictures, n_truths, n_rows;
    size_t n_top[2];                  /* pictures whose class came first; among the first five */
    metrics_row *rows, *sort_scratch; /* (most_detections) */
    uint16_t *tp, *taken;             /* (most_picture_detections), (most_picture_truths) */
    confusion_scratch confusion_scratch;
    uint64_t *confusion;                         /* (n_confused, n_confused) */
    size_t *truths_by_class, *pictures_by_class; /* (nc) */
    int *classes;                                /* (nc) */
    figures figures[DETECT_MOST_FIGURES];
    double *maps;       /* (nc) of all figures, where there are several */
    double *mean_curve; /* (DETECT_CURVE_POINTS) */
};

static int n_figures(const detect_metrics_bounds *b)
{
    return b->n_figures > 1 ? b->n_figures : 1;
}

static size_t n_confused(const detect_metrics_bounds *b)
{
    return (size_t)b->nc + !b->has_no_boxes;
}

/* ---- memory ---- */

/* Walks over the parts of the block: with block NULL it only counts. */
typedef struct carver {
    char *block;
    size_t used;
    bool fits;
} carver;

static void *carve(carver *c, size_t n, size_t size)
{
    size_t bytes, at = c->used;
    c->fits = c->fits && base_mul_size(&bytes, n, size) && bytes <= SIZE_MAX / 2 &&
              base_add_size(&c->used, c->used, base_round_up(bytes, BASE_MEM_ALIGN));
    return c->block && c->fits ? c->block + at : NULL;
}

static void carve_figures(carver *c, figures *f, size_t nc)
{
    const size_t curve = DETECT_CURVE_POINTS * sizeof(double);
    f->ap = carve(c, nc, DETECT_N_IOU * sizeof *f->ap);
    double **by_class[] = {&f->p, &f->r, &f->f1, &f->tp_count, &f->fp_count, &f->maps};
    for (size_t i = 0; i < sizeof by_class / sizeof *by_class; i++)
        *by_class[i] = carve(c, nc, sizeof(double));
    double **curves[] = {&f->p_curve, &f->r_curve, &f->f1_curve, &f->pr_curve};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        *curves[i] = carve(c, nc, curve);
}

static detect_metrics *carve_all(carver *c, const detect_metrics_bounds *b)
{
    detect_metrics m = {.bounds = *b}, *object = carve(c, 1, sizeof *object);
    const size_t nc = (size_t)b->nc;
    m.rows = carve(c, b->most_detections, sizeof *m.rows);
    m.sort_scratch = carve(c, b->most_detections, sizeof *m.sort_scratch);
    m.tp = carve(c, b->most_picture_detections, sizeof *m.tp);
    m.taken = carve(c, b->most_picture_truths, sizeof *m.taken);
    m.confusion_scratch.best_truth = carve(c, b->most_picture_detections, sizeof(int32_t));
    m.confusion_scratch.best_det = carve(c, b->most_picture_truths, sizeof(int32_t));
    m.confusion_scratch.best_iou = carve(c, b->most_picture_truths, sizeof(float));
    m.confusion = carve(c, n_confused(b) * n_confused(b), sizeof *m.confusion);
    m.truths_by_class = carve(c, nc, sizeof *m.truths_by_class);
    m.pictures_by_class = carve(c, nc, sizeof *m.pictures_by_class);
    m.classes = carve(c, nc, sizeof *m.classes);
    for (int f = 0; f < n_figures(b) && !b->has_no_boxes; f++)
        carve_figures(c, &m.figures[f], nc);
    m.maps = carve(c, nc, sizeof *m.maps);
    m.mean_curve = carve(c, DETECT_CURVE_POINTS, sizeof *m.mean_curve);
    if (object)
        *object = m;
    return object;
}

size_t detect_metrics_bytes(const detect_metrics_bounds *bounds)
{
    carver c = {.fits = true};
    const size_t most_int32 =
        INT32_MAX; /* detections and objects of a picture are numbered by int32 */
    if (bounds->n_figures < 0 || bounds->n_figures > DETECT_MOST_FIGURES || bounds->nc < 1 ||
        bounds->nc > 1 << 20 || bounds->most_detections == 0 ||
        bounds->most_picture_detections - 1 >= most_int32 ||
        bounds->most_picture_truths - 1 >= most_int32)
        return 0;
    carve_all(&c, bounds);
    return c.fits ? c.used : 0;
}

vg_status detect_metrics_create(detect_metrics **out, const detect_metrics_bounds *bounds,
                                float confusion_conf, base_mem *mem, vg_error *err)
{
    const detect_metrics_bounds *b = bounds;
    carver c = {.fits = true};
    size_t bytes = detect_metrics_bytes(b);
    *out = NULL;
    if (bytes == 0)
        return base_fail(err, VG_ERR_ARGUMENT, "bounds of the metrics",
                         "every bound must be at least 1, and all must fit "
                         "in memory",
                         "%d classes, %zu detections, %zu detections and %zu objects a picture",
                         b->nc, b->most_detections, b->most_picture_detections,
                         b->most_picture_truths);
    c.block = base_alloc(mem, bytes, err);
    if (!c.block)
        return VG_ERR_MEMORY;
    *out = carve_all(&c, b);
    (*out)->confusion_conf = confusion_conf;
    (*out)->kind_of_ap = DETECT_AP_8_3;
    detect_metrics_reset(*out);
    return VG_OK;
}

void detect_metrics_choose_ap(detect_metrics *m, detect_ap ap)
{
    m->kind_of_ap = ap;
}

void detect_metrics_destroy(detect_metrics **m)
{
    base_free(*m);
    *m = NULL;
}

void detect_metrics_reset(detect_metrics *m)
{
    const size_t nc = (size_t)m->bounds.nc, side = n_confused(&m->bounds);
    m->n_pictures = m->n_truths = m->n_rows = m->n_top[0] = m->n_top[1] = 0;
    memset(m->confusion, 0, side * side * sizeof *m->confusion);
    memset(m->truths_by_class, 0, nc * sizeof *m->truths_by_class);
    memset(m->pictures_by_class, 0, nc * sizeof *m->pictures_by_class);
}

/* ---- of several processes ---- */

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "counts are added up as 64 bits");

void detect_metrics_parts_get(detect_metrics_parts *out, detect_metrics *m)
{
    const size_t nc = (size_t)m->bounds.nc, side = n_confused(&m->bounds);
    *out = (detect_metrics_parts){.counts = {{m->confusion, side * side},
                                             {m->truths_by_class, nc},
                                             {m->pictures_by_class, nc},
                                             {&m->n_pictures, 1},
                                             {&m->n_truths, 1},
                                             {m->n_top, 2}},
                                  .rows = m->rows,
                                  .room = m->sort_scratch,
                                  .row_bytes = sizeof *m->rows,
                                  .n_rows = m->n_rows,
                                  .most_rows = m->bounds.most_detections};
}

void detect_metrics_set_rows(detect_metrics *m, size_t n_rows)
{
    m->n_rows = n_rows;
}

/* ---- a picture ---- */

static vg_status check_class(const detect_metrics *m, int class_index, const char *whose,
                             vg_error *err)
{
    if (class_index >= 0 && class_index < m->bounds.nc)
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, whose, "number classes from 0",
                     "class %d where there are %d", class_index, m->bounds.nc);
}

static vg_status check_picture(const detect_metrics *m, const vg_detection *dets, size_t n_dets,
                               const detect_truth *truths, size_t n_truths, vg_error *err)
{
    const detect_metrics_bounds *b = &m->bounds;
    vg_status st = VG_OK;
    if (n_dets > b->most_picture_detections || n_truths > b->most_picture_truths ||
        n_dets > b->most_detections - m->n_rows)
        return base_fail(err, VG_ERR_LIMIT, "a picture's detections and objects",
                         "make the metrics for larger bounds",
                         "%zu detections (%zu of %zu in all) and %zu objects, where %zu and %zu a "
                         "picture were planned",
                         n_dets, m->n_rows + n_dets, b->most_detections, n_truths,
                         b->most_picture_detections, b->most_picture_truths);
    for (size_t i = 0; i < n_dets && st == VG_OK; i++)
        st = check_class(m, dets[i].class_index, "detections", err);
    for (size_t i = 0; i < n_truths && st == VG_OK; i++)
        st = check_class(m, truths[i].class_index, "objects", err);
    return st;
}

static void count_truths(detect_metrics *m, const detect_truth *truths, size_t n_truths)
{
    for (size_t i = 0; i < n_truths; i++) {
        size_t c = (size_t)truths[i].class_index;
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = truths[k].class_index == truths[i].class_index;
        m->truths_by_class[c]++;
        m->pictures_by_class[c] += !seen;
    }
    m->n_truths += n_truths;
}

vg_status detect_metrics_add_scene(detect_metrics *m, const detect_scene *s, vg_error *err)
{
    vg_status st = check_picture(m, s->dets, s->n_dets, s->truths, s->n_truths, err);
    if (st != VG_OK)
        return st;
    const detect_likeness *alike[DETECT_MOST_FIGURES] = {&s->boxes, &s->second};
    const int n = n_figures(&m->bounds);
    assert(!m->bounds.has_no_boxes && (n == 1 || s->second.of != NULL));
    m->n_pictures++;
    count_truths(m, s->truths, s->n_truths);
    for (size_t i = 0; i < s->n_dets; i++)
        m->rows[m->n_rows + i] =
            (metrics_row){.conf = s->dets[i].confidence, .class_index = s->dets[i].class_index};
    for (int f = 0; f < n; f++) {
        detect_match(m->tp, s->dets, s->n_dets, s->truths, s->n_truths, alike[f], m->taken,
                     m->kind_of_ap);
        for (size_t i = 0; i < s->n_dets; i++)
            m->rows[m->n_rows + i].tp[f] = m->tp[i];
    }
    m->n_rows += s->n_dets;
    confusion_add(m->confusion, m->bounds.nc, m->confusion_conf, s, &m->confusion_scratch);
    return VG_OK;
}

vg_status detect_metrics_add(detect_metrics *m, const vg_detection *dets, size_t n_dets,
                             const detect_truth *truths, size_t n_truths, vg_error *err)
{
    const detect_scene s = {.dets = dets, .n_dets = n_dets, .truths = truths, .n_truths = n_truths};
    return detect_metrics_add_scene(m, &s, err);
}

vg_status detect_metrics_rank(detect_metrics *m, const vg_class_score *top, size_t n_top, int truth,
                              vg_error *err)
{
    const size_t side = n_confused(&m->bounds);
    vg_status st = check_class(m, truth, "pictures", err);
    assert(m->bounds.has_no_boxes && n_top > 0);
    for (size_t i = 0; i < n_top && st == VG_OK; i++)
        st = check_class(m, top[i].class_index, "predicted classes", err);
    if (st != VG_OK)
        return st;
    m->n_pictures++;
    m->n_truths++;
    m->truths_by_class[truth]++;
    m->pictures_by_class[truth]++;
    m->n_top[0] += top[0].class_index == truth;
    for (size_t i = 0; i < n_top; i++)
        m->n_top[1] += top[i].class_index == truth;
    m->confusion[(size_t)top[0].class_index * side + (size_t)truth]++;
    return VG_OK;
}

/* ---- the result ---- */

static int row_before(const void *a, const void *b, void *ctx)
{
    const metrics_row *x = a, *y = b;
    (void)ctx;
    return x->class_index != y->class_index ? x->class_index < y->class_index : x->conf > y->conf;
}

/* The figures of the class of rank k but those at the best confidence, which all classes share. */
static void class_figures(detect_metrics *m, int f, size_t k, const metrics_row *rows,
                          size_t n_rows, size_t n_truths)
{
    const figures *to = &m->figures[f];
    const size_t at = k * DETECT_CURVE_POINTS;
    double *p = to->p_curve + at, *r = to->r_curve + at, *f1 = to->f1_curve + at;
    double *pr = to->pr_curve + at, *ap = to->ap + k * DETECT_N_IOU;
    if (n_rows == 0) { /* never found: all 0, also where no detection would count as precision 1 */
        memset(ap, 0, DETECT_N_IOU * sizeof *ap);
        for (size_t i = 0; i < DETECT_CURVE_POINTS; i++)
            p[i] = r[i] = f1[i] = pr[i] = 0;
        return;
    }
    for (int t = 0; t < DETECT_N_IOU; t++)
        ap[t] = curves_average_precision(rows, n_rows, n_truths, f, t, m->kind_of_ap);
    curves_by_confidence(p, r, rows, n_rows, n_truths, f);
    for (size_t i = 0; i < DETECT_CURVE_POINTS; i++)
        f1[i] = 2 * p[i] * r[i] / (p[i] + r[i] + 1e-16);
    curves_precision_by_recall(pr, DETECT_CURVE_POINTS, rows, n_rows, n_truths, f, 0,
                               m->kind_of_ap);
}

/* All classes with objects; returns their number. */
static size_t all_figures(detect_metrics *m)
{
    size_t k = 0, at = 0;
    base_sort_stable(m->rows, m->n_rows, sizeof *m->rows, row_before, NULL, m->sort_scratch);
    for (int c = 0; c < m->bounds.nc; c++) {
        size_t begin = at;
        while (at < m->n_rows && m->rows[at].class_index == c)
            at++;
        if (m->truths_by_class[c] == 0)
            continue;
        m->classes[k] = c;
        for (int f = 0; f < n_figures(&m->bounds); f++)
            class_figures(m, f, k, m->rows + begin, at - begin, m->truths_by_class[c]);
        k++;
    }
    return k;
}

static double mean_ap(const figures *f, size_t k)
{
    double sum = 0;
    for (size_t t = 0; t < DETECT_N_IOU; t++)
        sum += f->ap[k * DETECT_N_IOU + t];
    return sum / DETECT_N_IOU;
}

/* n: classes with objects. */
static void means(detect_metrics *m, const figures *f, size_t n, detect_figures *out)
{
    const size_t best = curves_best_point(f->f1_curve, n, m->mean_curve);
    out->best_conf = (double)best / (DETECT_CURVE_POINTS - 1);
    for (size_t k = 0; k < n; k++) {
        const double truths = (double)m->truths_by_class[m->classes[k]];
        f->p[k] = f->p_curve[k * DETECT_CURVE_POINTS + best];
        f->r[k] = f->r_curve[k * DETECT_CURVE_POINTS + best];
        f->f1[k] = f->f1_curve[k * DETECT_CURVE_POINTS + best];
        f->tp_count[k] = rint(f->r[k] * truths);
        f->fp_count[k] = rint(f->tp_count[k] / (f->p[k] + 1e-16) - f->tp_count[k]);
        out->mean_p += f->p[k] / (double)n;
        out->mean_r += f->r[k] / (double)n;
        out->map50 += f->ap[k * DETECT_N_IOU] / (double)n;
        out->map += mean_ap(f, k) / (double)n;
    }
    out->fitness = 0.1 * out->map50 + 0.9 * out->map; /* spec 4.5 */
    for (int c = 0; c < m->bounds.nc; c++)
        f->maps[c] = out->map;
    for (size_t k = 0; k < n; k++)
        f->maps[m->classes[k]] = mean_ap(f, k);
}

static detect_figures figures_of(const figures *f)
{
    return (detect_figures){.ap = f->ap,
                            .p = f->p,
                            .r = f->r,
                            .f1 = f->f1,
                            .tp = f->tp_count,
                            .fp = f->fp_count,
                            .p_curve = f->p_curve,
                            .r_curve = f->r_curve,
                            .f1_curve = f->f1_curve,
                            .pr_curve = f->pr_curve,
                            .maps = f->maps};
}

/* Of pictures that have a class each. */
static void ranking(const detect_metrics *m, detect_metrics_result *out)
{
    const double n = m->n_pictures > 0 ? (double)m->n_pictures : 1;
    out->top1 = (double)m->n_top[0] / n;
    out->top5 = (double)m->n_top[1] / n;
    out->fitness = (out->top1 + out->top5) / 2;
}

void detect_metrics_make_result(detect_metrics *m, detect_metrics_result *out)
{
    const bool has_boxes = !m->bounds.has_no_boxes;
    bool any = false;
    *out = (detect_metrics_result){.n_pictures = m->n_pictures,
                                   .n_truths = m->n_truths,
                                   .n_detections = m->n_rows,
                                   .classes = m->classes,
                                   .n_figures = has_boxes ? n_figures(&m->bounds) : 0,
                                   .maps = m->maps,
                                   .truths_by_class = m->truths_by_class,
                                   .pictures_by_class = m->pictures_by_class,
                                   .confusion = m->confusion,
                                   .n_confused = (int)n_confused(&m->bounds)};
    memset(m->maps, 0, (size_t)m->bounds.nc * sizeof *m->maps);
    for (int f = 0; f < out->n_figures; f++) {
        out->figures[f] = figures_of(&m->figures[f]);
        memset(m->figures[f].maps, 0, (size_t)m->bounds.nc * sizeof(double));
    }
    if (!has_boxes)
        ranking(m, out);
    for (size_t i = 0; i < m->n_rows && !any; i++)
        any = m->rows[i].tp[0] != 0;
    if (!any)
        return;
    out->n_classes = all_figures(m);
    for (int f = 0; f < out->n_figures; f++) {
        means(m, &m->figures[f], out->n_classes, &out->figures[f]);
        out->fitness += out->figures[f].fitness;
        for (int c = 0; c < m->bounds.nc; c++)
            m->maps[c] += m->figures[f].maps[c];
    }
}

vg_val_class detect_metrics_class(const detect_metrics_result *r, size_t i,
                                  const char *const *names)
{
    const int c = r->classes[i];
    const detect_figures *f = &r->figures[0], *second = &r->figures[1];
    vg_val_class row = {.class_index = c,
                        .name = names[c],
                        .n_pictures = r->pictures_by_class[c],
                        .n_instances = r->truths_by_class[c],
                        .precision = f->p[i],
                        .recall = f->r[i],
                        .map50 = f->ap[i * DETECT_N_IOU],
                        .map = f->maps[c],
                        .f1 = f->f1[i]};
    if (r->n_figures > 1)
        row.second = (vg_figures){.precision = second->p[i],
                                  .recall = second->r[i],
                                  .map50 = second->ap[i * DETECT_N_IOU],
                                  .map = second->maps[c],
                                  .f1 = second->f1[i]};
    return row;
}
