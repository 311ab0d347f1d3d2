/* sources.h: what --source, a .streams list or the configuration's `sources` mean: the
 * channels of a stream job. */
#ifndef STREAM_SOURCES_H
#define STREAM_SOURCES_H

#include "source_text.h"

/* One channel. Texts live as long as the list. */
typedef struct stream_source {
    const char *const *texts; /* (n_texts) played one after the other: secrets and all */
    size_t n_texts;
    video_kind kind;            /* of the first */
    bool keeps_all;             /* policy `every` */
    bool ends;                  /* at its end the channel has ended for good */
    video_source_options video; /* without text */
    double retry_first_s, retry_most_s;
    int max_retries;
    bool waits;                   /* was told to, if it is not there at the start */
    bool is_named;                /* the configuration gave it its name */
    char name[STREAM_NAME_BYTES]; /* public: no password; unlike any other's of the list */
    char stem[STREAM_STEM_BYTES]; /* for file names and topics, unlike any other's of the list */
    size_t n_name, n_stem;        /* bytes of them before the number that made them so */
    uint64_t key;                 /* stream_shard_key of the name */
} stream_source;

typedef struct stream_sources {
    stream_source *items; /* (n) */
    size_t n;
    size_t n_listed;   /* of all shards */
    bool are_of_files; /* all that are listed: video files, which end */
    void *block;       /* behind all of it */
} stream_sources;

/* o's source; where that is "", the `sources` of the configuration that o->config names, read anew.
 * An entry there is a source, or a map of `source`, a `name` and options of its own:
 *
 *     sources:
 *       - rtsp://camera/1
 *       - source: rtsp://vigil:${DOOR_PASSWORD}@door/1
 *         name: door
 *         vid_stride: 2
 *
 * A .streams list has a source a line; blank lines and those that begin with # are skipped.
 *
 * With the option shard, items are those of the list that are this shard's, with the names and
 * stems that they have in the whole list: it may hold STREAM_MOST_LISTED, and items none. With
 * leases items are the whole list, and none of them ends unless exit_on_end says so.
 *
 * Connects to nothing; files and folders must be there. Errors: VG_ERR_ARGUMENT, VG_ERR_IO,
 * VG_ERR_FORMAT, VG_ERR_LIMIT (more than STREAM_MOST_CHANNELS or most_sources), VG_ERR_MEMORY;
 * those of a list with its line. */
vg_status stream_sources_open(stream_sources *out, const stream_options *o, base_mem *mem,
                              vg_error *err);
void stream_sources_close(stream_sources *s);
/* The same source, so that a reload leaves it alone: texts and options are equal (not the stem). */
bool stream_source_is_same(const stream_source *a, const stream_source *b);
/* For a reload: those of s that are the same as one of the n that run (NULL: an empty place) get
 * its name and stem, and the others' are made unlike all of them. place (STREAM_MOST_CHANNELS): of
 * each of s the one it goes on with, -1: it is new. Of two that are the same each has its own. */
void stream_sources_keep_names(stream_sources *s, const stream_source *const *running, size_t n,
                               int *place);
/* The same for a shard's sources, whose names are settled by the whole list. */
void stream_sources_find_running(const stream_sources *s, const stream_source *const *running,
                                 size_t n, int *place);
/* All are video files, which end: for stream_options_settle. */
bool stream_sources_are_files(const stream_sources *s);

#endif
