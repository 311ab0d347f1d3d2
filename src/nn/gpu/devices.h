/* devices.h: a device that is open, for the backend. Internal to nn/gpu. */
#ifndef NN_GPU_DEVICES_H
#define NN_GPU_DEVICES_H

#include "host.h"

struct nn_device {
    const gpu_host *host;
    void *driver; /* the host's */
};

#endif
