/* files.c: names that are the same for who writes a file and who tells of it. */
#include "files.h"

#include <inttypes.h>

#include "json.h"

bool stream_snapshot_path(char *path, size_t n, const char *folder, const char *stem,
                          uint64_t event)
{
    return base_format(path, n, "%s%ssnapshots/%s-%" PRIu64 ".jpg", folder,
                       *folder != '\0' ? "/" : "", stem, event);
}

bool stream_label_path(char *path, size_t n, const char *folder, const char *stem, uint64_t index)
{
    return base_format(path, n, "%s/labels/%s_%" PRIu64 ".txt", folder, stem, index + 1);
}

bool stream_crop_path(char *path, size_t n, const char *folder, const char *class_name,
                      const char *stem, uint64_t index, int number)
{
    char name[256];
    base_name_clean(name, sizeof name, class_name);
    return base_format(path, n, "%s/crops/%s/%s_%" PRIu64 "-%d.jpg", folder, name, stem, index + 1,
                       number);
}

size_t stream_line_bytes(const stream_setting *s)
{
    return stream_json_bytes(s) + 1;
}

vg_status stream_line_make(sink_text *t, const stream_setting *s, const stream_result *r,
                           vg_error *err)
{
    t->length = 0;
    const vg_status st = stream_json_result(t, s, r, err);
    return st == VG_OK ? sink_text_add(t, err, "\n") : st;
}
