/* catalogue.c: arrays that grow on the account, by half again unless the source says how much. */
#include "catalogue.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const left_texts[VG_N_LEFT] = {
#define X(name, text) [name] = text,
    VG_LEFT_LIST(X)
#undef X
};

void catalogue_fini(catalogue *c)
{
    base_free(c->classes);
    base_free(c->pictures);
    base_free(c->objects);
    base_free(c->points);
    base_free(c->keypoints);
    base_free(c->flip_idx);
    base_str_fini(&c->text);
    *c = (catalogue){0};
}

typedef enum list { CLASSES, PICTURES, OBJECTS, POINTS, KEYPOINTS } list;

/* Room for `more` behind a list's last. */
static vg_status grow(catalogue *c, list of, size_t more, bool exact, vg_error *err)
{
    const struct {
        void *block;
        size_t n, most, size;
    } lists[] = {[CLASSES] = {c->classes, c->n_classes, c->most_classes, sizeof *c->classes},
                 [PICTURES] = {c->pictures, c->n_pictures, c->most_pictures, sizeof *c->pictures},
                 [OBJECTS] = {c->objects, c->n_objects, c->most_objects, sizeof *c->objects},
                 [POINTS] = {c->points, c->n_points, c->most_points, 2 * sizeof *c->points},
                 [KEYPOINTS] = {c->keypoints, c->n_all_keypoints, c->most_keypoints,
                                3 * sizeof *c->keypoints}},
      *l = &lists[of];
    size_t wanted, bytes;
    const size_t spare = exact ? 0 : l->n / 2 + 64;
    if (more <= l->most - l->n)
        return VG_OK;
    if (!base_add_size(&wanted, l->n, more) || !base_add_size(&wanted, wanted, spare) ||
        !base_mul_size(&bytes, wanted, l->size))
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "a source of too many objects");
    void *wider = base_realloc(c->mem, l->block, bytes, err);
    if (!wider)
        return VG_ERR_MEMORY;
    switch (of) {
    case CLASSES:
        c->classes = wider, c->most_classes = wanted;
        break;
    case PICTURES:
        c->pictures = wider, c->most_pictures = wanted;
        break;
    case OBJECTS:
        c->objects = wider, c->most_objects = wanted;
        break;
    case POINTS:
        c->points = wider, c->most_points = wanted;
        break;
    case KEYPOINTS:
        c->keypoints = wider, c->most_keypoints = wanted;
        break;
    }
    return VG_OK;
}

vg_status catalogue_reserve(catalogue *c, size_t n_pictures, size_t n_objects, size_t n_points,
                            vg_error *err)
{
    vg_status st = grow(c, PICTURES, n_pictures, true, err);
    if (st == VG_OK)
        st = grow(c, OBJECTS, n_objects, true, err);
    if (st == VG_OK)
        st = grow(c, POINTS, n_points, true, err);
    return st;
}

vg_status catalogue_add_text(catalogue *c, size_t *out, const char *s, vg_error *err)
{
    *out = c->text.length;
    return base_str_add_bytes(&c->text, SIZE_MAX / 2, s, strlen(s) + 1, c->mem, err);
}

vg_status catalogue_add_class(catalogue *c, int64_t id, const char *name, vg_error *err)
{
    catalogue_class one = {.id = id};
    if (c->n_classes == CATALOGUE_MOST_CLASSES)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "more than %d classes",
                         CATALOGUE_MOST_CLASSES);
    vg_status st = grow(c, CLASSES, 1, false, err);
    if (st == VG_OK)
        st = catalogue_add_text(c, &one.name, name, err);
    if (st == VG_OK)
        c->classes[c->n_classes++] = one;
    return st;
}

int catalogue_find_class(const catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->n_classes; i++)
        if (strcmp(catalogue_text(c, c->classes[i].name), name) == 0)
            return (int)i;
    return -1;
}

static int name_before(const void *a, const void *b, void *ctx)
{
    const catalogue *c = ctx;
    return strcmp(catalogue_text(c, c->classes[*(const size_t *)a].name),
                  catalogue_text(c, c->classes[*(const size_t *)b].name)) < 0;
}

vg_status catalogue_sort_classes(catalogue *c, vg_error *err)
{
    const size_t n = c->n_classes;
    size_t *order = base_alloc_zero(c->mem, n, 2 * sizeof *order, err);
    catalogue_class *sorted = order ? base_alloc_zero(c->mem, n, sizeof *sorted, err) : NULL;
    vg_status st = sorted ? VG_OK : VG_ERR_MEMORY;
    size_t *place = order ? order + n : NULL; /* of the class that was number i */
    for (size_t i = 0; i < n && st == VG_OK; i++)
        order[i] = i;
    if (st == VG_OK)
        base_sort(order, n, sizeof *order, name_before, c);
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        sorted[i] = c->classes[order[i]];
        place[order[i]] = i;
    }
    if (st == VG_OK && n > 0)
        memcpy(c->classes, sorted, n * sizeof *sorted);
    for (size_t i = 0; i < c->n_objects && st == VG_OK; i++)
        c->objects[i].class_index = (int32_t)place[c->objects[i].class_index];
    base_free(sorted);
    base_free(order);
    return st;
}

