/* info.c: version, devices, and the line of a network's input. */
#include "api.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *vg_version(void)
{
    return TEXT(VG_VERSION_MAJOR) "." TEXT(VG_VERSION_MINOR) "." TEXT(VG_VERSION_PATCH);
}

const char *vg_build_lacks(void)
{
    return nn_devices_lack();
}

void vg_devices(vg_device out[VG_MOST_DEVICES], size_t *n, vg_driver drivers[VG_MOST_DRIVERS],
                size_t *n_drivers)
{
    nn_devices(out, n, drivers, n_drivers);
}

bool vg_imgsz_format(char *buf, size_t n, const vg_model_info *info)
{
    return nn_imgsz_format(buf, n, info);
}
