/* source_voc.c: Pascal VOC: an XML file a picture, in Annotations, with pictures in JPEGImages and
 * lists of splits in ImageSets/Main (the VOC devkit's documentation); also as other tools write it,
 * beside the pictures and without lists. Corners are taken as they stand.
 *
 * Read by expat as it comes: names of elements around make a path, and a path says what a text is.
 * Entities of a file's own are refused, so that a small file cannot become a large one. expat's
 * memory is its own; a file of at most 16 MiB bounds it. */
#include <expat.h>
#include <string.h>

#include "node.h"
#include "sources.h"

enum { MOST_FILE_BYTES = 16 << 20, PATH_BYTES = 256, TEXT_BYTES = 1024, NAME_BYTES = 4096 };

typedef struct voc_reader {
    catalogue *c;
    const char *file;
    XML_Parser parser;
    char path[PATH_BYTES]; /* "annotation/object/name" */
    size_t n_path;
    int n_beyond; /* elements that are open and have no room in path */
    char text[TEXT_BYTES];
    size_t n_text;
    char filename[TEXT_BYTES];
    size_t picture;
    bool is_annotation;
    /* the object that is open */
    char name[TEXT_BYTES];
    double corner[4];
    unsigned n_corners; /* a bit for each */
    bool difficult, is_bad;
    catalogue_object o;
    double x; /* of the polygon's point that is half read */
    bool has_x;
    size_t n_seen; /* objects */
    vg_status status;
    vg_error err;
} voc_reader;

/* ---- objects ---- */

static void object_begin(voc_reader *r)
{
    r->name[0] = '\0';
    r->n_corners = 0;
    r->difficult = r->is_bad = r->has_x = false;
    r->o = (catalogue_object){.picture = r->picture, .first_point = r->c->n_points};
    r->n_seen++;
}

static int class_of(voc_reader *r)
{
    const int found = catalogue_find_class(r->c, r->name);
    if (found >= 0)
        return found;
    r->status = catalogue_add_class(r->c, CATALOGUE_NO_ID, r->name, &r->err);
    return (int)r->c->n_classes - 1;
}

static void object_end(voc_reader *r)
{
    enum { ALL_CORNERS = 15 };
    catalogue *c = r->c;
    double bounds[4];
    const bool has_outline = catalogue_bounds(c, bounds, r->o.first_point);
    const bool has_box = r->n_corners == ALL_CORNERS && !r->is_bad;
    if (!has_outline || !c->options->polygons)
        c->n_points = r->o.first_point;
    if (has_box)
        for (int axis = 0; axis < 2; axis++) {
            r->o.xywh[axis] = (r->corner[axis] + r->corner[axis + 2]) / 2;
            r->o.xywh[axis + 2] = r->corner[axis + 2] - r->corner[axis];
        }
    else if (has_outline)
        memcpy(r->o.xywh, bounds, sizeof bounds);
    const bool is_left = r->difficult && !c->options->difficult;
    if (is_left)
        catalogue_leave(c, VG_LEFT_DIFFICULT, "%s: object %zu", r->file, r->n_seen);
    else if (!has_box && !has_outline)
        catalogue_leave(c, VG_LEFT_NO_BOX, "%s: object %zu", r->file, r->n_seen);
    else if (r->name[0] == '\0')
        catalogue_leave(c, VG_LEFT_CLASS, "%s: object %zu", r->file, r->n_seen);
    if (is_left || (!has_box && !has_outline) || r->name[0] == '\0') {
        c->n_points = r->o.first_point;
        return;
    }
    r->o.n_points = (uint32_t)(c->n_points - r->o.first_point);
    r->o.class_index = class_of(r);
    c->n_difficult += r->difficult;
    if (r->status == VG_OK)
        r->status = catalogue_add_object(c, &r->o, &r->err);
}

