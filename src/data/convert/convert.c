/* convert.c: a source's catalogue -> its pictures found and measured, its splits settled, its rows
 * written. */
#include "convert.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "catalogue.h"
#include "finder.h"
#include "image/image.h"
#include "sources.h"
#include "writer.h"

enum { PATH_BYTES = VG_DATASET_PATH_BYTES, LEAST_OUTLINE_POINTS = 3 };

typedef struct job {
    const data_convert_options *o;
    const convert_source *source;
    char output[PATH_BYTES], root[PATH_BYTES];
    source_files files;
    base_glob_found found;
    const char *one; /* the only file */
    catalogue c;
    finder finder;
    writer writer;
    image_decoder *decoder;
    size_t *order; /* (n_objects) by picture, in the source's order */
    vg_dataset_converted *out;
    base_mem *mem;
} job;

/* ---- what is at the source ---- */

static vg_status check_options(job *j, vg_error *err)
{
    const data_convert_options *o = j->o;
    if (!o->source || !*o->source)
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a folder, or a file of annotations",
                         "no source given");
    if (!o->output || !*o->output)
        return base_fail(err, VG_ERR_ARGUMENT, "output", "name a folder that is not there yet",
                         "no output given");
    if (!(o->val >= 0 && o->val < 1))
        return base_fail(err, VG_ERR_ARGUMENT, "val", "give a part from 0 to 0.9",
                         "%g of the pictures for validation", o->val);
    if (!base_format(j->output, sizeof j->output, "%s", o->output))
        return base_fail(err, VG_ERR_LIMIT, o->output, "use a shorter path", "a path too long");
    for (size_t n = strlen(j->output); n > 1 && j->output[n - 1] == '/'; n--)
        j->output[n - 1] = '\0';
    return VG_OK;
}

/* The folder of a file; that above it, if it is one of annotations alone. */
static void find_root_of_file(job *j)
{
    char *r = j->root;
    const char *source = j->o->source;
    base_format(r, sizeof j->root, "%.*s", (int)(base_path_name(source) - source), source);
    for (size_t n = strlen(r); n > 1 && r[n - 1] == '/'; n--)
        r[n - 1] = '\0';
    if (base_equal_nocase(base_path_name(r), "annotations"))
        r[base_path_name(r) - r] = '\0';
    for (size_t n = strlen(r); n > 1 && r[n - 1] == '/'; n--)
        r[n - 1] = '\0';
    if (*r == '\0')
        base_format(r, sizeof j->root, ".");
}

static vg_status find_files(job *j, vg_error *err)
{
    char pattern[PATH_BYTES];
    struct stat info;
    if (stat(j->o->source, &info) != 0)
        return base_fail_errno(err, VG_ERR_IO, j->o->source,
                               "give a folder, or a file of annotations",
                               "no dataset can be read here");
    if (!S_ISDIR(info.st_mode)) {
        find_root_of_file(j);
        j->one = j->o->source;
        j->files = (source_files){.root = j->root, .paths = &j->one, .n = 1};
        return VG_OK;
    }
    bool fits = base_format(j->root, sizeof j->root, "%s", j->o->source);
    for (size_t n = strlen(j->root); n > 1 && j->root[n - 1] == '/'; n--)
        j->root[n - 1] = '\0';
    if (!fits || !base_glob_escape(pattern, sizeof pattern - sizeof "/**", j->root))
        return base_fail(err, VG_ERR_LIMIT, j->o->source, "use a shorter path", "a path too long");
    memcpy(pattern + strlen(pattern), "/**", sizeof "/**");
    vg_status st = base_glob(&j->found, pattern, j->mem, err);
    if (st == VG_OK && j->found.n_closed > 0)
        return base_fail(err, VG_ERR_IO, j->found.closed, "check the folder's permissions",
                         "the folder cannot be opened");
    j->files = (source_files){.root = j->root, .paths = j->found.paths, .n = j->found.n};
    return st;
}

static void list_formats(char *buf, size_t n)
{
    buf[0] = '\0';
    for (size_t i = 0; convert_sources[i]; i++) {
        const size_t used = strlen(buf);
        base_format(buf + used, n - used, "%s%s", i > 0 ? ", " : "", convert_sources[i]->name);
    }
}

