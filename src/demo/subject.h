/* subject.h: what the demo draws for a task: a row of the table in subjects.c, a file each. */
#ifndef DEMO_SUBJECT_H
#define DEMO_SUBJECT_H

#include "outline.h"
#include "vigil/types.h"

/* A picture and what is said of it; what one thread draws with. A zeroed one is valid. */
typedef struct demo_sheet {
    demo_canvas canvas;
    demo_outline outline;
    image_buffer picture;
    base_str rows;    /* of the label file */
    size_t n_objects; /* labelled in it */
    int class_index;  /* of the picture as a whole; for tasks of class folders */
} demo_sheet;
void demo_sheet_fini(demo_sheet *s);
/* An empty canvas, and room for the picture that is developed from it. Errors: VG_ERR_MEMORY. */
vg_status demo_sheet_begin(demo_sheet *s, int w, int h, base_mem *mem, vg_error *err);
/* The picture of what was painted; the film is drawn by lot. */
void demo_sheet_develop(demo_sheet *s, demo_dice *dice, uint32_t salt);

enum { DEMO_ROWS_MOST = 1 << 20 }; /* bytes of a label file */

/* Adds to a row, or ends it. */
vg_status demo_row_add(demo_sheet *s, base_mem *mem, vg_error *err, const char *format, ...)
    VG_PRINTF(4, 5);

typedef enum demo_part { DEMO_TRAIN, DEMO_VAL, DEMO_UNSEEN, DEMO_N_PARTS } demo_part;

typedef struct demo_subject {
    vg_demo_subject about; /* what people are told of it */
    const char *stem;      /* of file names */
    const char *const *class_names;
    int n_classes;
    int sizes[DEMO_N_PARTS][2]; /* of pictures; unseen ones are for people's eyes */
    const char *yaml;           /* what else the YAML says: lines, or "" */
    bool in_class_folders;      /* no label files: a folder a class, and no YAML */
    /* Draws picture `number` of `seed` at w x h into s, and its rows: the same on every machine,
     * but for the last bit of its maths library. Errors: VG_ERR_MEMORY, VG_ERR_LIMIT. */
    vg_status (*draw)(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err);
} demo_subject;

/* In the order of vg_task. */
extern const demo_subject *const demo_subjects[VG_N_TASKS];
/* The recipe is made for a hundred thousand pictures and days; this is for minutes: small batches
 * with a step each, and no mosaics, for a shelf is full as it is. All else is the default. */
extern const vg_demo_argument demo_minutes[];

extern const demo_subject demo_subject_detect, demo_subject_segment, demo_subject_pose,
    demo_subject_obb, demo_subject_classify;

#endif
