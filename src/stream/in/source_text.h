/* source_text.h: what one text of a source means, and what it is called. */
#ifndef STREAM_SOURCE_TEXT_H
#define STREAM_SOURCE_TEXT_H

#include "stream/shared/stats.h"
#include "video/video.h"

typedef enum stream_meaning {
    STREAM_MEANS_ONE,    /* a stream, camera, video file, standard input, drawn pictures */
    STREAM_MEANS_FOLDER, /* what is in them is played one after the other */
    STREAM_MEANS_GLOB,
    STREAM_MEANS_LIST,    /* .txt */
    STREAM_MEANS_SEVERAL, /* .streams: side by side */
    STREAM_MEANS_PICTURE,
    STREAM_MEANS_NOTHING /* nothing is there */
} stream_meaning;

/* *kind: of STREAM_MEANS_ONE. Looks at the file system, reads at most a file's head. */
stream_meaning stream_source_meaning(const char *text, video_kind *kind);
/* Names that a folder's source consists of. */
bool stream_source_is_playable_name(const char *name);
/* A list's text, ended by a 0 and with none within it: what stands behind one would be lost without
 * a word. A block of mem. Errors: of base_file_read; VG_ERR_FORMAT with the line. */
vg_status stream_list_read(char **out, const char *path, base_mem *mem, vg_error *err);
/* The next line of a list that says something, without blanks around it; NULL at the end. *at: the
 * rest, NULL at first text's begin; *line: its number. Lines are ended in place. */
char *stream_list_line(char **at, int *line);

/* Fit for a file name and a topic: letters, digits, . _ - and what is no ASCII. Never "". */
void stream_stem_clean(char out[STREAM_STEM_BYTES], const char *text);
/* Of a text of that meaning: "gate-8554-live", "lobby", "testsrc2", "camera0". */
void stream_stem_of(char out[STREAM_STEM_BYTES], const char *text, stream_meaning meaning,
                    video_kind kind);

#endif