static vg_status choose_source(job *j, vg_error *err)
{
    char names[256];
    const char *wanted = j->o->format;
    const bool is_auto = !wanted || !*wanted || base_equal_nocase(wanted, "auto");
    int most = 0;
    for (size_t i = 0; convert_sources[i]; i++) {
        const convert_source *s = convert_sources[i];
        const int sure = is_auto ? source_knows(s, &j->files) : base_equal_nocase(wanted, s->name);
        if (sure > most) {
            most = sure;
            j->source = s;
        }
    }
    if (j->source && j->o->keypoints && !j->source->has_keypoints)
        return base_fail(err, VG_ERR_ARGUMENT, "keypoints", "leave it out",
                         "keypoints are not read from the format %s", j->source->name);
    if (j->source)
        return VG_OK;
    list_formats(names, sizeof names);
    if (!is_auto)
        return base_fail(err, VG_ERR_ARGUMENT, "format", base_mend("one of: %s", names),
                         "no format \"%s\"", wanted);
    return base_fail(
        err, VG_ERR_FORMAT, j->o->source,
        base_mend("give --format (one of: %s), and a folder or file that has it", names),
        "no dataset of a format that is known, among %zu files", j->files.n);
}

/* ---- pictures ---- */

/* Of the file, upright. */
static vg_status measure(job *j, const char *path, int *w, int *h, vg_error *err)
{
    base_map map;
    vg_status st = base_map_open(&map, path, err);
    if (st != VG_OK)
        return st;
    st = image_probe(j->decoder, w, h, map.bytes, map.n_bytes, path, err);
    base_map_close(&map);
    return st;
}

static void leave_picture(job *j, catalogue_picture *p, vg_left why)
{
    p->is_out = true;
    catalogue_leave(&j->c, why, "%s: %s", catalogue_text(&j->c, p->from),
                    catalogue_text(&j->c, p->name));
}

static void find_picture(job *j, catalogue_picture *p)
{
    vg_error err = {0};
    int w = 0, h = 0;
    const char *name = catalogue_text(&j->c, p->name);
    finder_answer a = finder_find(&j->finder, &p->path, name, p->split);
    if (a == FINDER_MISSING && j->source->file_names_picture) {
        char stem[PATH_BYTES];
        const char *from = catalogue_text(&j->c, p->from);
        base_format(stem, sizeof stem, "%.*s", (int)(strlen(from) - strlen(base_path_suffix(from))),
                    from);
        a = finder_find(&j->finder, &p->path, stem, p->split);
    }
    if (p->is_out && a == FINDER_FOUND)
        j->finder.used[p->path] = true; /* it is told of elsewhere why it is not taken */
    if (p->is_out)
        return;
    if (a != FINDER_FOUND) {
        leave_picture(j, p, a == FINDER_MISSING ? VG_LEFT_MISSING : VG_LEFT_AMBIGUOUS);
        return;
    }
    if (j->finder.used[p->path]) {
        leave_picture(j, p, VG_LEFT_TWICE);
        return;
    }
    j->finder.used[p->path] = true;
    if (measure(j, j->finder.paths[p->path], &w, &h, &err) != VG_OK) {
        p->is_out = true;
        catalogue_leave(&j->c, VG_LEFT_BROKEN, "%s: %s", j->finder.paths[p->path], err.what);
    } else if (p->w == h && p->h == w && w != h) {
        leave_picture(j, p, VG_LEFT_TURNED);
    } else if (p->w == 0) {
        p->w = w;
        p->h = h;
    }
}

static vg_status find_pictures(job *j, vg_error *err)
{
    const char *root = j->o->images && *j->o->images ? j->o->images : j->root;
    const source_files files = {.root = root};
    vg_status st = finder_open(&j->finder, root, j->mem, err);
    for (size_t i = 0; i < j->c.n_pictures && st == VG_OK; i++) {
        catalogue_picture *p = &j->c.pictures[i];
        if (j->o->wants_stop && j->o->wants_stop(j->o->ctx))
            return base_fail(err, VG_ERR_INTERRUPTED, j->o->source, NULL, "stopped by request");
        find_picture(j, p);
        if (!p->is_out && p->split == CATALOGUE_NO_SPLIT)
            p->split = source_split(&files, j->finder.paths[p->path]);
    }
    for (size_t i = 0; i < j->finder.n && st == VG_OK; i++)
        if (!j->finder.used[i])
            catalogue_leave(&j->c, VG_LEFT_UNLISTED, "%s", j->finder.paths[i]);
    return st;
}

