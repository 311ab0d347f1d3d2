/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: how vigil says that something went wrong.
 *
 * Every function that can fail returns a vg_status; the words are in the caller's vg_error (NULL:
 * unwanted):
 *
 *     error: class 80 in a dataset of 80 classes (0..79)          what
 *       at:  labels/train/0007.txt:3, field 1                     where
 *       try: number classes from 0, or set nc: 81 in coco.yaml    mend
 *
 * The text is made where the facts are, in fixed buffers: reporting "out of memory" needs no
 * memory. */
#ifndef VIGIL_ERROR_H
#define VIGIL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VG_API               __attribute__((visibility("default")))
#define VG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VG_API
#define VG_PRINTF(fmt, args)
#endif

/* One list for the enum, the names and the texts. */
#define VG_STATUS_LIST(X)                                                                          \
    X(VG_OK, 0, "no error")                                                                        \
    X(VG_ERR_ARGUMENT, 1, "bad argument")                                                          \
    X(VG_ERR_MEMORY, 2, "out of memory, or over the account's limit")                              \
    X(VG_ERR_IO, 3, "a file or stream could not be read or written")                               \
    X(VG_ERR_FORMAT, 4, "a file's contents are not what they should be")                           \
    X(VG_ERR_UNSUPPORTED, 5, "valid, but this build or version cannot do it")                      \
    X(VG_ERR_LIMIT, 6, "a stated bound was reached")                                               \
    X(VG_ERR_INTERRUPTED, 7, "stopped by request")                                                 \
    X(VG_ERR_SYSTEM, 8, "the operating system refused")                                            \
    X(VG_ERR_DEVICE, 9, "a GPU or its driver failed")

typedef enum vg_status {
#define X(name, value, text) name = value,
    VG_STATUS_LIST(X)
#undef X
} vg_status;

enum { VG_WHAT_BYTES = 512, VG_WHERE_BYTES = 512, VG_MEND_BYTES = 512 };

typedef struct vg_error {
    vg_status status;
    char what[VG_WHAT_BYTES];   /* no capital, no full stop, with the subject's value */
    char where[VG_WHERE_BYTES]; /* file, line, field, or argument; may be empty */
    char mend[VG_MEND_BYTES];   /* an action; may be empty */
} vg_error;

/* "VG_ERR_IO", and the text behind it. Never NULL. */
VG_API const char *vg_status_name(vg_status status);
VG_API const char *vg_status_text(vg_status status);

#ifdef __cplusplus
}
#endif
#endif
