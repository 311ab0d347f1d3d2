/* source_text.h: what one text of a source means, and what it is called. */
#ifndef STREAM_LIVE_SOURCE_TEXT_H
#define STREAM_LIVE_SOURCE_TEXT_H

#include "stats.h"
#include "video/video.h"

enum { LIVE_STEM_BYTES = 64 };

typedef enum live_meaning {
    LIVE_MEANS_ONE,    /* a stream, camera, video file, standard input, drawn pictures */
    LIVE_MEANS_FOLDER, /* what is in them is played one after the other */
    LIVE_MEANS_GLOB,
    LIVE_MEANS_LIST,    /* .txt */
    LIVE_MEANS_SEVERAL, /* .streams: side by side */
    LIVE_MEANS_PICTURE,
    LIVE_MEANS_NOTHING /* nothing is there */
} live_meaning;

/* *kind: of LIVE_MEANS_ONE. Looks at the file system, reads at most a file's head. */
live_meaning live_source_meaning(const char *text, video_kind *kind);
/* Names that a folder's source consists of. */
bool live_source_is_playable_name(const char *name);
/* A list's text, ended by a 0 and with none within it: what stands behind one would be lost without
 * a word. A block of mem. Errors: of base_file_read; VG_ERR_FORMAT with the line. */
vg_status live_list_read(char **out, const char *path, base_mem *mem, vg_error *err);
/* The next line of a list that says something, without blanks around it; NULL at the end. *at: the
 * rest, NULL at first text's begin; *line: its number. Lines are ended in place. */
char *live_list_line(char **at, int *line);

/* Fit for a file name and a topic: letters, digits, . _ - and what is no ASCII. Never "". */
void live_stem_clean(char out[LIVE_STEM_BYTES], const char *text);
/* Of a text of that meaning: "gate-8554-live", "lobby", "testsrc2", "camera0". */
void live_stem_of(char out[LIVE_STEM_BYTES], const char *text, live_meaning meaning,
                  video_kind kind);

#endif