/* ---- splits ---- */

typedef struct lot {
    uint64_t hash;
    size_t picture;
} lot;

static int lot_before(const void *a, const void *b, void *ctx)
{
    const lot *x = a, *y = b;
    (void)ctx;
    return x->hash != y->hash ? x->hash < y->hash : x->picture < y->picture;
}

/* By a hash of the name, so that the same pictures are chosen whatever comes beside them. */
static vg_status choose_val(job *j, size_t n_train, vg_error *err)
{
    size_t n = 0;
    lot *lots = base_alloc_zero(j->mem, n_train, sizeof *lots, err);
    if (!lots)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < j->c.n_pictures; i++) {
        const catalogue_picture *p = &j->c.pictures[i];
        if (p->is_out || p->split != VG_TRAIN)
            continue;
        const char *name = base_path_name(j->finder.paths[p->path]);
        lots[n++] = (lot){.hash = base_hash(BASE_HASH_START, name, strlen(name)), .picture = i};
    }
    base_sort(lots, n, sizeof *lots, lot_before, NULL);
    size_t n_val = (size_t)rint((double)n * j->o->val);
    n_val = n_val == 0 ? 1 : n_val;
    for (size_t i = 0; i < n_val && i + 1 < n; i++)
        j->c.pictures[lots[i].picture].split = VG_VAL;
    j->out->val_was_chosen = true;
    base_free(lots);
    return VG_OK;
}

static vg_status settle_splits(job *j, vg_error *err)
{
    size_t n[VG_N_SPLITS] = {0};
    for (size_t i = 0; i < j->c.n_pictures; i++) {
        catalogue_picture *p = &j->c.pictures[i];
        if (p->split == CATALOGUE_NO_SPLIT)
            p->split = VG_TRAIN;
        n[p->split] += !p->is_out;
    }
    if (n[VG_TRAIN] + n[VG_VAL] + n[VG_TEST] == 0) {
        for (int i = 0; i < VG_N_LEFT; i++)
            if (j->c.left[i].n > 0 && i >= VG_LEFT_FILE)
                return base_fail(err, VG_ERR_FORMAT, j->c.left[i].first,
                                 "give the folder of the pictures by --images",
                                 "no picture is left; %s: %zu", j->c.left[i].what, j->c.left[i].n);
        return base_fail(err, VG_ERR_FORMAT, j->o->source, "give the folder that has them",
                         "no picture in it");
    }
    return n[VG_VAL] == 0 && n[VG_TRAIN] > 1 && j->o->val > 0 ? choose_val(j, n[VG_TRAIN], err)
                                                              : VG_OK;
}

/* ---- rows ---- */

/* Corners into the picture. False: nothing is left. *clipped: it reached beyond it. */
static bool clip_box(double xywh[4], const catalogue_picture *p, bool *clipped)
{
    const double side[2] = {p->w, p->h};
    for (int axis = 0; axis < 2; axis++) {
        const double slack = 1e-6 * side[axis];
        double low = xywh[axis] - xywh[axis + 2] / 2, high = xywh[axis] + xywh[axis + 2] / 2;
        if (!(xywh[axis + 2] > 0) || !(high > 0) || !(low < side[axis]))
            return false;
        if (low < -slack || high > side[axis] + slack) {
            *clipped = true;
            low = low < 0 ? 0 : low;
            high = high > side[axis] ? side[axis] : high;
            xywh[axis] = (low + high) / 2;
            xywh[axis + 2] = high - low;
        }
        xywh[axis] /= side[axis];
        xywh[axis + 2] = fmin(xywh[axis + 2] / side[axis], 1);
    }
    return xywh[2] > 0 && xywh[3] > 0;
}

static double share(float v, int side)
{
    return fmin(fmax((double)v / side, 0), 1);
}

