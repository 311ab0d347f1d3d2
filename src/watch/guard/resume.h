/* resume.h: the command of a restart: what makes a job go on where it was.
 *
 * In this order: what --resume-args says; vigil's and Ultralytics' own ways; the value of a
 * --resume that the command has; else the same command. Made anew from the first command each time:
 * nothing piles up. For this folder. */
#ifndef WATCH_RESUME_H
#define WATCH_RESUME_H

#include "base/base.h"

enum { WATCH_MOST_WORDS = 4096 };

typedef struct watch_resume_options {
    char *const *argv;      /* the first command, ending with NULL */
    const char *args;       /* --resume-args; "": found */
    const char *checkpoint; /* "": none */
    const char *of;         /* the job's file that the checkpoint is or stands for; NULL: itself */
    const char *run;        /* the run folder; "": the checkpoint's own */
} watch_resume_options;

/* The words of a restart, in one block: a list that ends with NULL. A zeroed one is empty. */
typedef struct watch_resume {
    char **argv;
} watch_resume;

/* why: what differs, or why nothing does. Errors: VG_ERR_ARGUMENT (an open quote, too many words),
 * VG_ERR_MEMORY. */
vg_status watch_resume_make(watch_resume *out, const watch_resume_options *o, char *why,
                            size_t n_why, base_mem *mem, vg_error *err);
void watch_resume_fini(watch_resume *r);

/* Is this the value of --resume-args? For a check before anything is started. */
vg_status watch_resume_check(const char *args, vg_error *err);

#endif
