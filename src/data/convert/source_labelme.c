/* source_labelme.c: LabelMe: a JSON file a picture, beside it, with `shapes` of points
 * (github.com/wkentaro/labelme, "How to use"). The picture itself may be in it, too, as text: it is
 * passed over. Shapes of one label and one group_id are parts of one object. */
#include <string.h>

#include "node.h"
#include "sources.h"

enum { MOST_SHAPES_BYTES = 16 << 20, NAME_BYTES = 4096 };

typedef enum shape_kind { SHAPE_OUTLINE, SHAPE_BOUNDS, SHAPE_CIRCLE, SHAPE_NO_AREA } shape_kind;

static shape_kind kind_of(const base_node *shape)
{
    static const struct {
        const char *name;
        shape_kind kind;
    } kinds[] = {{"polygon", SHAPE_OUTLINE},
                 {"rotation", SHAPE_OUTLINE},
                 {"oriented_rectangle", SHAPE_OUTLINE},
                 {"rectangle", SHAPE_BOUNDS},
                 {"mask", SHAPE_BOUNDS},
                 {"circle", SHAPE_CIRCLE},
                 {"point", SHAPE_NO_AREA},
                 {"points", SHAPE_NO_AREA},
                 {"line", SHAPE_NO_AREA},
                 {"linestrip", SHAPE_NO_AREA}};
    const char *name = node_text(base_node_get(shape, "shape_type"));
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].kind;
    return name ? SHAPE_NO_AREA : SHAPE_OUTLINE; /* the first versions had polygons alone */
}

static vg_status add_points(catalogue *c, const base_node *points, bool *is_good, vg_error *err)
{
    const size_t first = c->n_points;
    vg_status st = VG_OK;
    *is_good = points && points->kind == BASE_NODE_LIST && points->first;
    for (const base_node *p = *is_good ? points->first : NULL; p && *is_good && st == VG_OK;
         p = p->next) {
        double x, y;
        *is_good = node_number(&x, base_node_at(p, 0)) && node_number(&y, base_node_at(p, 1));
        if (*is_good)
            st = catalogue_add_point(c, x, y, err);
    }
    if (!*is_good)
        c->n_points = first;
    return st;
}

/* The box of two corners or more, which are points from first on. */
static bool box_of_points(const catalogue *c, double xywh[4], size_t first)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = first; i < c->n_points; i++)
        for (size_t axis = 0; axis < 2; axis++) {
            low[axis] = fmin(low[axis], c->points[2 * i + axis]);
            high[axis] = fmax(high[axis], c->points[2 * i + axis]);
        }
    for (int axis = 0; axis < 2; axis++) {
        xywh[axis] = (low[axis] + high[axis]) / 2;
        xywh[axis + 2] = high[axis] - low[axis];
    }
    return c->n_points >= first + 2;
}

/* Centre and a point of the edge. */
static bool box_of_circle(const catalogue *c, double xywh[4], size_t first)
{
    if (c->n_points != first + 2)
        return false;
    const float *p = c->points + 2 * first;
    xywh[0] = p[0];
    xywh[1] = p[1];
    xywh[2] = xywh[3] = 2 * hypot((double)p[2] - p[0], (double)p[3] - p[1]);
    return true;
}

typedef struct shapes {
    catalogue *c;
    const char *file;
    const base_node *list;
    bool *is_done; /* (n_children) part of an earlier one */
} shapes;

static bool is_same_group(const base_node *a, const base_node *b)
{
    int64_t x, y;
    const char *p = node_text(base_node_get(a, "label")), *q = node_text(base_node_get(b, "label"));
    return node_id(&x, base_node_get(a, "group_id")) && node_id(&y, base_node_get(b, "group_id")) &&
           x == y && p && q && strcmp(p, q) == 0;
}

/* The other parts of the outline whose points begin at first. */
static vg_status add_parts(const shapes *s, const base_node *shape, size_t at, size_t first,
                           vg_error *err)
{
    int64_t group;
    size_t i = at + 1;
    vg_status st = VG_OK;
    if (!node_id(&group, base_node_get(shape, "group_id")))
        return VG_OK;
    for (const base_node *k = shape->next; k && st == VG_OK; k = k->next, i++) {
        bool is_good;
        const size_t ring = s->c->n_points;
        if (s->is_done[i] || kind_of(k) != SHAPE_OUTLINE || !is_same_group(shape, k))
            continue;
        st = add_points(s->c, base_node_get(k, "points"), &is_good, err);
        if (st == VG_OK && is_good && s->c->n_points >= ring + 3)
            catalogue_join_ring(s->c, first, ring);
        else
            s->c->n_points = ring;
        s->is_done[i] = true;
    }
    return st;
}

