/* takes.h: which of the two jobs a source is for: one of pictures, or a live one. */
#ifndef STREAM_TAKES_H
#define STREAM_TAKES_H

#include <stdbool.h>

/* Whether `vigil predict --source` is for a stream job: false for pictures, folders, patterns and
 * lists without a video in them, and for what is not there. "-": with input_format, or when what
 * comes does not begin as a picture does (an MJPEG stream does, so it needs its input_format);
 * nothing is taken from the input, but this waits for its first bytes. */
bool stream_source_is_video(const char *source, const char *input_format);

#endif
