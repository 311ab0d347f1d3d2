/* info.c: version, and the line of a network's input. */
#include "api.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *vg_version(void)
{
    return TEXT(VG_VERSION_MAJOR) "." TEXT(VG_VERSION_MINOR) "." TEXT(VG_VERSION_PATCH);
}

bool vg_imgsz_format(char *buf, size_t n, const vg_model_info *info)
{
    return nn_imgsz_format(buf, n, info);
}
