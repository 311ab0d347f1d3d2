/* opencl_api.h: the part of OpenCL 1.2 that vigil calls, as Khronos' specification has it, so that
 * no driver's header is needed to build. */
#ifndef NN_GPU_OPENCL_API_H
#define NN_GPU_OPENCL_API_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t cl_int;
typedef uint32_t cl_uint, cl_bool;
typedef uint64_t cl_ulong, cl_bits;
typedef struct cl_platform_id_s *cl_platform_id;
typedef struct cl_device_id_s *cl_device_id;
typedef struct cl_context_s *cl_context;
typedef struct cl_queue_s *cl_queue;
typedef struct cl_mem_s *cl_mem;
typedef struct cl_program_s *cl_program;
typedef struct cl_kernel_s *cl_kernel;
typedef struct cl_event_s *cl_event;

enum {
    CL_SUCCESS = 0,
    CL_DEVICE_NOT_FOUND = -1,
    CL_DEVICE_NOT_AVAILABLE = -2,
    CL_MEM_OBJECT_ALLOCATION_FAILURE = -4,
    CL_OUT_OF_RESOURCES = -5,
    CL_OUT_OF_HOST_MEMORY = -6,
    CL_BUILD_PROGRAM_FAILURE = -11,
    CL_INVALID_CONTEXT = -34,
    CL_INVALID_COMMAND_QUEUE = -36,
    CL_INVALID_BUFFER_SIZE = -61,
    CL_PLATFORM_NOT_FOUND = -1001 /* of the ICD loader: no driver is installed */
};
enum {
    CL_PLATFORM_NAME = 0x0902,
    CL_DEVICE_TYPE = 0x1000,
    CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002,
    CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004,
    CL_DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010,
    CL_DEVICE_GLOBAL_MEM_SIZE = 0x101F,
    CL_DEVICE_LOCAL_MEM_SIZE = 0x1023,
    CL_DEVICE_AVAILABLE = 0x1027,
    CL_DEVICE_COMPILER_AVAILABLE = 0x1028,
    CL_DEVICE_NAME = 0x102B,
    CL_DEVICE_VENDOR = 0x102C,
    CL_DRIVER_VERSION = 0x102D,
    CL_DEVICE_VERSION = 0x102F,
    CL_DEVICE_EXTENSIONS = 0x1030,
    CL_PROGRAM_BINARY_SIZES = 0x1165,
    CL_PROGRAM_BINARIES = 0x1166,
    CL_PROGRAM_BUILD_LOG = 0x1183,
    CL_MAP_READ = 1,
    CL_MAP_WRITE = 2,
    CL_MEM_READ_WRITE = 1,
    CL_MEM_ALLOC_HOST_PTR = 16,
    CL_DEVICE_TYPE_GPU = 4
};
#define CL_DEVICE_TYPE_ALL ((cl_bits)0xFFFFFFFF)

/* Name, result, arguments: what the table of loaded functions is made of. */
#define OPENCL_FUNCTIONS(X)                                                                        \
    X(clGetPlatformIDs, cl_int, (cl_uint, cl_platform_id *, cl_uint *))                            \
    X(clGetPlatformInfo, cl_int, (cl_platform_id, cl_uint, size_t, void *, size_t *))              \
    X(clGetDeviceIDs, cl_int, (cl_platform_id, cl_bits, cl_uint, cl_device_id *, cl_uint *))       \
    X(clGetDeviceInfo, cl_int, (cl_device_id, cl_uint, size_t, void *, size_t *))                  \
    X(clCreateContext, cl_context,                                                                 \
      (const intptr_t *, cl_uint, const cl_device_id *,                                            \
       void (*)(const char *, const void *, size_t, void *), void *, cl_int *))                    \
    X(clReleaseContext, cl_int, (cl_context))                                                      \
    X(clCreateCommandQueue, cl_queue, (cl_context, cl_device_id, cl_bits, cl_int *))               \
    X(clReleaseCommandQueue, cl_int, (cl_queue))                                                   \
    X(clCreateProgramWithSource, cl_program,                                                       \
      (cl_context, cl_uint, const char **, const size_t *, cl_int *))                              \
    X(clCreateProgramWithBinary, cl_program,                                                       \
      (cl_context, cl_uint, const cl_device_id *, const size_t *, const unsigned char **,          \
       cl_int *, cl_int *))                                                                        \
    X(clBuildProgram, cl_int,                                                                      \
      (cl_program, cl_uint, const cl_device_id *, const char *, void (*)(cl_program, void *),      \
       void *))                                                                                    \
    X(clGetProgramInfo, cl_int, (cl_program, cl_uint, size_t, void *, size_t *))                   \
    X(clGetProgramBuildInfo, cl_int,                                                               \
      (cl_program, cl_device_id, cl_uint, size_t, void *, size_t *))                               \
    X(clReleaseProgram, cl_int, (cl_program))                                                      \
    X(clCreateKernel, cl_kernel, (cl_program, const char *, cl_int *))                             \
    X(clReleaseKernel, cl_int, (cl_kernel))                                                        \
    X(clSetKernelArg, cl_int, (cl_kernel, cl_uint, size_t, const void *))                          \
    X(clCreateBuffer, cl_mem, (cl_context, cl_bits, size_t, void *, cl_int *))                     \
    X(clReleaseMemObject, cl_int, (cl_mem))                                                        \
    X(clEnqueueMapBuffer, void *,                                                                  \
      (cl_queue, cl_mem, cl_bool, cl_bits, size_t, size_t, cl_uint, const cl_event *, cl_event *,  \
       cl_int *))                                                                                  \
    X(clEnqueueUnmapMemObject, cl_int,                                                             \
      (cl_queue, cl_mem, void *, cl_uint, const cl_event *, cl_event *))                           \
    X(clEnqueueWriteBuffer, cl_int,                                                                \
      (cl_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, const cl_event *,         \
       cl_event *))                                                                                \
    X(clEnqueueReadBuffer, cl_int,                                                                 \
      (cl_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *))  \
    X(clEnqueueNDRangeKernel, cl_int,                                                              \
      (cl_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,      \
       const cl_event *, cl_event *))                                                              \
    X(clEnqueueMarkerWithWaitList, cl_int, (cl_queue, cl_uint, const cl_event *, cl_event *))      \
    X(clEnqueueBarrierWithWaitList, cl_int, (cl_queue, cl_uint, const cl_event *, cl_event *))     \
    X(clWaitForEvents, cl_int, (cl_uint, const cl_event *))                                        \
    X(clReleaseEvent, cl_int, (cl_event))                                                          \
    X(clFlush, cl_int, (cl_queue))                                                                 \
    X(clFinish, cl_int, (cl_queue))

#endif
