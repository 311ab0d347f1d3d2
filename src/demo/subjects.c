/* subjects.c: the table of what the demo draws, a row a task, and what the rows share. */
#include "subject.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* In the order of vg_task: nobody asks here which task it is. */
const demo_subject *const demo_subjects[VG_N_TASKS] = {
    &demo_subject_detect, &demo_subject_segment,  &demo_subject_pose,
    &demo_subject_obb,    &demo_subject_classify,
};

const vg_demo_argument demo_minutes[] = {
    {"batch", "8"},          {"nbs", "8"},        {"optimizer", "AdamW"},
    {"lr0", "0.0015"},       {"momentum", "0.9"}, {"warmup_epochs", "1"},
    {"warmup_bias_lr", "0"}, {"mosaic", "0"},     {"scale", "0.3"},
    {"cache", "ram"},        {NULL, NULL}};

void demo_sheet_fini(demo_sheet *s)
{
    demo_canvas_fini(&s->canvas);
    demo_outline_fini(&s->outline);
    image_buffer_fini(&s->picture);
    base_str_fini(&s->rows);
}

vg_status demo_sheet_begin(demo_sheet *s, int w, int h, base_mem *mem, vg_error *err)
{
    const vg_status st = demo_canvas_begin(&s->canvas, w, h, mem, err);
    return st == VG_OK ? image_buffer_reserve(&s->picture, w, h, mem, err) : st;
}

void demo_sheet_develop(demo_sheet *s, demo_dice *dice, uint32_t salt)
{
    const demo_film film = demo_film_make(dice, salt);
    demo_develop(&s->picture.view, &s->canvas, &film);
}

vg_status demo_row_add(demo_sheet *s, base_mem *mem, vg_error *err, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    assert(n >= 0 && (size_t)n < sizeof text);
    return base_str_add_bytes(&s->rows, DEMO_ROWS_MOST, text, (size_t)n, mem, err);
}
