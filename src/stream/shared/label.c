/* label.c: "0 0.5 0.25 0.1 0.2 0.875 7", and a box's other words. */
#include "label.h"

#include <inttypes.h>

vg_status stream_label_add(sink_text *t, const vg_detection *box, int w, int h, bool with_conf,
                           const int64_t *track, vg_error *err)
{
    const float fw = (float)w, fh = (float)h;
    vg_status st = sink_text_add(
        t, err, "%d %g %g %g %g", box->class_index, (double)((box->x1 + box->x2) / 2 / fw),
        (double)((box->y1 + box->y2) / 2 / fh), (double)((box->x2 - box->x1) / fw),
        (double)((box->y2 - box->y1) / fh));
    if (st == VG_OK && with_conf)
        st = sink_text_add(t, err, " %g", (double)box->confidence);
    if (st == VG_OK && track != NULL)
        st = sink_text_add(t, err, " %" PRId64, *track);
    return st == VG_OK ? sink_text_add(t, err, "\n") : st;
}

vg_status stream_label_add_json(sink_text *t, const vg_detection *box, const char *name,
                                const int64_t *track, vg_error *err)
{
    vg_status st = sink_text_add(t, err, "{\"class\": %d, \"name\": ", box->class_index);
    if (st == VG_OK)
        st = sink_text_add_json(t, name, err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ", \"confidence\": %.6g, \"xyxy\": [%.7g, %.7g, %.7g, %.7g]",
                           (double)box->confidence, (double)box->x1, (double)box->y1,
                           (double)box->x2, (double)box->y2);
    if (st == VG_OK && track != NULL)
        st = sink_text_add(t, err, ", \"id\": %" PRId64, *track);
    return st == VG_OK ? sink_text_add(t, err, "}") : st;
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

vg_status stream_label_write(const sink_text *t, const char *path, vg_error *err)
{
    base_file file = BASE_FILE_NONE;
    vg_status st = base_file_create_beside(&file, path, err);
    if (st == VG_OK)
        st = base_file_write(&file, t->bytes, t->length, err);
    if (st == VG_OK)
        st = base_file_publish(&file, path, err);
    base_file_discard(&file);
    return st;
}
