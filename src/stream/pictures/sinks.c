/* sinks.c: the table of sinks, in the order in which they see a result, and names of files. */
#include <string.h>

#include "sink.h"

extern const sink sink_txt, sink_json, sink_crop, sink_picture;

/* sink_picture draws into the pixels, so it comes last. */
const sink *const sinks[] = {&sink_txt, &sink_json, &sink_crop, &sink_picture};
const size_t n_sinks = sizeof sinks / sizeof *sinks;

bool sink_path(char *path, size_t n, const sink_setting *s, const char *sub, const picture_entry *e,
               const char *suffix)
{
    char stem[512], twin[24] = "";
    if (strcmp(e->path, "-") == 0)
        base_format(stem, sizeof stem, "stdin");
    else if (!base_path_stem(stem, sizeof stem, e->path))
        return false;
    if (e->twin > 0)
        base_format(twin, sizeof twin, "-%d", e->twin);
    return base_format(path, n, "%s/%s%s%s%s%s", s->folder, sub, *sub ? "/" : "", stem, twin,
                       suffix);
}

const char *sink_picture_suffix(const char *source)
{
    return base_equal_nocase(base_path_suffix(source), ".png") ? ".png" : ".jpg";
}

stream_rows sink_rows(const sink_setting *s, const sink_item *item)
{
    const vg_predict_result *r = item->result;
    return (stream_rows){.boxes = r->detections,
                         .n = r->n_detections,
                         .extras = &r->extras,
                         .w = r->width,
                         .h = r->height,
                         .names =
                             s->detector ? stream_detector_names(s->detector) : (image_names){0}};
}
