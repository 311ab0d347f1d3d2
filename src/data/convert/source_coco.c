/* source_coco.c: COCO's instances: one JSON file a split, with lists of images, annotations and
 * categories (cocodataset.org, "Data format"). Boxes are x y w h of the corner, pixels.
 *
 * Such files have hundreds of megabytes, so they are mapped and walked: where the three lists are
 * and how many items they have is known first, and with it the room that is taken; then one item at
 * a time becomes a tree. Ids have holes and any order; classes are numbered in the order of the
 * ids, over all files together. Ids of images are a file's own. */
#include <string.h>

#include "finder.h"
#include "node.h"
#include "sources.h"

enum { MOST_ITEM_BYTES = 16 << 20 };

typedef struct coco_file {
    const char *path;
    int split;
    base_map map;
    base_json_piece images, annotations, categories; /* text NULL: not in the file */
} coco_file;

typedef struct id_place {
    int64_t id;
    size_t place;
} id_place;

static int id_before(const void *a, const void *b, void *ctx)
{
    const id_place *x = a, *y = b;
    (void)ctx;
    return x->id != y->id ? x->id < y->id : x->place < y->place;
}

/* The first of the id; SIZE_MAX: none. */
static size_t id_find(const id_place *ids, size_t n, int64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (ids[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low].id == id ? ids[low].place : SIZE_MAX;
}

/* ---- a file's lists ---- */

static vg_status find_lists(coco_file *f, vg_error *err)
{
    base_json_walk w;
    base_json_piece key, value;
    bool more;
    vg_status st = base_json_start(&w, (const char *)f->map.bytes, f->map.n_bytes, f->path, err);
    if (st == VG_OK)
        st = base_json_enter(&w, '{', err);
    while (st == VG_OK) {
        st = base_json_next(&w, &key, &more, err);
        if (st != VG_OK || !more)
            break;
        st = base_json_take(&w, &value, err);
        if (st != VG_OK)
            return st;
        base_json_piece *list = base_json_piece_is(&key, "images")        ? &f->images
                                : base_json_piece_is(&key, "annotations") ? &f->annotations
                                : base_json_piece_is(&key, "categories")  ? &f->categories
                                                                          : NULL;
        if (list && list->text)
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu", f->path, key.line),
                             "keep one of them", "key \"%.*s\" again", (int)key.n, key.text);
        if (list && value.text[0] != '[')
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu", f->path, value.line),
                             "export it again", "\"%.*s\" is no list", (int)key.n, key.text);
        if (list)
            *list = value;
    }
    if (st == VG_OK)
        st = base_json_end(&w, err);
    if (st == VG_OK && (!f->images.text || !f->annotations.text || !f->categories.text))
        return base_fail(err, VG_ERR_FORMAT, f->path,
                         "give COCO's instances: images, annotations and categories",
                         "no list of %s in it",
                         !f->images.text        ? "images"
                         : !f->annotations.text ? "annotations"
                                                : "categories");
    return st;
}

typedef struct coco_reader {
    catalogue *c;
    const coco_file *file;
    int split;
    id_place *pictures; /* (n_pictures) of this file, by id */
    size_t n_pictures;
    const id_place *classes; /* (n_classes) by id */
    size_t n_classes;
} coco_reader;

typedef vg_status (*coco_item)(coco_reader *r, const base_node *item, const char *where,
                               vg_error *err);

static vg_status each_item(coco_reader *r, const base_json_piece *list, const char *name,
                           coco_item take, vg_error *err)
{
    base_json_walk w;
    base_json_piece item;
    bool more;
    vg_status st = base_json_start(&w, list->text, list->n, r->file->path, err);
    w.line = list->line;
    if (st == VG_OK)
        st = base_json_enter(&w, '[', err);
    for (size_t i = 0; st == VG_OK; i++) {
        base_tree *tree = NULL;
        st = base_json_next(&w, NULL, &more, err);
        if (st != VG_OK || !more)
            break;
        st = base_json_take(&w, &item, err);
        if (st != VG_OK)
            break;
        const base_text where = base_text_make("%s: %s[%zu]", r->file->path, name, i);
        if (item.n > MOST_ITEM_BYTES)
            return base_fail(err, VG_ERR_LIMIT, where.text, NULL, "an item of %zu bytes", item.n);
        st = base_tree_from_json(&tree, item.text, item.n, where.text, r->c->mem, err);
        if (st == VG_OK)
            st = take(r, base_tree_root(tree), where.text, err);
        base_tree_destroy(&tree);
    }
    return st;
}

/* ---- keypoints ---- */

enum { MOST_KEYPOINTS = 256 };

