/* live_sources.h: what --source, a .streams list or the configuration's `sources` mean: the channels
 * of a live job. */
#ifndef STREAM_LIVE_SOURCES_H
#define STREAM_LIVE_SOURCES_H

#include "live_stats.h"

/* One channel. Texts live as long as the list. */
typedef struct live_source {
    const char *const *texts; /* (n_texts) played one after the other: secrets and all */
    size_t n_texts;
    video_kind kind;          /* of the first */
    bool keeps_all;           /* policy `every` */
    bool ends;                /* at its end the channel has ended for good */
    video_source_options video; /* without text */
    char name[LIVE_NAME_BYTES]; /* public: no password */
    char stem[64];              /* for file names and topics, unlike any other's of the list */
} live_source;

typedef struct live_sources {
    live_source *items; /* (n) */
    size_t n;
    void *block; /* behind all of it */
} live_sources;

/* Connects to nothing; files and folders must be there. Errors: VG_ERR_ARGUMENT, VG_ERR_IO,
 * VG_ERR_FORMAT (a line of a list), VG_ERR_LIMIT (more than LIVE_MOST_CHANNELS), VG_ERR_MEMORY. */
vg_status live_sources_open(live_sources *out, const live_options *o, base_mem *mem, vg_error *err);
void live_sources_close(live_sources *s);
/* The same source, so that a reload leaves it alone: texts and options are equal (not the stem). */
bool live_source_is_same(const live_source *a, const live_source *b);

#endif