static int class_of(catalogue *c, const char *label, vg_status *st, vg_error *err)
{
    const int found = catalogue_find_class(c, label);
    if (found >= 0)
        return found;
    *st = catalogue_add_class(c, CATALOGUE_NO_ID, label, err);
    return (int)c->n_classes - 1;
}

static vg_status add_shape(const shapes *s, const base_node *shape, size_t at, vg_error *err)
{
    catalogue *c = s->c;
    catalogue_object o = {.picture = c->n_pictures - 1, .first_point = c->n_points};
    const shape_kind kind = kind_of(shape);
    const char *label = node_text(base_node_get(shape, "label"));
    const base_node *hard = base_node_get(shape, "difficult");
    const bool is_hard = hard && hard->kind == BASE_NODE_BOOL && hard->i != 0;
    const vg_left why = kind == SHAPE_NO_AREA               ? VG_LEFT_SHAPE
                        : !label                            ? VG_LEFT_CLASS
                        : is_hard && !c->options->difficult ? VG_LEFT_DIFFICULT
                                                            : VG_N_LEFT;
    if (why != VG_N_LEFT) {
        catalogue_leave(c, why, "%s: shapes[%zu]", s->file, at);
        return VG_OK;
    }
    bool is_good;
    vg_status st = add_points(c, base_node_get(shape, "points"), &is_good, err);
    if (st == VG_OK && is_good && kind == SHAPE_OUTLINE && c->n_points >= o.first_point + 3)
        st = add_parts(s, shape, at, o.first_point, err);
    if (st != VG_OK)
        return st;
    is_good = is_good && (kind == SHAPE_CIRCLE    ? box_of_circle(c, o.xywh, o.first_point)
                          : kind == SHAPE_OUTLINE ? catalogue_bounds(c, o.xywh, o.first_point)
                                                  : box_of_points(c, o.xywh, o.first_point));
    if (!is_good || kind != SHAPE_OUTLINE || !c->options->polygons)
        c->n_points = o.first_point;
    if (!is_good) {
        catalogue_leave(c, VG_LEFT_NO_BOX, "%s: shapes[%zu]", s->file, at);
        return VG_OK;
    }
    o.n_points = (uint32_t)(c->n_points - o.first_point);
    o.class_index = class_of(c, label, &st, err);
    c->n_difficult += is_hard;
    return st == VG_OK ? catalogue_add_object(c, &o, err) : st;
}

static vg_status add_shapes(catalogue *c, const char *file, const base_node *list, vg_error *err)
{
    shapes s = {.c = c, .file = file, .list = list};
    s.is_done = base_alloc_zero(c->mem, list->n_children, sizeof *s.is_done, err);
    if (!s.is_done)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    size_t i = 0;
    for (const base_node *n = list->first; n && st == VG_OK; n = n->next, i++)
        if (!s.is_done[i])
            st = add_shape(&s, n, i, err);
    base_free(s.is_done);
    return st;
}

/* ---- a file ---- */

typedef struct labelme_file {
    base_json_piece shapes, path, width, height;
} labelme_file;

static vg_status find_parts(labelme_file *f, const char *text, size_t n, const char *file,
                            vg_error *err)
{
    base_json_walk w;
    base_json_piece key, value;
    bool more = true;
    vg_status st = base_json_start(&w, text, n, file, err);
    if (st == VG_OK)
        st = base_json_enter(&w, '{', err);
    while (st == VG_OK) {
        st = base_json_next(&w, &key, &more, err);
        if (st != VG_OK || !more)
            break;
        st = base_json_take(&w, &value, err);
        base_json_piece *part = base_json_piece_is(&key, "shapes")        ? &f->shapes
                                : base_json_piece_is(&key, "imagePath")   ? &f->path
                                : base_json_piece_is(&key, "imageWidth")  ? &f->width
                                : base_json_piece_is(&key, "imageHeight") ? &f->height
                                                                          : NULL;
        if (part)
            *part = value;
    }
    if (st == VG_OK)
        st = base_json_end(&w, err);
    if (st == VG_OK && (!f->shapes.text || f->shapes.text[0] != '['))
        st = base_fail(err, VG_ERR_FORMAT, file, NULL, "no list of shapes in it");
    if (st == VG_OK && f->shapes.n > MOST_SHAPES_BYTES)
        st = base_fail(err, VG_ERR_LIMIT, file, NULL, "shapes of %zu bytes", f->shapes.n);
    return st;
}

