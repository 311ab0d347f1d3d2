/* label.h: a label's text made shorter. For this folder. */
#ifndef IMAGE_LABEL_H
#define IMAGE_LABEL_H

#include <stddef.h>

enum { IMAGE_LABEL_BYTES = 256 };

/* Takes one character, and an ellipsis if there is one behind it, off the end and puts an ellipsis
 * there. Returns the new length: 0 when nothing is left to shorten. There is room for
 * IMAGE_LABEL_BYTES. */
size_t image_label_shorten(char *text, size_t length);

#endif
