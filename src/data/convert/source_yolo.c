/* source_yolo.c: folders of YOLO's rows without a YAML: Label Studio's and labelImg's
 * (classes.txt), CVAT's "YOLO 1.1" and darknet's (obj.names), Roboflow's darknet (_darknet.labels).
 * Label files are found and read as in training, so what would be refused there is left out here.
 */
#include <string.h>

#include "../labels.h"
#include "sources.h"

enum { MOST_NAMES_BYTES = 16 << 20, MOST_LABEL_BYTES = 64 << 20 };

/* A file of names: the one that lies least deep. */
static const char *find_names(const source_files *s)
{
    static const char *const names[] = {"classes.txt", "obj.names", "_darknet.labels"};
    const char *found = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < s->n; i++) {
        const char *name = base_path_name(s->paths[i]);
        bool is_one = source_has_suffix(name, ".names");
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            is_one |= base_equal_nocase(name, names[k]);
        if (is_one && strlen(s->paths[i]) < least) {
            least = strlen(s->paths[i]);
            found = s->paths[i];
        }
    }
    return found;
}

/* A name a line; empty lines behind the last mean nothing. */
static vg_status read_names(catalogue *c, const char *path, vg_error *err)
{
    char *text = NULL;
    size_t n;
    int line = 0, n_empty = 0;
    vg_status st = base_file_read(&text, &n, path, MOST_NAMES_BYTES, c->mem, err);
    if (st == VG_OK && base_is_utf16(text, n))
        st = base_fail(err, VG_ERR_FORMAT, path, "save the file as UTF-8", "names in UTF-16");
    char *at = st == VG_OK ? text + base_bom_bytes(text, n) : NULL;
    for (char *end; st == VG_OK && at < text + n; at = end + 1) {
        end = at + strcspn(at, "\n");
        *end = '\0';
        line++;
        at += strspn(at, " \t\r");
        for (size_t k = strlen(at); k > 0 && strchr(" \t\r", at[k - 1]); k--)
            at[k - 1] = '\0';
        n_empty += *at == '\0';
        if (*at != '\0' && n_empty > 0)
            st = base_fail(err, VG_ERR_FORMAT, base_where("%s:%d", path, line - 1),
                           "give every class a name, a line each", "an empty line among the names");
        else if (*at != '\0')
            st = catalogue_add_class(c, line - 1, at, err);
    }
    base_free(text);
    return st;
}

/* ---- rows ---- */

static vg_status add_rows(catalogue *c, const label_sink *sink, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < sink->n_labels && st == VG_OK; i++) {
        const data_label *l = &sink->labels[i];
        catalogue_object o = {.picture = c->n_pictures - 1,
                              .class_index = l->class_index,
                              .first_point = c->n_points};
        for (int k = 0; k < 4; k++)
            o.xywh[k] = l->xywh_norm[k];
        const size_t n = c->options->polygons ? l->n_points : 0;
        for (size_t k = 0; k < n && st == VG_OK; k++) {
            const float *p = sink->points + 2 * (l->first_point + k);
            st = catalogue_add_point(c, p[0], p[1], err);
        }
        o.n_points = (uint32_t)n;
        if (st == VG_OK)
            st = catalogue_add_object(c, &o, err);
    }
    return st;
}

static vg_status read_picture(catalogue *c, const source_files *s, const char *path,
                              label_sink *sink, vg_error *err)
{
    char label[DATA_PATH_BYTES];
    char *text = NULL;
    size_t n = 0;
    vg_error why = {.status = VG_OK};
    const label_form form = {.kind = &DATA_BOXES, .nc = (int)c->n_classes};
    label_text_result result;
    catalogue_picture *p;
    sink->n_labels = sink->n_points = 0;
    vg_status st = VG_OK;
    const bool has_label = data_label_find(label, sizeof label, path) && base_path_exists(label);
    if (has_label)
        st = base_file_read(&text, &n, label, MOST_LABEL_BYTES, c->mem, &why);
    if (has_label && st == VG_OK)
        st = label_text_parse(sink, &result, text, n, &form, label, c->mem, &why);
    base_free(text);
    if (st == VG_ERR_MEMORY && err)
        *err = why;
    if (st == VG_ERR_MEMORY)
        return st;
    if (st != VG_OK)
        catalogue_leave(c, VG_LEFT_FILE, "%s: %s", why.where, why.what);
    st = catalogue_add_picture(c, path, has_label ? label : path, source_split(s, path), &p, err);
    if (st != VG_OK)
        return st;
    p->w = p->h = 1;
    p->is_out = why.status != VG_OK;
    return add_rows(c, sink, err);
}

static vg_status read_source(catalogue *c, const source_files *s, vg_error *err)
{
    label_sink sink = {0};
    const char *names = find_names(s);
    if (!names)
        return base_fail(
            err, VG_ERR_FORMAT, s->root,
            "write a file classes.txt there, a name a line in the order of the numbers",
            "no file of the names of classes");
    vg_status st = read_names(c, names, err);
    for (size_t i = 0; i < s->n && st == VG_OK; i++)
        if (image_is_picture_name(s->paths[i]))
            st = read_picture(c, s, s->paths[i], &sink, err);
    label_sink_fini(&sink);
    return st;
}

static bool is_there(const source_files *s)
{
    return find_names(s) != NULL;
}

const convert_source convert_source_yolo = {
    .name = "yolo",
    .help = "folders of YOLO's rows with classes.txt or obj.names, without a YAML",
    .sureness = 1,
    .is_there = is_there,
    .read = read_source};
