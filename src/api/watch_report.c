/* watch_report.c: vg_watch_report over the reports of src/watch. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vigil/watch.h"
#include "watch/watch.h"

static vg_status write_out(const char *target, const base_str *text, vg_error *err)
{
    if (strcmp(target, "-") != 0)
        return base_file_replace(target, text->text, text->length, err);
    if (fwrite(text->text, 1, text->length, stdout) != text->length || fflush(stdout) != 0)
        return base_fail_errno(err, VG_ERR_IO, "standard output", NULL, "cannot write the report");
    return VG_OK;
}

vg_status vg_watch_report(const char *path, vg_watch_report_form form, const char *target,
                          vg_error *err)
{
    base_mem mem = {.tag = "report"};
    base_str text = {0};
    watch_story *story = base_alloc(&mem, sizeof *story, err);
    if (story == NULL)
        return VG_ERR_MEMORY;
    vg_status st = watch_report_load(story, path, &mem, err);
    if (st == VG_OK && story->n_samples == 0)
        st = base_fail(err, VG_ERR_FORMAT, path, "wait for the guard's first samples",
                       "nothing has been sampled yet");
    if (st != VG_OK)
        goto done;
    switch (form) {
    case VG_WATCH_REPORT_HTML:
        st = watch_report_html(&text, story, &mem, err);
        break;
    case VG_WATCH_REPORT_JSON:
        st = watch_report_json(&text, story, &mem, err);
        break;
    case VG_WATCH_REPORT_TEXT:
        st = watch_report_text(&text, story, &mem, err);
        break;
    default:
        st = base_fail(err, VG_ERR_ARGUMENT, "form", NULL, "no such form of a report: %d",
                       (int)form);
    }
    if (st == VG_OK)
        st = write_out(target, &text, err);
done:
    base_str_fini(&text);
    base_free(story);
    return st;
}