/* Its points in the picture still enclose something. */
static bool outline_has_area(const catalogue *c, const catalogue_object *o,
                             const catalogue_picture *p)
{
    double low[2] = {1, 1}, high[2] = {0, 0};
    for (size_t i = 0; i < o->n_points; i++)
        for (int axis = 0; axis < 2; axis++) {
            const double v =
                share(c->points[2 * (o->first_point + i) + (size_t)axis], axis ? p->h : p->w);
            low[axis] = fmin(low[axis], v);
            high[axis] = fmax(high[axis], v);
        }
    return o->n_points >= LEAST_OUTLINE_POINTS && high[0] - low[0] > 1e-6 &&
           high[1] - low[1] > 1e-6;
}

/* Seven digits: what a float32 holds, so that rows that were read are written as they were. */
#define ROW_NUMBER "%.7g"

enum { MOST_ROW_BYTES = 64 << 20 }; /* of a label file that vigil reads */

/* A box and its keypoints; those that are not labelled as 0 0 0. */
static vg_status add_keypoints(job *j, const catalogue_object *o, const catalogue_picture *p,
                               const double b[4], vg_error *err)
{
    base_str *s = &j->writer.text;
    vg_status st = base_str_add(s, MOST_ROW_BYTES, j->mem, err,
                                "%d " ROW_NUMBER " " ROW_NUMBER " " ROW_NUMBER " " ROW_NUMBER,
                                o->class_index, b[0], b[1], b[2], b[3]);
    for (size_t k = 0; k < (size_t)j->c.n_keypoints && st == VG_OK; k++) {
        const float *at = j->c.keypoints + 3 * (o->first_point + k);
        const bool is_labelled = at[2] > 0;
        st =
            base_str_add(s, MOST_ROW_BYTES, j->mem, err, " " ROW_NUMBER " " ROW_NUMBER " %d",
                         is_labelled ? share(at[0], p->w) : 0, is_labelled ? share(at[1], p->h) : 0,
                         is_labelled ? (at[2] >= 2 ? 2 : 1) : 0);
    }
    return st == VG_OK ? base_str_add(s, MOST_ROW_BYTES, j->mem, err, "\n") : st;
}

static vg_status add_row(job *j, const catalogue_object *o, const catalogue_picture *p,
                         vg_error *err)
{
    base_str *s = &j->writer.text;
    double b[4];
    bool clipped = false;
    memcpy(b, o->xywh, sizeof b);
    if (!clip_box(b, p, &clipped)) {
        catalogue_leave(&j->c, VG_LEFT_NO_AREA, "%s: %s", catalogue_text(&j->c, p->from),
                        catalogue_text(&j->c, p->name));
        return VG_OK;
    }
    j->out->n_clipped += clipped;
    j->out->n_objects[p->split]++;
    if (j->o->keypoints)
        return add_keypoints(j, o, p, b, err);
    if (!outline_has_area(&j->c, o, p))
        return base_str_add(s, MOST_ROW_BYTES, j->mem, err,
                            "%d " ROW_NUMBER " " ROW_NUMBER " " ROW_NUMBER " " ROW_NUMBER "\n",
                            o->class_index, b[0], b[1], b[2], b[3]);
    j->out->n_polygons++;
    vg_status st = base_str_add(s, MOST_ROW_BYTES, j->mem, err, "%d", o->class_index);
    for (size_t i = 0; i < o->n_points && st == VG_OK; i++) {
        const float *at = j->c.points + 2 * (o->first_point + i);
        /* Corners of a turned box may lie beyond the edge: cut off they were another box. */
        const bool stays = j->source->is_turned && !clipped;
        st = base_str_add(s, MOST_ROW_BYTES, j->mem, err, " " ROW_NUMBER " " ROW_NUMBER,
                          stays ? (double)at[0] / p->w : share(at[0], p->w),
                          stays ? (double)at[1] / p->h : share(at[1], p->h));
    }
    return st == VG_OK ? base_str_add(s, MOST_ROW_BYTES, j->mem, err, "\n") : st;
}

