/* views.c: three looks at a batch, merged as the decoded tensor of one. Every view computes in the
 * same activation block, so that what it found is decoded before the next one runs. */
#include "views.h"

#include <assert.h>
#include <math.h>

#include "maths.h"

struct detect_views {
    size_t capacity; /* bytes of the block */
    int n, h, w, stride, nc;
    size_t n_anchors, n_merged; /* of all views; of those that were added */
    float *merged;              /* (n, 4 + nc, n_anchors) */
    float *input;
};

static const struct {
    double scale;
    bool is_mirrored;
} kinds[DETECT_N_VIEWS] = {{1, false}, {0.83, true}, {0.67, false}};

static int raised(int side, double scale, int stride)
{
    return (int)ceil(side * scale / stride) * stride;
}

detect_view detect_view_of(int index, int in_h, int in_w, int stride)
{
    const double scale = kinds[index].scale;
    return (detect_view){.scale = (float)scale,
                         .is_mirrored = kinds[index].is_mirrored,
                         .h = (int)(in_h * scale),
                         .w = (int)(in_w * scale),
                         .in_h = raised(in_h, scale, stride),
                         .in_w = raised(in_w, scale, stride)};
}

/* Levels of a view that take part: all from the first until the end. */
typedef struct level_range {
    int first, end;
} level_range;

static level_range levels_of(int index, int n_levels)
{
    if (n_levels == 1) /* nothing would be left of two of the views */
        return (level_range){0, 1};
    return (level_range){.first = index == DETECT_N_VIEWS - 1, .end = n_levels - (index == 0)};
}

static int coarsest(const detect_views_shape *s)
{
    return (int)s->strides[s->n_levels - 1];
}

size_t detect_views_anchors(const detect_views_shape *s)
{
    size_t n = 0;
    for (int i = 0; i < DETECT_N_VIEWS; i++) {
        const detect_view v = detect_view_of(i, s->h, s->w, coarsest(s));
        const level_range levels = levels_of(i, s->n_levels);
        for (int l = levels.first; l < levels.end; l++)
            n += (size_t)(v.in_h / (int)s->strides[l]) * (size_t)(v.in_w / (int)s->strides[l]);
    }
    return n;
}

typedef struct layout {
    size_t merged, input, total;
} layout;

static layout layout_plan(const detect_views_shape *s)
{
    const detect_view second = detect_view_of(1, s->h, s->w, coarsest(s));
    layout l = {.merged = base_round_up(sizeof(detect_views), BASE_MEM_ALIGN)};
    l.input = l.merged + base_round_up((size_t)s->n * (size_t)(4 + s->nc) *
                                           detect_views_anchors(s) * sizeof(float),
                                       BASE_MEM_ALIGN);
    l.total =
        l.input + (size_t)s->n * (size_t)second.in_h * (size_t)second.in_w * 3 * sizeof(float);
    return l;
}

size_t detect_views_bytes(const detect_views_shape *s)
{
    return layout_plan(s).total;
}

vg_status detect_views_fit(detect_views **views, const detect_views_shape *s, base_mem *mem,
                           vg_error *err)
{
    const layout l = layout_plan(s);
    if (*views != NULL && (*views)->capacity < l.total)
        detect_views_destroy(views);
    if (*views == NULL) {
        *views = base_alloc_zero(mem, 1, l.total, err);
        if (*views == NULL)
            return VG_ERR_MEMORY;
        (*views)->capacity = l.total;
    }
    detect_views *v = *views;
    char *block = (char *)v;
    *v = (detect_views){.capacity = v->capacity,
                        .n = s->n,
                        .h = s->h,
                        .w = s->w,
                        .stride = coarsest(s),
                        .nc = s->nc,
                        .n_anchors = detect_views_anchors(s),
                        .merged = (float *)(void *)(block + l.merged),
                        .input = (float *)(void *)(block + l.input)};
    return VG_OK;
}

void detect_views_destroy(detect_views **v)
{
    base_free(*v);
    *v = NULL;
}

detect_view detect_views_at(const detect_views *v, int index)
{
    return detect_view_of(index, v->h, v->w, v->stride);
}

float *detect_views_input(detect_views *v)
{
    return v->input;
}

static float *merged_of(const detect_views *v, int picture)
{
    return v->merged + (size_t)picture * (size_t)(4 + v->nc) * v->n_anchors;
}

/* Boxes of a view as boxes of the first one. */
static void bring_back(float *merged, const detect_views *v, const detect_view *view, size_t column,
                       size_t n)
{
    for (size_t k = 0; k < 4; k++)
        for (size_t i = column; i < column + n; i++)
            merged[k * v->n_anchors + i] /= view->scale;
    if (view->is_mirrored)
        for (size_t i = column; i < column + n; i++)
            merged[i] = (float)v->w - merged[i];
}

void detect_views_add(detect_views *v, int index, const detect_level *levels, int n_levels)
{
    const detect_view view = detect_views_at(v, index);
    const level_range range = levels_of(index, n_levels);
    const size_t column = v->n_merged,
                 n = detect_n_anchors(levels + range.first, range.end - range.first);
    assert(column + n <= v->n_anchors);
    for (int i = 0; i < v->n; i++) {
        float *merged = merged_of(v, i);
        detect_decode_into(merged, v->n_anchors, column, levels + range.first,
                           range.end - range.first, v->nc, i);
        bring_back(merged, v, &view, column, n);
    }
    v->n_merged += n;
}

size_t detect_views_run(const detect_views *v, detect_nms *nms, vg_detection *out, int picture,
                        const detect_nms_options *o)
{
    return detect_nms_run(nms, out, NULL, merged_of(v, picture), v->nc, v->n_anchors, o);
}
