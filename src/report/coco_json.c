/* coco_json.c: a JSON list, an object a detection, written as it comes. */
#include "coco_json.h"

#include <assert.h>
#include <math.h>

#include "number.h"

enum {
    BUFFER_BYTES = 64 * 1024,
    MOST_STEM_BYTES = 1024,
    MOST_ID_BYTES = 6 * MOST_STEM_BYTES + 3, /* \u00xx, quotes, end */
    MOST_OBJECT_BYTES = MOST_ID_BYTES + 1024,
};

struct report_coco {
    base_file file;
    const int *category_ids; /* (nc) or NULL */
    int nc;
    bool has_objects;
    size_t n_waiting;
    char path[4096];
    char buffer[BUFFER_BYTES];
};

static vg_status drain(report_coco *c, vg_error *err)
{
    size_t n = c->n_waiting;
    c->n_waiting = 0;
    return base_file_write(&c->file, c->buffer, n, err);
}

static vg_status put(report_coco *c, const char *text, vg_error *err)
{
    size_t n = strlen(text);
    vg_status st = n > sizeof c->buffer - c->n_waiting ? drain(c, err) : VG_OK;
    if (st != VG_OK)
        return st;
    memcpy(c->buffer + c->n_waiting, text, n);
    c->n_waiting += n;
    return VG_OK;
}

/* The picture's id as JSON. */
static vg_status format_id(char *id, const char *picture, vg_error *err)
{
    char stem[MOST_STEM_BYTES];
    if (!base_path_stem(stem, sizeof stem, picture) || !base_is_utf8(stem))
        return base_fail(err, VG_ERR_ARGUMENT, picture, "rename the file",
                         "a picture's name that is not UTF-8, or longer than %d bytes",
                         MOST_STEM_BYTES - 1);
    if (stem[0] != '\0' && strspn(stem, "0123456789") == strlen(stem)) {
        const char *digits = stem + strspn(stem, "0");
        base_format(id, MOST_ID_BYTES, "%s", *digits != '\0' ? digits : "0");
    } else {
        char escaped[MOST_ID_BYTES - 2];
        base_json_escape(escaped, sizeof escaped, stem);
        base_format(id, MOST_ID_BYTES, "\"%s\"", escaped);
    }
    return VG_OK;
}

static vg_status check(const report_coco *c, const char *picture, const vg_detection *b,
                       vg_error *err)
{
    if (b->class_index < 0 || b->class_index >= c->nc)
        return base_fail(err, VG_ERR_ARGUMENT, picture, NULL, "class %d of %d (0..%d)",
                         b->class_index, c->nc, c->nc - 1);
    if (!isfinite(b->x1) || !isfinite(b->y1) || !isfinite(b->x2) || !isfinite(b->y2) ||
        !isfinite(b->confidence))
        return base_fail(err, VG_ERR_ARGUMENT, picture, "check the weights for NaN",
                         "a box that is not made of numbers, which JSON cannot hold");
    return VG_OK;
}

static vg_status put_box(report_coco *c, const char *id, const vg_detection *b, vg_error *err)
{
    char text[MOST_OBJECT_BYTES];
    char n[5][REPORT_NUMBER_BYTES];
    bool fits = base_format(
        text, sizeof text,
        "%s{\"image_id\": %s, \"category_id\": %d, \"bbox\": [%s, %s, %s, %s], \"score\": %s}",
        c->has_objects ? ",\n" : "", id,
        c->category_ids != NULL ? c->category_ids[b->class_index] : b->class_index,
        report_number_short(n[0], 3, (double)b->x1), report_number_short(n[1], 3, (double)b->y1),
        report_number_short(n[2], 3, (double)(b->x2 - b->x1)),
        report_number_short(n[3], 3, (double)(b->y2 - b->y1)),
        report_number_short(n[4], 5, (double)b->confidence));
    assert(fits); /* a float has at most 39 digits before the point */
    c->has_objects = true;
    return put(c, text, err);
}

vg_status report_coco_create(report_coco **out, const char *path, const int *category_ids, int nc,
                             base_mem *mem, vg_error *err)
{
    *out = NULL;
    report_coco *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->file = BASE_FILE_NONE;
    c->category_ids = category_ids;
    c->nc = nc;
    vg_status st = VG_OK;
    if (!base_format(c->path, sizeof c->path, "%s", path))
        st = base_fail(err, VG_ERR_LIMIT, path, "use a shorter path", "a path too long for a file");
    if (st == VG_OK)
        st = base_file_create_beside(&c->file, path, err);
    if (st == VG_OK)
        st = put(c, "[", err);
    if (st != VG_OK)
        report_coco_destroy(&c);
    *out = c;
    return st;
}

vg_status report_coco_add(report_coco *c, const char *picture, const vg_detection *boxes,
                          size_t n_boxes, vg_error *err)
{
    char id[MOST_ID_BYTES];
    vg_status st = format_id(id, picture, err);
    for (size_t i = 0; i < n_boxes && st == VG_OK; i++)
        st = check(c, picture, &boxes[i], err);
    for (size_t i = 0; i < n_boxes && st == VG_OK; i++)
        st = put_box(c, id, &boxes[i], err);
    return st;
}

vg_status report_coco_commit(report_coco *c, vg_error *err)
{
    vg_status st = put(c, "]\n", err);
    if (st == VG_OK)
        st = drain(c, err);
    return st == VG_OK ? base_file_commit(&c->file, c->path, err) : st;
}

void report_coco_destroy(report_coco **coco)
{
    report_coco *c = *coco;
    if (c == NULL)
        return;
    base_file_discard(&c->file);
    base_free(c);
    *coco = NULL;
}
