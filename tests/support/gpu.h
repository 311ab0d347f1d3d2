/* gpu.h: the device that tests compute on. */
#ifndef TESTS_SUPPORT_GPU_H
#define TESTS_SUPPORT_GPU_H

#include <stdio.h>
#include <stdlib.h>

#include "nn/nn.h"

/* False, with the reason printed, where no driver of OpenCL is installed at all; what is there must
 * work. VIGIL_TEST_DEVICE names another than opencl:0. */
static inline bool test_gpu_open(nn_device **out, base_mem *mem)
{
    static vg_device all[VG_MOST_DEVICES];
    static vg_driver drivers[VG_MOST_DRIVERS];
    const char *name = getenv("VIGIL_TEST_DEVICE");
    vg_error err = {0};
    size_t n = 0, n_drivers = 0;
    *out = NULL;
    nn_devices(all, &n, drivers, &n_drivers);
    if (n == 0) {
        print_message("skipped: no device, since %s\n", drivers[n_drivers - 1].fault);
        return false;
    }
    if (nn_device_open(out, name ? name : "opencl:0", mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return true;
}

/* Few and small cases: what watches every access takes a thousand times as long. */
static inline bool test_gpu_is_small(void)
{
    return getenv("VIGIL_TEST_SMALL") != NULL;
}

#endif
