/* disk_cache.h: resized pictures in files: "<picture>.<imgsz>.vigil-bin". No memory. For this
 * folder. */
#ifndef DATA_DISK_CACHE_H
#define DATA_DISK_CACHE_H

#include "image/image.h"

enum { DISK_CACHE_HEADER_BYTES = 64 };

/* Fills dst (its size is known, its rows are without gaps) from the file of the picture at path.
 * False: none there, of another picture or size, damaged; dst is then undefined. */
bool disk_cache_read(const image_view *dst, const char *path, int imgsz);
/* Replaces the file whole. Errors: VG_ERR_IO. */
vg_status disk_cache_write(const image_view *v, const char *path, int imgsz, vg_error *err);

#endif
