/* coco_json.c: a JSON list, an object a detection, written as it comes. */
#include "coco_json.h"

#include <math.h>

#include "number.h"

enum {
    MOST_STEM_BYTES = 1024,
    MOST_ID_BYTES = 6 * MOST_STEM_BYTES + 3, /* \u00xx, quotes, end */
};

struct report_coco {
    const int *category_ids; /* (nc) or NULL */
    int nc;
    bool has_objects;
    report_text text;
};

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

vg_status report_coco_put_bbox(report_text *t, const vg_detection *b, vg_error *err)
{
    char n[4][REPORT_NUMBER_BYTES];
    return report_text_put(t, err, ", \"bbox\": [%s, %s, %s, %s]",
                           report_number_short(n[0], 3, (double)b->x1),
                           report_number_short(n[1], 3, (double)b->y1),
                           report_number_short(n[2], 3, (double)(b->x2 - b->x1)),
                           report_number_short(n[3], 3, (double)(b->y2 - b->y1)));
}

vg_status report_coco_put_score(report_text *t, const vg_detection *b, vg_error *err)
{
    char n[REPORT_NUMBER_BYTES];
    return report_text_put(t, err, ", \"score\": %s",
                           report_number_short(n, 5, (double)b->confidence));
}

vg_status report_coco_put_numbers(report_text *t, const char *name, const float *values, size_t n,
                                  vg_error *err)
{
    char text[REPORT_NUMBER_BYTES];
    vg_status st = report_text_put(t, err, ", \"%s\": [", name);
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        if (!isfinite(values[i]))
            return base_fail(err, VG_ERR_ARGUMENT, name, "check the weights for NaN",
                             "a number that is none, which JSON cannot hold");
        st = report_text_put(t, err, "%s%s", i == 0 ? "" : ", ",
                             report_number_short(text, 3, (double)values[i]));
    }
    return st == VG_OK ? report_text_put(t, err, "]") : st;
}

static vg_status put_object(report_coco *c, const char *id, const vg_detection *boxes, size_t i,
                            const report_coco_fields *f, vg_error *err)
{
    const vg_detection *b = &boxes[i];
    vg_status st = report_text_put(
        &c->text, err, "%s{\"image_id\": %s, \"category_id\": %d", c->has_objects ? ",\n" : "", id,
        c->category_ids != NULL ? c->category_ids[b->class_index] : b->class_index);
    c->has_objects = true;
    if (st == VG_OK && f != NULL)
        st = f->put(f->ctx, &c->text, i, err);
    if (st == VG_OK && f == NULL)
        st = report_coco_put_bbox(&c->text, b, err);
    if (st == VG_OK && f == NULL)
        st = report_coco_put_score(&c->text, b, err);
    return st == VG_OK ? report_text_put(&c->text, err, "}") : st;
}

vg_status report_coco_create(report_coco **out, const char *path, const int *category_ids, int nc,
                             base_mem *mem, vg_error *err)
{
    *out = NULL;
    report_coco *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->category_ids = category_ids;
    c->nc = nc;
    vg_status st = report_text_begin(&c->text, path, err);
    if (st == VG_OK)
        st = report_text_put(&c->text, err, "[");
    if (st != VG_OK)
        report_coco_destroy(&c);
    *out = c;
    return st;
}

vg_status report_coco_add(report_coco *c, const char *picture, const vg_detection *boxes,
                          size_t n_boxes, const report_coco_fields *fields, vg_error *err)
{
    char id[MOST_ID_BYTES];
    vg_status st = format_id(id, picture, err);
    for (size_t i = 0; i < n_boxes && st == VG_OK; i++)
        st = check(c, picture, &boxes[i], err);
    for (size_t i = 0; i < n_boxes && st == VG_OK; i++)
        st = put_object(c, id, boxes, i, fields, err);
    return st;
}

vg_status report_coco_commit(report_coco *c, vg_error *err)
{
    const vg_status st = report_text_put(&c->text, err, "]\n");
    return st == VG_OK ? report_text_end(&c->text, true, err) : st;
}

void report_coco_destroy(report_coco **coco)
{
    report_coco *c = *coco;
    if (c == NULL)
        return;
    report_text_discard(&c->text);
    base_free(c);
    *coco = NULL;
}