/* A corner, or a coordinate of a polygon: x1, y1, x2, ... in their order. */
static void take_number(voc_reader *r, const char *element, bool is_polygon)
{
    static const char *const corners[] = {"xmin", "ymin", "xmax", "ymax"};
    double v;
    const bool is_good = base_parse_double(&v, r->text) && isfinite(v);
    for (unsigned i = 0; i < 4 && !is_polygon; i++)
        if (strcmp(element, corners[i]) == 0) {
            r->is_bad |= !is_good;
            r->corner[i] = is_good ? v : 0;
            r->n_corners |= 1U << i;
        }
    if (!is_polygon || !is_good)
        return;
    if (element[0] == 'x') {
        r->x = v;
        r->has_x = true;
    } else if (element[0] == 'y' && r->has_x) {
        r->status = catalogue_add_point(r->c, r->x, v, &r->err);
        r->has_x = false;
    }
}

/* ---- elements ---- */

static void take_text(voc_reader *r, const char *element)
{
    catalogue_picture *p = &r->c->pictures[r->picture];
    double side;
    bool is_polygon = base_starts_with(r->path, "annotation/object/polygon/");
    if (is_polygon || base_starts_with(r->path, "annotation/object/bndbox/"))
        take_number(r, element, is_polygon);
    else if (strcmp(r->path, "annotation/object/name") == 0)
        memcpy(r->name, r->text, sizeof r->name);
    else if (strcmp(r->path, "annotation/object/difficult") == 0)
        base_parse_bool(&r->difficult, r->text);
    else if (strcmp(r->path, "annotation/filename") == 0)
        memcpy(r->filename, r->text, sizeof r->filename);
    else if (strcmp(r->path, "annotation/size/width") == 0 && base_parse_double(&side, r->text))
        p->w = side >= 1 && side <= 1 << 20 ? (int)side : 0;
    else if (strcmp(r->path, "annotation/size/height") == 0 && base_parse_double(&side, r->text))
        p->h = side >= 1 && side <= 1 << 20 ? (int)side : 0;
}

static void element_begin(void *data, const XML_Char *name, const XML_Char **attributes)
{
    voc_reader *r = data;
    (void)attributes;
    const size_t n = strlen(name), before = r->n_path;
    if (r->n_beyond > 0 || before + n + 2 > sizeof r->path) {
        r->n_beyond++;
        return;
    }
    base_format(r->path + before, sizeof r->path - before, "%s%s", before > 0 ? "/" : "", name);
    r->n_path = strlen(r->path);
    r->n_text = 0;
    r->is_annotation |= strcmp(r->path, "annotation") == 0;
    if (strcmp(r->path, "annotation/object") == 0)
        object_begin(r);
}

static void trim(voc_reader *r)
{
    r->text[r->n_text] = '\0';
    while (r->n_text > 0 && strchr(" \t\r\n", r->text[r->n_text - 1]))
        r->text[--r->n_text] = '\0';
    const size_t blanks = strspn(r->text, " \t\r\n");
    memmove(r->text, r->text + blanks, r->n_text - blanks + 1);
}

static void element_end(void *data, const XML_Char *name)
{
    voc_reader *r = data;
    if (r->n_beyond > 0) {
        r->n_beyond--;
        return;
    }
    trim(r);
    if (r->status == VG_OK)
        take_text(r, name);
    if (r->status == VG_OK && strcmp(r->path, "annotation/object") == 0)
        object_end(r);
    const size_t n = strlen(name);
    r->n_path -= n < r->n_path ? n + 1 : n;
    r->path[r->n_path] = '\0';
    r->n_text = 0;
    if (r->status != VG_OK)
        XML_StopParser(r->parser, XML_FALSE);
}

static void text_seen(void *data, const XML_Char *s, int n)
{
    voc_reader *r = data;
    const size_t room = sizeof r->text - 1 - r->n_text;
    const size_t take = (size_t)n < room ? (size_t)n : room;
    if (r->n_beyond > 0)
        return;
    memcpy(r->text + r->n_text, s, take);
    r->n_text += take;
}