/* Objects by picture, those of one in the order of the source. */
static vg_status sort_objects(job *j, vg_error *err)
{
    const catalogue *c = &j->c;
    j->order = base_alloc_zero(j->mem, c->n_objects, sizeof *j->order, err);
    size_t *next = j->order ? base_alloc_zero(j->mem, c->n_pictures, sizeof *next, err) : NULL;
    if (!next)
        return VG_ERR_MEMORY;
    for (size_t i = 1; i < c->n_pictures; i++)
        next[i] = next[i - 1] + c->pictures[i - 1].n_objects;
    for (size_t i = 0; i < c->n_objects; i++)
        j->order[next[c->objects[i].picture]++] = i;
    base_free(next);
    return VG_OK;
}

static vg_status write_pictures(job *j, vg_error *err)
{
    size_t first = 0;
    vg_status st = VG_OK;
    for (size_t i = 0; i < j->c.n_pictures && st == VG_OK; i++) {
        const catalogue_picture *p = &j->c.pictures[i];
        const size_t begin = first;
        first += p->n_objects;
        if (p->is_out)
            continue;
        if (j->o->wants_stop && j->o->wants_stop(j->o->ctx))
            return base_fail(err, VG_ERR_INTERRUPTED, j->o->source, NULL, "stopped by request");
        j->writer.text.length = 0;
        for (size_t k = begin; k < first && st == VG_OK; k++)
            st = add_row(j, &j->c.objects[j->order[k]], p, err);
        j->out->n_empty += j->writer.text.length == 0;
        j->out->n_pictures[p->split]++;
        if (st == VG_OK)
            st = writer_add(&j->writer, p->split, j->finder.paths[p->path], err);
    }
    return st;
}

/* ---- the whole ---- */

static vg_status read_source(job *j, vg_error *err)
{
    vg_status st = check_options(j, err);
    if (st == VG_OK)
        st = find_files(j, err);
    if (st == VG_OK)
        st = choose_source(j, err);
    if (st == VG_OK)
        st = writer_check(j->output, err);
    if (st == VG_OK)
        st = image_decoder_create(&j->decoder, NULL, j->mem, err);
    if (st == VG_OK)
        st = j->source->read(&j->c, &j->files, err);
    if (st == VG_OK && j->c.n_classes == 0)
        st = base_fail(err, VG_ERR_FORMAT, j->o->source, "label something first", "no class in it");
    if (st == VG_OK)
        st = find_pictures(j, err);
    return st == VG_OK ? settle_splits(j, err) : st;
}

static vg_status write_output(job *j, vg_error *err)
{
    vg_status st = sort_objects(j, err);
    if (st == VG_OK)
        st = writer_open(&j->writer, j->output, j->o->pictures, j->out, j->mem, err);
    if (st == VG_OK)
        st = write_pictures(j, err);
    return st == VG_OK ? writer_finish(&j->writer, &j->c, j->source->name, err) : st;
}

static void fill(job *j)
{
    vg_dataset_converted *out = j->out;
    out->format = j->source->name;
    out->n_classes = j->c.n_classes;
    out->n_joined = j->c.n_joined;
    out->n_difficult = j->c.n_difficult;
    out->peak_bytes = j->mem->peak_bytes;
    memcpy(out->left, j->c.left, sizeof out->left);
    base_format(out->data, sizeof out->data, "%s/data.yaml", j->output);
    for (size_t i = 0; i < j->c.n_classes && j->o->class_named; i++) {
        const int64_t id = j->c.classes[i].id;
        j->o->class_named(j->o->ctx, (int)i, catalogue_text(&j->c, j->c.classes[i].name),
                          id == CATALOGUE_NO_ID ? "" : base_text_make("%lld", (long long)id).text);
    }
}

vg_status data_convert(vg_dataset_converted *out, const data_convert_options *o, base_mem *mem,
                       vg_error *err)
{
    *out = (vg_dataset_converted){.format = ""};
    job j = {.o = o, .out = out, .mem = mem, .c = {.options = o, .mem = mem}};
    vg_status st = read_source(&j, err);
    if (st == VG_OK)
        st = write_output(&j, err);
    if (st == VG_OK)
        fill(&j);
    writer_close(&j.writer);
    finder_close(&j.finder);
    catalogue_fini(&j.c);
    image_decoder_destroy(&j.decoder);
    base_free(j.order);
    base_glob_fini(&j.found);
    return st;
}