/* "left_eye" where name is "right_eye", or the other way. False: it says neither. */
static bool other_side(char *out, size_t n, const char *name)
{
    static const char *const sides[] = {"left", "right"};
    for (int i = 0; i < 2; i++) {
        const char *at = strstr(name, sides[i]);
        if (at)
            return base_format(out, n, "%.*s%s%s", (int)(at - name), name, sides[1 - i],
                               at + strlen(sides[i]));
    }
    return false;
}

static int find_keypoint(const base_node *names, const char *name)
{
    int i = 0;
    for (const base_node *n = names->first; n; n = n->next, i++)
        if (node_text(n) && strcmp(node_text(n), name) == 0)
            return i;
    return -1;
}

/* How many keypoints, and which change places in a mirror, by their names. */
static vg_status take_skeleton(catalogue *c, const base_node *names, const char *where,
                               vg_error *err)
{
    if (!names || names->kind != BASE_NODE_LIST || names->n_children == 0)
        return VG_OK; /* a class without */
    if (names->n_children > MOST_KEYPOINTS)
        return base_fail(err, VG_ERR_LIMIT, where, NULL, "%zu keypoints", names->n_children);
    if (c->n_keypoints > 0 && (size_t)c->n_keypoints != names->n_children)
        return base_fail(err, VG_ERR_FORMAT, where, "convert classes of one number apart",
                         "%zu keypoints, and %d of a class before", names->n_children,
                         c->n_keypoints);
    if (c->n_keypoints > 0)
        return VG_OK;
    c->flip_idx = base_alloc_zero(c->mem, names->n_children, sizeof *c->flip_idx, err);
    if (!c->flip_idx)
        return VG_ERR_MEMORY;
    c->n_keypoints = (int)names->n_children;
    int i = 0;
    for (const base_node *n = names->first; n; n = n->next, i++) {
        char other[256];
        const char *name = node_text(n);
        const int partner =
            name && other_side(other, sizeof other, name) ? find_keypoint(names, other) : -1;
        c->flip_idx[i] = partner >= 0 ? partner : i;
    }
    return VG_OK;
}

/* *is_good: there are as many as a class of this source has. */
static vg_status take_keypoints(catalogue *c, const base_node *list, bool *is_good, vg_error *err)
{
    const size_t first = c->n_all_keypoints;
    double v[3] = {0};
    size_t n = 0;
    vg_status st = VG_OK;
    *is_good = list && list->kind == BASE_NODE_LIST && c->n_keypoints > 0 &&
               list->n_children == 3 * (size_t)c->n_keypoints;
    for (const base_node *k = *is_good ? list->first : NULL; k && *is_good && st == VG_OK;
         k = k->next, n++) {
        *is_good = node_number(&v[n % 3], k);
        if (*is_good && n % 3 == 2)
            st = catalogue_add_keypoint(c, v[0], v[1], v[2], err);
    }
    if (!*is_good)
        c->n_all_keypoints = first;
    return st;
}

/* ---- categories ---- */

static vg_status take_category(coco_reader *r, const base_node *item, const char *where,
                               vg_error *err)
{
    int64_t id;
    const char *name = node_text(base_node_get(item, "name"));
    if (!node_id(&id, base_node_get(item, "id")) || !name)
        return base_fail(err, VG_ERR_FORMAT, where, "give every category an id and a name",
                         "a category without %s", name ? "an id" : "a name");
    if (r->c->options->keypoints) {
        const vg_status st = take_skeleton(r->c, base_node_get(item, "keypoints"), where, err);
        if (st != VG_OK)
            return st;
    }
    for (size_t i = 0; i < r->c->n_classes; i++) {
        if (r->c->classes[i].id != id)
            continue;
        const char *other = catalogue_text(r->c, r->c->classes[i].name);
        if (strcmp(other, name) == 0)
            return VG_OK;
        return base_fail(err, VG_ERR_FORMAT, where, "give every category an id of its own",
                         "category %lld is \"%.100s\", and \"%.100s\" before", (long long)id, name,
                         other);
    }
    return catalogue_add_class(r->c, id, name, err);
}

static int class_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return ((const catalogue_class *)a)->id < ((const catalogue_class *)b)->id;
}

/* ---- images ---- */

static vg_status take_image(coco_reader *r, const base_node *item, const char *where, vg_error *err)
{
    int64_t id;
    catalogue_picture *p;
    const char *name = node_text(base_node_get(item, "file_name"));
    if (!node_id(&id, base_node_get(item, "id")) || !name) {
        catalogue_leave(r->c, VG_LEFT_NAMELESS, "%s", where);
        return VG_OK;
    }
    vg_status st = catalogue_add_picture(r->c, name, r->file->path, r->split, &p, err);
    if (st != VG_OK)
        return st;
    p->w = node_side(base_node_get(item, "width"));
    p->h = node_side(base_node_get(item, "height"));
    if (p->w == 0 || p->h == 0)
        p->w = p->h = 0;
    r->pictures[r->n_pictures++] = (id_place){.id = id, .place = r->c->n_pictures - 1};
    return VG_OK;
}

