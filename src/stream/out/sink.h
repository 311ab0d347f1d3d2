/* sink.h: where results of a stream job go. A sink is one file ending in one descriptor, and a
 * row in sinks.c.
 *
 * Every sink has a thread and a bounded queue of its own, so none waits for another and none keeps
 * the capture waiting (but local ones of a job whose sources all are `every`: there the queue
 * blocks, which is back-pressure, unless sink_policy says drop). At a full queue the oldest result
 * gives way and is counted. A write that fails is told (at most once in a while), counted, and the
 * sink goes on with the next result: a full disk may get room again, a broker may come back. */
#ifndef STREAM_SINK_H
#define STREAM_SINK_H

#include "stream/shared/accounts.h"
#include "stream/shared/detector.h"
#include "stream/shared/result.h"

/* What every sink may want to know; borrowed for the life of the job. */
typedef struct stream_setting {
    const stream_options *options;
    const stream_listener *listener; /* NULL: none */
    const stream_detector *detector; /* for the classes' names */
    task_shape shape;                /* of a result */
    const char *folder;              /* the run folder; "" when no sink asked for one */
    const stream_stats *stats;
    _Atomic bool *wants_end;          /* of stats: sinks may set it. NULL: nobody would look */
    const struct stream_zones *zones; /* NULL: none */
    int n_channels;                   /* places, most_sources included */
    int most_w, most_h;               /* of the frames, as far as known when the job began */
    bool keeps_every_frame;           /* all sources are `every`: they wait for who is slow */
    bool is_of_files; /* all sources are files that end: what they leave is made anew
                         by the next run. A network source may be `every`, too */
    base_mem *mem;
} stream_setting;

/* Results that a sink was given and whose end is known. */
typedef struct stream_settled {
    uint64_t n_written, n_lost;
} stream_settled;

typedef struct stream_sink {
    const char *name, *help;
    bool needs_pixels; /* its queue holds frames */
    bool needs_folder;
    bool is_local;    /* may block under `every` */
    int queue_length; /* results it may be behind */
    size_t state_bytes;
    bool (*is_wanted)(const stream_options *o);
    /* What open would say of the options alone, before anything is started or made: where is
     * "option NAME". NULL: nothing. */
    vg_status (*check)(const stream_options *o, base_mem *mem, vg_error *err);
    /* What open and the first writes take beyond the state. NULL: nothing. */
    size_t (*need_bytes)(const stream_setting *s);
    /* What FFmpeg's encoders take for it, about. NULL: it has none. */
    size_t (*encoder_bytes)(const stream_setting *s);
    vg_status (*open)(void *state, const stream_setting *s, vg_error *err);
    vg_status (*write)(void *state, const stream_setting *s, const stream_result *r, vg_error *err);
    /* Called about once a second by the same thread; NULL: not needed. */
    vg_status (*tick)(void *state, const stream_setting *s, vg_error *err);
    /* Of a sink that knows only later what became of a result: those settled since the last call.
     * Its VG_OK says that a result was taken, and it works again when some are written. Called
     * after each of the others. NULL: write's status says it all. */
    void (*settle)(void *state, stream_settled *out);
    /* A source has come, gone or begun a new connection: its recording may have to end. NULL: no
     * matter. Called by the sink's thread. */
    void (*channel_ended)(void *state, int channel);
    /* The last word, also after failures; within half a second. */
    vg_status (*close)(void *state, vg_error *err);
} stream_sink;

extern const stream_sink *const stream_sinks[]; /* ends with NULL */

#endif
