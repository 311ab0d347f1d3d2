/* tiff_load.h: the few functions of libtiff that TIFFs need, opened when the first one comes. For
 * this folder.
 *
 * Linking it costs every start 3 ms and 2 MB, for it brings nine libraries along. As with FFmpeg
 * (ffmpeg_load.h) the header gives the types of the table. */
#ifndef IMAGE_TIFF_LOAD_H
#define IMAGE_TIFF_LOAD_H

#include <tiffio.h>

#include "base/base.h"

/* One list for the table and the look-up. */
#define IMAGE_TIFF_LIST(X)                                                                         \
    X(TIFFOpenOptionsAlloc)                                                                        \
    X(TIFFOpenOptionsFree)                                                                         \
    X(TIFFOpenOptionsSetMaxSingleMemAlloc)                                                         \
    X(TIFFOpenOptionsSetErrorHandlerExtR)                                                          \
    X(TIFFOpenOptionsSetWarningHandlerExtR)                                                        \
    X(TIFFClientOpenExt)                                                                           \
    X(TIFFClose)                                                                                   \
    X(TIFFGetField)                                                                                \
    X(TIFFGetFieldDefaulted)                                                                       \
    X(TIFFSetField)                                                                                \
    X(TIFFIsCODECConfigured)                                                                       \
    X(TIFFRGBAImageOK)                                                                             \
    X(TIFFRGBAImageBegin)                                                                          \
    X(TIFFRGBAImageGet)                                                                            \
    X(TIFFRGBAImageEnd)

typedef struct image_tiff {
    void *library; /* dlopen's handle; NULL: not loaded */
#define X(name) __typeof__(&name) name;
    IMAGE_TIFF_LIST(X)
#undef X
} image_tiff;

/* Fills the table. Does nothing when it is filled. soname: NULL for the one of the header; tests
 * give others. Errors: VG_ERR_UNSUPPORTED (library absent or too different). */
vg_status image_tiff_load(image_tiff *out, const char *soname, vg_error *err);
/* Empties the table. The library stays mapped for the process. */
void image_tiff_unload(image_tiff *t);

#endif