/* ---- annotations ---- */

/* One outline: a flat list of x y x y ... False: it is none, and no point is left of it. */
static vg_status take_ring(catalogue *c, const base_node *ring, bool *is_good, vg_error *err)
{
    const size_t first = c->n_points;
    double xy[2];
    size_t n = 0;
    vg_status st = VG_OK;
    *is_good = ring->kind == BASE_NODE_LIST && ring->n_children >= 6 && ring->n_children % 2 == 0;
    for (const base_node *v = *is_good ? ring->first : NULL; v && *is_good && st == VG_OK;
         v = v->next, n++) {
        *is_good = node_number(&xy[n & 1], v);
        if (*is_good && (n & 1))
            st = catalogue_add_point(c, xy[0], xy[1], err);
    }
    if (!*is_good)
        c->n_points = first;
    return st;
}

static vg_status take_outline(catalogue *c, const base_node *segmentation, vg_error *err)
{
    const size_t first = c->n_points;
    bool is_good = true;
    if (!segmentation || segmentation->kind != BASE_NODE_LIST || !segmentation->first)
        return VG_OK; /* a mask, or none */
    if (segmentation->first->kind != BASE_NODE_LIST)
        return take_ring(c, segmentation, &is_good, err);
    for (const base_node *ring = segmentation->first; ring; ring = ring->next) {
        const size_t before = c->n_points;
        vg_status st = take_ring(c, ring, &is_good, err);
        if (st != VG_OK)
            return st;
        if (is_good && before > first)
            catalogue_join_ring(c, first, before);
    }
    return VG_OK;
}

static bool take_box(double xywh[4], const base_node *bbox)
{
    double v[4];
    for (size_t i = 0; i < 4; i++)
        if (!node_number(&v[i], base_node_at(bbox, i)))
            return false;
    xywh[0] = v[0] + v[2] / 2;
    xywh[1] = v[1] + v[3] / 2;
    xywh[2] = v[2];
    xywh[3] = v[3];
    return true;
}

static bool is_crowd(const base_node *annotation)
{
    const base_node *n = base_node_get(annotation, "iscrowd");
    return n && (n->kind == BASE_NODE_INT || n->kind == BASE_NODE_BOOL) && n->i != 0;
}

static vg_status take_annotation(coco_reader *r, const base_node *item, const char *where,
                                 vg_error *err)
{
    catalogue *c = r->c;
    int64_t image = 0, category = 0;
    catalogue_object o = {.first_point = c->n_points};
    o.picture = node_id(&image, base_node_get(item, "image_id"))
                    ? id_find(r->pictures, r->n_pictures, image)
                    : SIZE_MAX;
    const size_t class = node_id(&category, base_node_get(item, "category_id"))
                             ? id_find(r->classes, r->n_classes, category)
                             : SIZE_MAX;
    if (is_crowd(item))
        catalogue_leave(c, VG_LEFT_CROWD, "%s", where);
    else if (o.picture == SIZE_MAX)
        catalogue_leave(c, VG_LEFT_LOST, "%s", where);
    else if (class == SIZE_MAX)
        catalogue_leave(c, VG_LEFT_CLASS, "%s", where);
    if (is_crowd(item) || o.picture == SIZE_MAX || class == SIZE_MAX)
        return VG_OK;
    o.class_index = (int32_t) class;
    vg_status st = take_outline(c, base_node_get(item, "segmentation"), err);
    if (st != VG_OK)
        return st;
    double bounds[4];
    const bool has_outline = catalogue_bounds(c, bounds, o.first_point);
    if (!take_box(o.xywh, base_node_get(item, "bbox"))) {
        if (!has_outline) {
            catalogue_leave(c, VG_LEFT_NO_BOX, "%s", where);
            c->n_points = o.first_point;
            return VG_OK;
        }
        memcpy(o.xywh, bounds, sizeof bounds);
    }
    if (!has_outline || !c->options->polygons)
        c->n_points = o.first_point;
    if (c->options->keypoints) {
        bool is_good;
        c->n_points = o.first_point;
        o.first_point = c->n_all_keypoints;
        st = take_keypoints(c, base_node_get(item, "keypoints"), &is_good, err);
        if (st == VG_OK && !is_good)
            catalogue_leave(c, VG_LEFT_NO_KEYPOINTS, "%s", where);
        if (st != VG_OK || !is_good)
            return st;
    }
    if (!c->options->keypoints)
        o.n_points = (uint32_t)(c->n_points - o.first_point);
    return catalogue_add_object(c, &o, err);
}

/* ---- all files ---- */

