/* whole.h: is this checkpoint complete, or was its writer cut off? Read from the file itself.
 *
 * A zip archive (.pt, .ckpt, .npz, .keras) ends with a directory of its entries; safetensors say
 * their length in front. What has neither is unknown: whether it still changes is all that can be
 * said of it. Nothing is allocated; a file of any bytes is read within its bounds. The sums over
 * entries' bytes (CRC) are not computed: that would read gigabytes at each epoch. For this folder.
 */
#ifndef WATCH_WHOLE_H
#define WATCH_WHOLE_H

#include "base/base.h"

typedef enum watch_whole { WATCH_WHOLE_NO, WATCH_WHOLE_YES, WATCH_WHOLE_UNKNOWN } watch_whole;

/* why: what is wrong, or how it was known; static text. */
watch_whole watch_whole_check(const char *path, const char **why);

#endif
