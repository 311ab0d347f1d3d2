/* fake_nvml.c: stands in for the driver's libnvidia-ml.so.1 in tests, with NVML's own names and
 * layouts. What it answers is set through fake_nvml_*. Compiled with FAKE_NVML_OLD it is a driver
 * of before 2020: process lists without a version, in the short layout. */
#include <stddef.h>
#include <string.h>

#include "watch/sample/nvml.h"

enum { MOST_DEVICES = 6, MOST_PROCESSES = 300 };

struct nvmlDevice_st {
    nvmlMemory_t memory;
    unsigned int utilisation, n_compute, n_graphics;
    nvmlProcessInfo_t compute[MOST_PROCESSES], graphics[MOST_PROCESSES];
    int has_no_lists;
};

static struct nvmlDevice_st devices[MOST_DEVICES];
static unsigned int n_devices;
static int n_open;
static nvmlReturn_t init_answer;

/* ---- set by tests ---- */

void fake_nvml_reset(unsigned int n, nvmlReturn_t answer)
{
    memset(devices, 0, sizeof devices);
    n_devices = n;
    init_answer = answer;
}

void fake_nvml_device(unsigned int i, unsigned long long total, unsigned long long used,
                      unsigned int utilisation, int has_no_lists)
{
    devices[i].memory = (nvmlMemory_t){.total = total, .free = total - used, .used = used};
    devices[i].utilisation = utilisation;
    devices[i].has_no_lists = has_no_lists;
    devices[i].n_compute = devices[i].n_graphics = 0;
}

void fake_nvml_process(unsigned int i, int is_graphics, unsigned int pid, unsigned long long bytes)
{
    struct nvmlDevice_st *d = &devices[i];
    nvmlProcessInfo_t *p =
        is_graphics ? &d->graphics[d->n_graphics++] : &d->compute[d->n_compute++];
    *p = (nvmlProcessInfo_t){.pid = pid,
                             .usedGpuMemory = bytes,
                             .gpuInstanceId = 0xffffffff,
                             .computeInstanceId = 0xffffffff};
}

int fake_nvml_n_open(void)
{
    return n_open;
}

/* ---- NVML ---- */

nvmlReturn_t nvmlInit_v2(void)
{
    n_open += init_answer == NVML_SUCCESS;
    return init_answer;
}

nvmlReturn_t nvmlShutdown(void)
{
    n_open--;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *n)
{
    *n = n_devices;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device)
{
    *device = &devices[index];
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory)
{
    *memory = device->memory;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates)
{
    *rates = (nvmlUtilization_t){.gpu = device->utilisation, .memory = 1};
    return NVML_SUCCESS;
}

#ifdef FAKE_NVML_OLD
typedef nvmlProcessInfo_v1_t info;
#define COMPUTE  nvmlDeviceGetComputeRunningProcesses
#define GRAPHICS nvmlDeviceGetGraphicsRunningProcesses
#else
typedef nvmlProcessInfo_t info;
#define COMPUTE  nvmlDeviceGetComputeRunningProcesses_v3
#define GRAPHICS nvmlDeviceGetGraphicsRunningProcesses_v3
#endif

static nvmlReturn_t list(nvmlDevice_t d, const nvmlProcessInfo_t *from, unsigned int n_from,
                         unsigned int *n, info *out)
{
    const unsigned int room = *n;
    if (d->has_no_lists)
        return NVML_ERROR_NOT_SUPPORTED;
    *n = n_from;
    if (room < n_from)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < n_from; i++) {
        out[i].pid = from[i].pid;
        out[i].usedGpuMemory = from[i].usedGpuMemory;
    }
    return NVML_SUCCESS;
}

nvmlReturn_t COMPUTE(nvmlDevice_t d, unsigned int *n, info *out)
{
    return list(d, d->compute, d->n_compute, n, out);
}

nvmlReturn_t GRAPHICS(nvmlDevice_t d, unsigned int *n, info *out)
{
    return list(d, d->graphics, d->n_graphics, n, out);
}