static vg_status read_categories(catalogue *c, const coco_file *files, size_t n, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        coco_reader r = {.c = c, .file = &files[i]};
        st = each_item(&r, &files[i].categories, "categories", take_category, err);
    }
    if (st == VG_OK && c->options->keypoints && c->n_keypoints == 0)
        st = base_fail(err, VG_ERR_FORMAT, files[0].path,
                       "give COCO's person_keypoints files, or leave --keypoints out",
                       "no category has keypoints");
    if (st == VG_OK)
        base_sort(c->classes, c->n_classes, sizeof *c->classes, class_before, NULL);
    return st;
}

static vg_status read_file(catalogue *c, const coco_file *f, int split, const id_place *classes,
                           vg_error *err)
{
    coco_reader r = {
        .c = c, .file = f, .split = split, .classes = classes, .n_classes = c->n_classes};
    r.pictures = base_alloc_zero(c->mem, f->images.n_items, sizeof *r.pictures, err);
    if (!r.pictures)
        return VG_ERR_MEMORY;
    vg_status st = each_item(&r, &f->images, "images", take_image, err);
    base_sort(r.pictures, r.n_pictures, sizeof *r.pictures, id_before, NULL);
    for (size_t i = 1; i < r.n_pictures && st == VG_OK; i++)
        if (r.pictures[i].id == r.pictures[i - 1].id) {
            c->pictures[r.pictures[i].place].is_out = true;
            catalogue_leave(c, VG_LEFT_TWICE, "%s: id %lld", f->path, (long long)r.pictures[i].id);
        }
    if (st == VG_OK)
        st = each_item(&r, &f->annotations, "annotations", take_annotation, err);
    base_free(r.pictures);
    return st;
}

/* Two numbers a point; an annotation has ten other values or so. */
static size_t most_points(const base_json_piece *annotations)
{
    const size_t n_others = 10 * annotations->n_items;
    return annotations->n_commas > n_others ? (annotations->n_commas - n_others) / 2 : 0;
}

/* Of files that are mapped, with their splits. */
static vg_status read_all(catalogue *c, coco_file *files, size_t n, vg_error *err)
{
    size_t n_pictures = 0, n_objects = 0, n_points = 0;
    vg_status st = VG_OK;
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        st = find_lists(&files[i], err);
        n_pictures += files[i].images.n_items;
        n_objects += files[i].annotations.n_items;
        n_points += c->options->polygons ? most_points(&files[i].annotations) : 0;
    }
    if (st == VG_OK)
        st = read_categories(c, files, n, err);
    if (st == VG_OK)
        st = catalogue_reserve(c, n_pictures, n_objects, n_points, err);
    id_place *classes =
        st == VG_OK ? base_alloc_zero(c->mem, c->n_classes, sizeof *classes, err) : NULL;
    if (st == VG_OK && !classes)
        st = VG_ERR_MEMORY;
    for (size_t i = 0; i < c->n_classes && st == VG_OK; i++)
        classes[i] = (id_place){.id = c->classes[i].id, .place = i};
    for (size_t i = 0; i < n && st == VG_OK; i++)
        st = read_file(c, &files[i], files[i].split, classes, err);
    base_free(classes);
    return st;
}

vg_status source_coco_read_text(catalogue *c, const char *file, int split, const char *text,
                                size_t n, vg_error *err)
{
    coco_file f = {
        .path = file, .split = split, .map = {.bytes = (const uint8_t *)text, .n_bytes = n}};
    return read_all(c, &f, 1, err);
}

static vg_status read_source(catalogue *c, const source_files *s, vg_error *err)
{
    size_t n = 0;
    coco_file *files = base_alloc_zero(c->mem, s->n, sizeof *files, err);
    if (!files)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < s->n; i++)
        if (s->n == 1 || source_is_own(&convert_source_coco, s->paths[i]))
            files[n++].path = s->paths[i];
    vg_status st = n > 0 ? VG_OK
                         : base_fail(err, VG_ERR_FORMAT, s->root,
                                     "give the JSON file, or the folder that it is in",
                                     "no JSON file of COCO's instances here");
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        files[i].split = finder_split(source_below(s, files[i].path));
        st = base_map_open(&files[i].map, files[i].path, err);
    }
    if (st == VG_OK)
        st = read_all(c, files, n, err);
    for (size_t i = 0; i < n; i++)
        base_map_close(&files[i].map);
    base_free(files);
    return st;
}

const convert_source convert_source_coco = {
    .name = "coco",
    .help = "COCO's instances, or keypoints: JSON files",
    .has_keypoints = true,
    .sureness = 3,
    .suffix = ".json",
    .words = {"\"annotations\"", "\"categories\"", "\"images\""},
    .least_words = 2,
    .read = read_source};
