/* files.h: where the files of a stream job are, for those who write them and those who tell of
 * them, and a text that ends in a file as whole lines. Internal to stream. */
#ifndef STREAM_FILES_H
#define STREAM_FILES_H

#include "sink.h"
#include "stream/shared/sink_text.h"

enum { STREAM_PATH_BYTES = 4096 };

/* "folder/snapshots/STEM-EVENT.jpg"; folder "": from the run folder on. False when too long. */
bool stream_snapshot_path(char *path, size_t n, const char *folder, const char *stem,
                          uint64_t event);
/* "folder/labels/STEM_FRAME.txt": frames count from 1, as YOLO users know them. */
bool stream_label_path(char *path, size_t n, const char *folder, const char *stem, uint64_t index);
/* "folder/crops/CLASS/STEM_FRAME-N.jpg", both numbers from 1. */
bool stream_crop_path(char *path, size_t n, const char *folder, const char *class_name,
                      const char *stem, uint64_t index, int number);

/* The result as a JSON object and a line's end in t, which was opened with stream_line_bytes. */
size_t stream_line_bytes(const stream_setting *s);
vg_status stream_line_make(sink_text *t, const stream_setting *s, const stream_result *r,
                           vg_error *err);

#endif
