/* faults.h: what a driver's failure means to the user, in one voice for all drivers. Internal to
 * nn/gpu. */
#ifndef NN_GPU_FAULTS_H
#define NN_GPU_FAULTS_H

#include "../nn.h"

typedef enum gpu_fault {
    GPU_FAULT_OTHER,
    GPU_FAULT_MEMORY,    /* of the device, or pinned */
    GPU_FAULT_RESOURCES, /* the driver does not tell a kernel that took too long from a large one */
    GPU_FAULT_TIMEOUT,   /* the driver's watchdog ended a kernel */
    GPU_FAULT_BUSY,      /* another process has the device for itself */
    GPU_FAULT_LOST       /* nothing more can be done with the device in this process */
} gpu_fault;

/* what: what could not be done ("make a queue"); code: as the driver names it. VG_ERR_MEMORY, or
 * VG_ERR_DEVICE. */
vg_status gpu_fault_tell(vg_error *err, gpu_fault fault, const vg_device *d, const char *what,
                         const char *code);
/* Whether the device gives so much in one piece. VG_ERR_LIMIT: no. */
vg_status gpu_block_check(const vg_device *d, size_t bytes, vg_error *err);

#endif