vg_status catalogue_add_picture(catalogue *c, const char *name, const char *from, int split,
                                catalogue_picture **out, vg_error *err)
{
    catalogue_picture p = {.path = SIZE_MAX, .split = split};
    vg_status st = grow(c, PICTURES, 1, false, err);
    if (st == VG_OK)
        st = catalogue_add_text(c, &p.name, name, err);
    /* Many pictures in a row are told of by one file. */
    const catalogue_picture *last = c->n_pictures > 0 ? &c->pictures[c->n_pictures - 1] : NULL;
    if (st == VG_OK && last && strcmp(catalogue_text(c, last->from), from) == 0)
        p.from = last->from;
    else if (st == VG_OK)
        st = catalogue_add_text(c, &p.from, from, err);
    if (st != VG_OK)
        return st;
    c->pictures[c->n_pictures] = p;
    *out = &c->pictures[c->n_pictures++];
    return VG_OK;
}

vg_status catalogue_add_object(catalogue *c, const catalogue_object *o, vg_error *err)
{
    vg_status st = grow(c, OBJECTS, 1, false, err);
    if (st != VG_OK)
        return st;
    c->objects[c->n_objects++] = *o;
    c->pictures[o->picture].n_objects++;
    return VG_OK;
}

vg_status catalogue_add_keypoint(catalogue *c, double x, double y, double seen, vg_error *err)
{
    vg_status st = grow(c, KEYPOINTS, 1, false, err);
    if (st != VG_OK)
        return st;
    float *at = c->keypoints + 3 * c->n_all_keypoints++;
    at[0] = (float)x;
    at[1] = (float)y;
    at[2] = (float)seen;
    return VG_OK;
}

vg_status catalogue_add_point(catalogue *c, double x, double y, vg_error *err)
{
    vg_status st = grow(c, POINTS, 1, false, err);
    if (st != VG_OK)
        return st;
    /* No picture is so large; a sum of such points is finite, too. */
    const double most = 1e9;
    c->points[2 * c->n_points] = (float)fmin(fmax(x, -most), most);
    c->points[2 * c->n_points + 1] = (float)fmin(fmax(y, -most), most);
    c->n_points++;
    return VG_OK;
}

/* ---- polygons ---- */

static void reverse(float *points, size_t n)
{
    for (size_t i = 0; i < n / 2; i++)
        for (size_t axis = 0; axis < 2; axis++) {
            const float kept = points[2 * i + axis];
            points[2 * i + axis] = points[2 * (n - 1 - i) + axis];
            points[2 * (n - 1 - i) + axis] = kept;
        }
}

/* Points 0..n-1 become k..n-1, 0..k-1: three reversals need no room. */
static void rotate(float *points, size_t n, size_t k)
{
    reverse(points, k);
    reverse(points + 2 * k, n - k);
    reverse(points, n);
}

void catalogue_join_ring(catalogue *c, size_t first, size_t ring)
{
    enum { MOST_PAIRS = 1 << 22 }; /* more are not compared: the ring follows as it is */
    float *a = c->points + 2 * first, *b = c->points + 2 * ring;
    const size_t na = ring - first, nb = c->n_points - ring;
    size_t at_a = na - 1, at_b = 0;
    double least = INFINITY;
    for (size_t i = 0; i < na && nb > 0 && na <= MOST_PAIRS / nb; i++)
        for (size_t k = 0; k < nb; k++) {
            const double dx = (double)a[2 * i] - b[2 * k], dy = (double)a[2 * i + 1] - b[2 * k + 1];
            if (dx * dx + dy * dy < least) {
                least = dx * dx + dy * dy;
                at_a = i;
                at_b = k;
            }
        }
    /* The ring begins at its nearest point and stands behind the other's: a[0..at_a], b, a[rest].
     * The way between the two is gone there and back, but for a point's distance. */
    rotate(b, nb, at_b);
    rotate(a + 2 * (at_a + 1), na - at_a - 1 + nb, na - at_a - 1);
    c->n_joined++;
}

bool catalogue_bounds(const catalogue *c, double xywh[4], size_t first)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = first; i < c->n_points; i++)
        for (size_t axis = 0; axis < 2; axis++) {
            low[axis] = fmin(low[axis], c->points[2 * i + axis]);
            high[axis] = fmax(high[axis], c->points[2 * i + axis]);
        }
    if (c->n_points < first + 3 || !(high[0] > low[0]) || !(high[1] > low[1]))
        return false;
    for (int axis = 0; axis < 2; axis++) {
        xywh[axis] = (low[axis] + high[axis]) / 2;
        xywh[axis + 2] = high[axis] - low[axis];
    }
    return true;
}

/* ---- left out ---- */

void catalogue_leave(catalogue *c, vg_left why, const char *format, ...)
{
    vg_dataset_left *l = &c->left[why];
    l->what = left_texts[why];
    if (l->n++ > 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(l->first, sizeof l->first, format, args);
    va_end(args);
}
