/* label.c: "0 0.5 0.25 0.1 0.2 0.875 7", and a box's other words. */
#include "label.h"

#include <inttypes.h>

static vg_status put(void *to, vg_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const vg_status st = sink_text_vadd(to, err, format, args);
    va_end(args);
    return st;
}

task_writer stream_label_writer(sink_text *t, const char *gap, size_t most_points)
{
    return (task_writer){.put = put, .to = t, .gap = gap, .most_points = most_points};
}

bool stream_rows_any(const stream_rows *r)
{
    return r->n > 0 || r->extras->n_top > 0;
}

const char *stream_rows_name(const stream_rows *r, int class_index)
{
    return class_index >= 0 && (size_t)class_index < r->names.n
               ? r->names.at(r->names.context, (size_t)class_index)
               : "";
}

static task_row row_of(const stream_rows *r, size_t i)
{
    return (task_row){.box = &r->boxes[i], .extras = r->extras, .index = i, .w = r->w, .h = r->h};
}

vg_status stream_rows_add(sink_text *t, const stream_rows *r, bool with_conf, vg_error *err)
{
    const task_writer w = stream_label_writer(t, " ", 0);
    const task_rows rows = {.boxes = r->boxes,
                            .n = r->n,
                            .ids = r->ids,
                            .extras = r->extras,
                            .w = r->w,
                            .h = r->h,
                            .name_at = r->names.at,
                            .names = r->names.context,
                            .n_names = r->names.n};
    return task_put_labels(&w, &rows, with_conf, err);
}

vg_status stream_rows_add_json(sink_text *t, const stream_rows *r, size_t i, vg_error *err)
{
    const task *kind = task_of(r->extras->task);
    const vg_detection *box = &r->boxes[i];
    vg_status st = sink_text_add(t, err, "{\"class\": %d, \"name\": ", box->class_index);
    if (st == VG_OK)
        st = sink_text_add_json(t, stream_rows_name(r, box->class_index), err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ", \"confidence\": %.6g, \"xyxy\": [%.7g, %.7g, %.7g, %.7g]",
                           (double)box->confidence, (double)box->x1, (double)box->y1,
                           (double)box->x2, (double)box->y2);
    if (st == VG_OK && r->ids != NULL)
        st = sink_text_add(t, err, ", \"id\": %" PRId64, r->ids[i]);
    if (st == VG_OK && kind->put_json) {
        const task_writer w = stream_label_writer(t, " ", 0);
        const task_row row = row_of(r, i);
        st = kind->put_json(&w, &row, err);
    }
    return st == VG_OK ? sink_text_add(t, err, "}") : st;
}

vg_status stream_rows_add_top(sink_text *t, const stream_rows *r, const char *gap, vg_error *err)
{
    if (!task_of(r->extras->task)->is_whole)
        return VG_OK;
    vg_status st = sink_text_add(t, err, ",%s\"top\":%s[", gap, gap);
    for (size_t i = 0; i < r->extras->n_top && st == VG_OK; i++) {
        const vg_class_score *s = &r->extras->top[i];
        st = sink_text_add(t, err, "%s%s{\"class\":%s%d,%s\"name\":%s", i == 0 ? "" : ",",
                           i == 0 ? "" : gap, gap, s->class_index, gap, gap);
        if (st == VG_OK)
            st = sink_text_add_json(t, stream_rows_name(r, s->class_index), err);
        if (st == VG_OK)
            st =
                sink_text_add(t, err, ",%s\"confidence\":%s%.6g}", gap, gap, (double)s->confidence);
    }
    return st == VG_OK ? sink_text_add(t, err, "]") : st;
}

void stream_label_text(char *text, const char *name, const int64_t *track, bool with_conf,
                       const vg_detection *box)
{
    char id[32] = "", score[16] = "";
    if (track != NULL)
        base_format(id, sizeof id, "id:%" PRId64 " ", *track);
    if (with_conf)
        base_format(score, sizeof score, " %.2f", (double)box->confidence);
    base_format(text, STREAM_LABEL_TEXT_BYTES, "%s%.140s%s", id, name, score);
}

static vg_status flush_to_file(void *file, const char *bytes, size_t n, vg_error *err)
{
    return base_file_write(file, bytes, n, err);
}

vg_status stream_rows_write(sink_text *t, const stream_rows *r, bool with_conf, const char *path,
                            vg_error *err)
{
    base_file file = BASE_FILE_NONE;
    vg_status st = base_file_create_beside(&file, path, err);
    t->length = 0;
    t->flush = flush_to_file;
    t->flush_ctx = &file;
    if (st == VG_OK)
        st = stream_rows_add(t, r, with_conf, err);
    if (st == VG_OK)
        st = sink_text_end(t, err);
    if (st == VG_OK)
        st = base_file_publish(&file, path, err);
    t->flush = NULL;
    base_file_discard(&file);
    return st;
}
