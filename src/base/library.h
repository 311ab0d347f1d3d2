/* library.h: a library that is opened when it is first needed, so that a start which does not need
 * it pays nothing, and a machine without it has a clear error instead of no program.
 *
 * The caller's headers give the types: a table of function pointers declared by __typeof__(&name)
 * is checked like calls. Libraries stay mapped: many keep threads or state that outlive us. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "vigil/error.h"

/* soname: "libavcodec.so.59". purpose: who needs it, as the error's beginning ("pictures other than
 * JPEG need FFmpeg"). mend: what to do without. VG_ERR_UNSUPPORTED: it does not load. */
vg_status base_library_open(void **out, const char *soname, const char *purpose, const char *mend,
                            vg_error *err);
/* target: the address of the function pointer. VG_ERR_UNSUPPORTED: no such function. */
vg_status base_library_find(void *target, void *library, const char *symbol, vg_error *err);
void base_library_close(void **library);

#endif