static void entity_seen(void *data, const XML_Char *name, int is_parameter, const XML_Char *value,
                        int n_value, const XML_Char *base, const XML_Char *system,
                        const XML_Char *public_id, const XML_Char *notation)
{
    voc_reader *r = data;
    (void)is_parameter;
    (void)value;
    (void)n_value;
    (void)base;
    (void)system;
    (void)public_id;
    (void)notation;
    r->status =
        base_fail(&r->err, VG_ERR_FORMAT, r->file, NULL, "an entity of its own, \"%.60s\"", name);
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- a file ---- */

/* The picture's name, in the folder of the XML file: which of two of a name it is. */
static vg_status name_picture(voc_reader *r, vg_error *err)
{
    char name[NAME_BYTES];
    const char *file = *r->filename ? r->filename : base_path_name(r->file);
    const size_t n = strlen(file) - (*r->filename ? 0 : strlen(base_path_suffix(r->file)));
    const bool fits = base_format(name, sizeof name, "%.*s%.*s",
                                  (int)(base_path_name(r->file) - r->file), r->file, (int)n, file);
    return fits ? catalogue_add_text(r->c, &r->c->pictures[r->picture].name, name, err) : VG_OK;
}

vg_status source_voc_read_text(catalogue *c, const char *file, int split, const char *text,
                               size_t n, vg_error *err)
{
    catalogue_picture *p;
    voc_reader r = {.c = c, .file = file, .picture = c->n_pictures};
    const size_t n_objects = c->n_objects, n_points = c->n_points, n_classes = c->n_classes;
    vg_status st = catalogue_add_picture(c, file, file, split, &p, err);
    if (st != VG_OK)
        return st;
    r.parser = XML_ParserCreate(NULL);
    if (!r.parser)
        return base_fail(err, VG_ERR_MEMORY, file, NULL, "the XML reader got no memory");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, element_begin, element_end);
    XML_SetCharacterDataHandler(r.parser, text_seen);
    XML_SetEntityDeclHandler(r.parser, entity_seen);
    if (XML_Parse(r.parser, text, (int)n, XML_TRUE) != XML_STATUS_OK && r.status == VG_OK)
        r.status = base_fail(&r.err,
                             XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY ? VG_ERR_MEMORY
                                                                               : VG_ERR_FORMAT,
                             base_where("%s:%lu", file, XML_GetCurrentLineNumber(r.parser)), NULL,
                             "%s", XML_ErrorString(XML_GetErrorCode(r.parser)));
    XML_ParserFree(r.parser);
    if (r.status == VG_OK && !r.is_annotation)
        r.status = base_fail(&r.err, VG_ERR_FORMAT, file, NULL, "no element annotation");
    p = &c->pictures[r.picture];
    if (p->w == 0 || p->h == 0)
        p->w = p->h = 0;
    if (r.status == VG_OK)
        return name_picture(&r, err);
    if (r.status == VG_ERR_MEMORY || r.status == VG_ERR_LIMIT) {
        if (err)
            *err = r.err;
        return r.status;
    }
    c->n_pictures = r.picture; /* nothing of the file stays */
    c->n_objects = n_objects;
    c->n_points = n_points;
    c->n_classes = n_classes;
    catalogue_leave(c, VG_LEFT_FILE, "%s: %s", r.err.where, r.err.what);
    return VG_OK;
}

/* ---- lists of splits ---- */

typedef struct voc_name {
    const char *name;
    int split;
} voc_name;

typedef struct voc_lists {
    char *text[VG_N_SPLITS];
    voc_name *names; /* (n) sorted */
    size_t n, most;
} voc_lists;

static int name_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(((const voc_name *)a)->name, ((const voc_name *)b)->name) < 0;
}

static const char *find_list(const source_files *s, const char *name)
{
    char end[64];
    base_format(end, sizeof end, "/ImageSets/Main/%s.txt", name);
    for (size_t i = 0; i < s->n; i++) {
        const size_t n = strlen(s->paths[i]);
        if (n >= strlen(end) && strcmp(s->paths[i] + n - strlen(end), end) == 0)
            return s->paths[i];
    }
    return NULL;
}

