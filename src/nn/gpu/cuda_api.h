/* cuda_api.h: the part of CUDA's driver interface that vigil calls, as NVIDIA's manual has it, so
 * that no kit of theirs is needed to build. Names with _v2 are what the driver calls today's form.
 */
#ifndef NN_GPU_CUDA_API_H
#define NN_GPU_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

typedef int cu_result, cu_device;
typedef uint64_t cu_pointer; /* of the device */
typedef struct cu_context_s *cu_context;
typedef struct cu_module_s *cu_module;
typedef struct cu_function_s *cu_function;
typedef struct cu_stream_s *cu_stream;
typedef struct cu_event_s *cu_event;

enum {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_DEINITIALIZED = 4,
    CUDA_ERROR_DEVICE_UNAVAILABLE = 46,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_ECC_UNCORRECTABLE = 214,
    CUDA_ERROR_ILLEGAL_ADDRESS = 700,
    CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
    CUDA_ERROR_LAUNCH_TIMEOUT = 702,
    CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
    CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
    CUDA_ERROR_LAUNCH_FAILED = 719,
    CUDA_ERROR_UNKNOWN = 999,
    CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 1,
    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
    CU_DEVICE_ATTRIBUTE_COMPUTE_MODE = 20,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
    CU_COMPUTEMODE_PROHIBITED = 2,
    CU_JIT_ERROR_LOG_BUFFER = 5,
    CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
    CU_STREAM_NON_BLOCKING = 1,
    CU_EVENT_DISABLE_TIMING = 2
};

/* Name, arguments: what the table of loaded functions is made of. All give a cu_result. */
#define CUDA_FUNCTIONS(X)                                                                          \
    X(cuInit, (unsigned))                                                                          \
    X(cuDriverGetVersion, (int *))                                                                 \
    X(cuDeviceGetCount, (int *))                                                                   \
    X(cuDeviceGet, (cu_device *, int))                                                             \
    X(cuDeviceGetName, (char *, int, cu_device))                                                   \
    X(cuDeviceTotalMem_v2, (size_t *, cu_device))                                                  \
    X(cuDeviceGetAttribute, (int *, int, cu_device))                                               \
    X(cuDevicePrimaryCtxRetain, (cu_context *, cu_device))                                         \
    X(cuDevicePrimaryCtxRelease_v2, (cu_device))                                                   \
    X(cuCtxSetCurrent, (cu_context))                                                               \
    X(cuModuleLoadDataEx, (cu_module *, const void *, unsigned, int *, void **))                   \
    X(cuModuleUnload, (cu_module))                                                                 \
    X(cuModuleGetFunction, (cu_function *, cu_module, const char *))                               \
    X(cuMemAlloc_v2, (cu_pointer *, size_t))                                                       \
    X(cuMemFree_v2, (cu_pointer))                                                                  \
    X(cuMemHostAlloc, (void **, size_t, unsigned))                                                 \
    X(cuMemFreeHost, (void *))                                                                     \
    X(cuMemGetInfo_v2, (size_t *, size_t *))                                                       \
    X(cuMemcpyHtoDAsync_v2, (cu_pointer, const void *, size_t, cu_stream))                         \
    X(cuMemcpyDtoHAsync_v2, (void *, cu_pointer, size_t, cu_stream))                               \
    X(cuStreamCreate, (cu_stream *, unsigned))                                                     \
    X(cuStreamDestroy_v2, (cu_stream))                                                             \
    X(cuStreamSynchronize, (cu_stream))                                                            \
    X(cuStreamWaitEvent, (cu_stream, cu_event, unsigned))                                          \
    X(cuEventCreate, (cu_event *, unsigned))                                                       \
    X(cuEventDestroy_v2, (cu_event))                                                               \
    X(cuEventRecord, (cu_event, cu_stream))                                                        \
    X(cuEventSynchronize, (cu_event))                                                              \
    X(cuLaunchKernel, (cu_function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,    \
                       unsigned, cu_stream, void **, void **))                                     \
    X(cuGetErrorName, (cu_result, const char **))                                                  \
    X(cuGetErrorString, (cu_result, const char **))

#endif
