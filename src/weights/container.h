/* container.h: files that are no weights, by their first bytes. For this folder. */
#ifndef WEIGHTS_CONTAINER_H
#define WEIGHTS_CONTAINER_H

#include "file.h"

/* What the file is when it is neither a zip nor safetensors: fills err and returns true; false:
 * nobody knows it. */
bool container_refuse(const weights_file *f, vg_status *st, vg_error *err);

#endif