static vg_status read_list(voc_lists *l, const source_files *s, int split, base_mem *mem,
                           vg_error *err)
{
    static const char *const names[VG_N_SPLITS][2] = {
        {"train", "trainval"}, {"val", NULL}, {"test", NULL}};
    const char *path = find_list(s, names[split][0]);
    size_t n_bytes, n_lines = 1;
    if (!path && names[split][1])
        path = find_list(s, names[split][1]);
    if (!path)
        return VG_OK;
    vg_status st = base_file_read(&l->text[split], &n_bytes, path, 1 << 28, mem, err);
    if (st != VG_OK)
        return st;
    char *text = l->text[split];
    for (size_t i = 0; i < n_bytes; i++)
        n_lines += text[i] == '\n';
    voc_name *wider = base_realloc(mem, l->names, (l->n + n_lines) * sizeof *wider, err);
    if (!wider)
        return VG_ERR_MEMORY;
    l->names = wider;
    for (char *at = text + base_bom_bytes(text, n_bytes), *end; at < text + n_bytes; at = end + 1) {
        end = at + strcspn(at, "\n");
        *end = '\0';
        at += strspn(at, " \t\r");
        at[strcspn(at, " \t\r")] = '\0'; /* behind a name may stand 1 or -1 */
        if (*at)
            l->names[l->n++] = (voc_name){.name = at, .split = split};
    }
    return VG_OK;
}

/* False: lists are there, and name it not. */
static bool split_of(const voc_lists *l, const char *path, int *split)
{
    char stem[NAME_BYTES];
    size_t low = 0, high = l->n;
    *split = CATALOGUE_NO_SPLIT;
    if (l->n == 0 || !base_path_stem(stem, sizeof stem, path))
        return true;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(l->names[middle].name, stem) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == l->n || strcmp(l->names[low].name, stem) != 0)
        return false;
    *split = l->names[low].split;
    return true;
}

/* ---- all files ---- */

static vg_status read_file(catalogue *c, const source_files *s, const voc_lists *lists,
                           const char *path, vg_error *err)
{
    base_map map;
    int split;
    vg_error why = {.status = VG_OK};
    if (!split_of(lists, path, &split)) {
        catalogue_leave(c, VG_LEFT_NO_SPLIT, "%s", path);
        return VG_OK;
    }
    if (split == CATALOGUE_NO_SPLIT)
        split = source_split(s, path);
    vg_status st = base_map_open(&map, path, &why);
    if (st == VG_OK && map.n_bytes > MOST_FILE_BYTES)
        st = base_fail(&why, VG_ERR_LIMIT, path, NULL, "a file of %zu bytes", map.n_bytes);
    if (st == VG_OK)
        st = source_voc_read_text(c, path, split, (const char *)map.bytes, map.n_bytes, err);
    else
        catalogue_leave(c, VG_LEFT_FILE, "%s: %s", path, why.what);
    base_map_close(&map);
    return why.status != VG_OK ? VG_OK : st;
}

static vg_status read_source(catalogue *c, const source_files *s, vg_error *err)
{
    voc_lists lists = {.n = 0};
    vg_status st = VG_OK;
    for (int i = 0; i < VG_N_SPLITS && st == VG_OK; i++)
        st = read_list(&lists, s, i, c->mem, err);
    base_sort(lists.names, lists.n, sizeof *lists.names, name_before, NULL);
    for (size_t i = 0; i < s->n && st == VG_OK; i++)
        if (source_has_suffix(s->paths[i], ".xml"))
            st = read_file(c, s, &lists, s->paths[i], err);
    base_free(lists.names);
    for (int i = 0; i < VG_N_SPLITS; i++)
        base_free(lists.text[i]);
    return st == VG_OK ? catalogue_sort_classes(c, err) : st;
}

const convert_source convert_source_voc = {.name = "voc",
                                           .help = "Pascal VOC: an XML file a picture",
                                           .sureness = 2,
                                           .suffix = ".xml",
                                           .words = {"<annotation"},
                                           .least_words = 1,
                                           .read = read_source,
                                           .file_names_picture = true};