/* The value as a tree; *out NULL: there is none, or it cannot be read. Errors: VG_ERR_MEMORY. */
static vg_status tree_of(base_tree **out, const base_json_piece *p, const char *file, base_mem *mem,
                         vg_error *err)
{
    vg_error why = {.status = VG_OK};
    *out = NULL;
    if (!p->text || base_tree_from_json(out, p->text, p->n, file, mem, &why) != VG_ERR_MEMORY)
        return VG_OK;
    if (err)
        *err = why;
    return VG_ERR_MEMORY;
}

static vg_status side_of(int *out, const base_json_piece *p, const char *file, base_mem *mem,
                         vg_error *err)
{
    base_tree *t;
    vg_status st = tree_of(&t, p, file, mem, err);
    *out = t ? node_side(base_tree_root(t)) : 0;
    base_tree_destroy(&t);
    return st;
}

/* The picture's name, beside the file: its own name, if it says none. */
static vg_status add_picture(catalogue *c, const labelme_file *f, const char *file, int split,
                             vg_error *err)
{
    char name[NAME_BYTES];
    base_tree *t;
    catalogue_picture *p;
    int w = 0, h = 0;
    vg_status st = tree_of(&t, &f->path, file, c->mem, err);
    if (st == VG_OK)
        st = side_of(&w, &f->width, file, c->mem, err);
    if (st == VG_OK)
        st = side_of(&h, &f->height, file, c->mem, err);
    const char *path = t ? node_text(base_tree_root(t)) : NULL;
    const size_t n_folder = (size_t)(base_path_name(file) - file);
    const size_t n_stem = strlen(file) - strlen(base_path_suffix(file));
    const bool fits = path ? base_format(name, sizeof name, "%.*s%s", (int)n_folder, file, path)
                           : base_format(name, sizeof name, "%.*s", (int)n_stem, file);
    if (st == VG_OK)
        st = catalogue_add_picture(c, fits ? name : file, file, split, &p, err);
    base_tree_destroy(&t);
    if (st != VG_OK)
        return st;
    p->w = w > 0 && h > 0 ? w : 0;
    p->h = w > 0 && h > 0 ? h : 0;
    return VG_OK;
}

vg_status source_labelme_read_text(catalogue *c, const char *file, int split, const char *text,
                                   size_t n, vg_error *err)
{
    labelme_file f = {.shapes = {.text = NULL}};
    base_tree *tree = NULL;
    vg_error why = {.status = VG_OK};
    vg_status st = find_parts(&f, text, n, file, &why);
    if (st == VG_OK)
        st = base_tree_from_json(&tree, f.shapes.text, f.shapes.n, base_where("%s: shapes", file),
                                 c->mem, &why);
    if (st == VG_ERR_MEMORY && err)
        *err = why;
    if (st == VG_ERR_MEMORY)
        return st;
    if (st != VG_OK) {
        catalogue_leave(c, VG_LEFT_FILE, "%s: %s", why.where, why.what);
        return VG_OK;
    }
    st = add_picture(c, &f, file, split, err);
    if (st == VG_OK)
        st = add_shapes(c, file, base_tree_root(tree), err);
    base_tree_destroy(&tree);
    return st;
}

/* ---- all files ---- */

static vg_status read_source(catalogue *c, const source_files *s, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < s->n && st == VG_OK; i++) {
        base_map map;
        vg_error why;
        if (!source_has_suffix(s->paths[i], ".json"))
            continue;
        if (base_map_open(&map, s->paths[i], &why) != VG_OK) {
            catalogue_leave(c, VG_LEFT_FILE, "%s: %s", s->paths[i], why.what);
            continue;
        }
        st = source_labelme_read_text(c, s->paths[i], source_split(s, s->paths[i]),
                                      (const char *)map.bytes, map.n_bytes, err);
        base_map_close(&map);
    }
    return st == VG_OK ? catalogue_sort_classes(c, err) : st;
}

const convert_source convert_source_labelme = {.name = "labelme",
                                               .help = "LabelMe: a JSON file a picture",
                                               .sureness = 2,
                                               .suffix = ".json",
                                               .words = {"\"shapes\"", "\"imagePath\""},
                                               .least_words = 2,
                                               .read = read_source,
                                               .file_names_picture = true};
