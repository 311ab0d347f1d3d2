/* tiff_load.c: opened by its soname, looked up by the list. */
#include "tiff_load.h"

/* From 4.5 on (soname 6) error handlers belong to a file; before, to the whole process. */
_Static_assert(TIFFLIB_VERSION >= 20221213, "libtiff 4.5 or newer");

vg_status image_tiff_load(image_tiff *out, const char *soname, vg_error *err)
{
    if (out->library != NULL)
        return VG_OK;
    image_tiff t = {0};
    vg_status st = base_library_open(
        &t.library, soname != NULL ? soname : "libtiff.so.6", "TIFF pictures need libtiff",
        base_mend("install libtiff6, or convert the picture to PNG"), err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&t.name, t.library, #name, err);
    IMAGE_TIFF_LIST(X)
#undef X
    if (st != VG_OK) {
        image_tiff_unload(&t);
        return st;
    }
    *out = t;
    return VG_OK;
}

void image_tiff_unload(image_tiff *t)
{
    base_library_close(&t->library);
    *t = (image_tiff){0};
}
