/* nvml.h: the part of NVIDIA's management library that the guard calls, by NVML's own names and
 * layouts (NVML API reference), so that neither its header nor the library is needed to build. For
 * this folder, and for the library that stands in for it in tests. */
#ifndef WATCH_NVML_H
#define WATCH_NVML_H

typedef int nvmlReturn_t;
enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_INSUFFICIENT_SIZE = 7,
    NVML_ERROR_GPU_IS_LOST = 15
};
typedef struct nvmlDevice_st *nvmlDevice_t;
typedef struct nvmlMemory_st {
    unsigned long long total, free, used;
} nvmlMemory_t;
typedef struct nvmlUtilization_st {
    unsigned int gpu, memory; /* per cent */
} nvmlUtilization_t;
/* Of the functions with _v2 and _v3. */
typedef struct nvmlProcessInfo_st {
    unsigned int pid;
    unsigned long long usedGpuMemory; /* ~0: not available */
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;
/* Of those without: before MIG. */
typedef struct nvmlProcessInfo_v1_st {
    unsigned int pid;
    unsigned long long usedGpuMemory;
} nvmlProcessInfo_v1_t;
_Static_assert(sizeof(nvmlProcessInfo_t) == 24 && sizeof(nvmlProcessInfo_v1_t) == 16,
               "the driver's layout");

/* X(field, symbol, arguments) */
#define WATCH_NVML(X)                                                                              \
    X(init, "nvmlInit_v2", (void))                                                                 \
    X(shutdown, "nvmlShutdown", (void))                                                            \
    X(count, "nvmlDeviceGetCount_v2", (unsigned int *n))                                           \
    X(device, "nvmlDeviceGetHandleByIndex_v2", (unsigned int index, nvmlDevice_t *device))         \
    X(memory, "nvmlDeviceGetMemoryInfo", (nvmlDevice_t device, nvmlMemory_t * memory))             \
    X(utilisation, "nvmlDeviceGetUtilizationRates",                                                \
      (nvmlDevice_t device, nvmlUtilization_t * rates))

#endif
