/* options.h: every option of the guard in one table: the command line, --config, help and docs are
 * drawn from it. To add one is a field here and a row in options.c. */
#ifndef WATCH_OPTIONS_H
#define WATCH_OPTIONS_H

#include "base/base.h"

enum { WATCH_TEXT_BYTES = VG_OPTION_TEXT_BYTES };

/* What is done when something happens; several may be asked for, and are done in this order. */
typedef enum watch_action {
    WATCH_DO_NOTIFY = 1,     /* webhook, MQTT, command: whatever is given. Logging is always done */
    WATCH_DO_HOOK = 2,       /* the hook command, waited for */
    WATCH_DO_CHECKPOINT = 4, /* the signal that asks the job for a checkpoint, and wait for it */
    WATCH_DO_STOP = 8,       /* TERM, wait, KILL: the whole tree */
    WATCH_DO_RESTART = 16    /* stop, and start again from the last good checkpoint */
} watch_action;

/* A plain value; made by watch_options_default. Texts are "" where nothing is given. */
typedef struct watch_options {
    /* the job */
    int pid;
    char cgroup[WATCH_TEXT_BYTES], unit[WATCH_TEXT_BYTES];
    char run[WATCH_TEXT_BYTES];                             /* where the job writes */
    char project[WATCH_TEXT_BYTES], name[WATCH_TEXT_BYTES]; /* where the guard writes */
    bool exist_ok;
    char config[WATCH_TEXT_BYTES];
    /* measuring */
    double interval_s, duration_s; /* duration 0: as long as the job */
    bool record;                   /* trace.csv in the guard's folder */
    char replay[WATCH_TEXT_BYTES];
    /* judging */
    double hang_s, horizon_s;                  /* 0: the judge's own */
    size_t memory_max_bytes, expect_rss_bytes; /* 0: none is known */
    double limit_0_1;                          /* on_limit when so much of the limit is used */
    /* acting: bits of watch_action */
    int on_leaking, on_critical, on_limit, on_hang, on_exit, on_oom;
    char checkpoint_signal[16];
    double grace_s;                     /* from TERM to KILL */
    double backoff_s;                   /* before the first restart; doubles */
    int max_restarts;                   /* an hour */
    char resume_args[WATCH_TEXT_BYTES]; /* what a restart adds to the command */
    char remedies[WATCH_TEXT_BYTES];    /* what may be tried: "arenas,jemalloc,workers" */
    char hook[WATCH_TEXT_BYTES];
    /* checkpoints */
    char checkpoints[WATCH_TEXT_BYTES]; /* file or folder; "": found in the run folder */
    int keep;
    /* telling */
    bool json;
    char webhook[WATCH_TEXT_BYTES], mqtt[WATCH_TEXT_BYTES], notify_command[WATCH_TEXT_BYTES];
    int view; /* 0 auto, 1 on, 2 off */
    size_t history_bytes;
    char serve[WATCH_TEXT_BYTES], token[WATCH_TEXT_BYTES]; /* "127.0.0.1:9200"; "": no server */
    /* who allocates */
    bool stacks;
    size_t stacks_rate_bytes;
} watch_options;

extern const base_options watch_option_table;
void watch_options_default(watch_options *out);
/* Errors: VG_ERR_ARGUMENT, with the nearest name, the range or the choices: *o is as it was. */
vg_status watch_options_set(watch_options *o, const char *name, const char *value, vg_error *err);
/* All that a YAML file says, names with - or _. What is on the command line is set afterwards and
 * wins. Errors: VG_ERR_IO, VG_ERR_FORMAT (line). */
vg_status watch_options_read(watch_options *o, const char *path, base_mem *mem, vg_error *err);

#endif
