/* host_cuda.c: NVIDIA's GPUs through libcuda.so.1, which comes with their driver.
 *
 * The kernels are the PTX that the build made; the driver assembles it for its GPU when a device is
 * opened, and keeps the result in a cache of its own (~/.nv/ComputeCache). A device has the
 * primary context, which others in this process share, and one stream. Every call makes the
 * context that of its thread first: jobs open in one thread and run in another. */
#include <string.h>

#include "cuda_api.h"
#include "host.h"

enum {
    LOG_BYTES = 1024,
    LOG_SHOWN = 200,
    OLDEST_DRIVER = 9000, /* CUDA 9.0: the first that reads this PTX (6.0, sm_70) */
    OLDEST_CAPABILITY = 70,
};

typedef struct api {
    void *library;
#define X(name, arguments) cu_result(*name) arguments;
    CUDA_FUNCTIONS(X)
#undef X
} api;

typedef struct device {
    api cu;
    cu_device id;
    cu_context context;
    cu_stream stream;
    cu_module module;
    cu_function kernels[GPU_N_KERNELS];
    vg_device facts;
} device;

/* ---- errors ---- */

static const char *code_name(const api *cu, cu_result code)
{
    const char *name = NULL;
    return cu->cuGetErrorName(code, &name) == CUDA_SUCCESS && name ? name : "an error";
}

/* VG_OK where code says so. what: what could not be done. */
static vg_status check(const device *d, cu_result code, const char *what, vg_error *err)
{
    const char *words = NULL;
    if (code == CUDA_SUCCESS)
        return VG_OK;
    if (d->cu.cuGetErrorString(code, &words) != CUDA_SUCCESS || !words)
        words = "no more is known";
    const bool is_memory = code == CUDA_ERROR_OUT_OF_MEMORY;
    return base_fail(
        err, is_memory ? VG_ERR_MEMORY : VG_ERR_SYSTEM, base_where("device %s", d->facts.name),
        is_memory ? "take a smaller batch, imgsz or model, or --device cpu"
                  : "look at the driver's own log (dmesg, nvidia-smi), or take "
                    "--device cpu",
        "the GPU's driver could not %s: %s (%d), %s", what, code_name(&d->cu, code), code, words);
}

/* ---- the library ---- */

static vg_status load(api *out, vg_error *err)
{
    *out = (api){0};
    if (!gpu_program_own.ptx)
        return base_fail(err, VG_ERR_UNSUPPORTED, "CUDA",
                         "build vigil where clang is installed, or take the GPU by OpenCL",
                         "this build of vigil has no CUDA: no clang made its kernels' PTX");
    vg_status st = base_library_open(&out->library, "libcuda.so.1", "CUDA needs NVIDIA's driver",
                                     "install the GPU's driver (Debian: libcuda1)", err);
#define X(name, arguments)                                                                         \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&out->name, out->library, #name, err);
    CUDA_FUNCTIONS(X)
#undef X
    int version = 0;
    cu_result code = CUDA_SUCCESS;
    if (st == VG_OK)
        code = out->cuInit(0);
    if (st == VG_OK && code != CUDA_SUCCESS)
        st = base_fail(err, VG_ERR_UNSUPPORTED, "CUDA",
                       "look at nvidia-smi; in a container, hand the GPU in",
                       "NVIDIA's driver does not start: %s (%d)", code_name(out, code), code);
    if (st == VG_OK &&
        (out->cuDriverGetVersion(&version) != CUDA_SUCCESS || version < OLDEST_DRIVER))
        st = base_fail(err, VG_ERR_UNSUPPORTED, "CUDA", "install a newer driver",
                       "NVIDIA's driver is of CUDA %d.%d, and 9.0 is needed", version / 1000,
                       version % 1000 / 10);
    if (st != VG_OK)
        base_library_close(&out->library);
    return st;
}

static int attribute(const api *cu, cu_device id, int which)
{
    int value = 0;
    return cu->cuDeviceGetAttribute(&value, which, id) == CUDA_SUCCESS ? value : 0;
}

static void describe(vg_device *out, const api *cu, cu_device id, int index)
{
    const int capability = attribute(cu, id, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
                           attribute(cu, id, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    int version = 0;
    *out = (vg_device){.is_gpu = true, .has_half = capability >= OLDEST_CAPABILITY};
    base_format(out->name, sizeof out->name, "cuda:%d", index);
    if (cu->cuDeviceGetName(out->title, sizeof out->title - 1, id) != CUDA_SUCCESS)
        out->title[0] = '\0';
    if (cu->cuDriverGetVersion(&version) != CUDA_SUCCESS)
        version = 0;
    base_format(out->vendor, sizeof out->vendor, "NVIDIA");
    base_format(out->platform, sizeof out->platform, "CUDA");
    base_format(out->driver, sizeof out->driver, "%d.%d, compute capability %d.%d", version / 1000,
                version % 1000 / 10, capability / 10, capability % 10);
    out->n_units = attribute(cu, id, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    if (cu->cuDeviceTotalMem_v2(&out->memory_bytes, id) != CUDA_SUCCESS)
        out->memory_bytes = 0;
    out->most_block_bytes = out->memory_bytes;
    if (capability < OLDEST_CAPABILITY)
        base_format(out->fault, sizeof out->fault,
                    "its compute capability is %d.%d, and 7.0 is needed", capability / 10,
                    capability % 10);
    else if (attribute(cu, id, CU_DEVICE_ATTRIBUTE_COMPUTE_MODE) == CU_COMPUTEMODE_PROHIBITED)
        base_format(out->fault, sizeof out->fault, "its driver is told to let nobody compute");
}

static vg_status cuda_list(vg_device *out, size_t capacity, size_t *n, vg_error *err)
{
    api cu;
    int n_devices = 0;
    *n = 0;
    vg_status st = load(&cu, err);
    if (st != VG_OK)
        return st;
    if (cu.cuDeviceGetCount(&n_devices) != CUDA_SUCCESS)
        n_devices = 0;
    for (int i = 0; i < n_devices && *n < capacity; i++) {
        cu_device id = 0;
        if (cu.cuDeviceGet(&id, i) == CUDA_SUCCESS)
            describe(&out[(*n)++], &cu, id, i);
    }
    base_library_close(&cu.library);
    return *n > 0 ? VG_OK
                  : base_fail(err, VG_ERR_UNSUPPORTED, "CUDA",
                              "look at nvidia-smi; in a container, hand the GPU in",
                              "NVIDIA's driver has no device");
}

/* ---- open and close ---- */

/* The device's context in this thread. */
static vg_status enter(const device *d, vg_error *err)
{
    return check(d, d->cu.cuCtxSetCurrent(d->context), "take its context", err);
}

/* The same on the way out, where a failure changes nothing: what is given back is given back. */
static void leave(const device *d)
{
    d->cu.cuCtxSetCurrent(d->context);
}

static void cuda_close(void **self)
{
    device *d = *self;
    if (d) {
        if (d->context) {
            leave(d);
            if (d->module)
                d->cu.cuModuleUnload(d->module);
            if (d->stream)
                d->cu.cuStreamDestroy_v2(d->stream);
            d->cu.cuCtxSetCurrent(NULL);
            d->cu.cuDevicePrimaryCtxRelease_v2(d->id);
        }
        base_library_close(&d->cu.library);
        base_free(d);
    }
    *self = NULL;
}

static vg_status find_device(device *d, int index, vg_error *err)
{
    int n = 0;
    vg_status st = check(d, d->cu.cuDeviceGetCount(&n), "count its devices", err);
    if (st == VG_OK && index >= n)
        st = base_fail(err, VG_ERR_ARGUMENT, "device", "vigil devices lists those that are there",
                       "there is no device cuda:%d", index);
    if (st == VG_OK)
        st = check(d, d->cu.cuDeviceGet(&d->id, index), "find the device", err);
    if (st != VG_OK)
        return st;
    describe(&d->facts, &d->cu, d->id, index);
    if (d->facts.fault[0] == '\0')
        return VG_OK;
    return base_fail(err, VG_ERR_UNSUPPORTED, base_where("device %s", d->facts.name),
                     "take another device (vigil devices), or --device cpu",
                     "the device %s cannot be used: %s", d->facts.title, d->facts.fault);
}

static vg_status cuda_open(void **out, int platform, int index, base_mem *mem, vg_error *err)
{
    device *d = base_alloc_zero(mem, 1, sizeof *d, err);
    *out = d;
    if (!d)
        return VG_ERR_MEMORY;
    (void)index; /* a name of CUDA's has one number */
    vg_status st = load(&d->cu, err);
    if (st == VG_OK)
        st = find_device(d, platform, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuDevicePrimaryCtxRetain(&d->context, d->id), "make a context", err);
    if (st == VG_OK)
        st = enter(d, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuStreamCreate(&d->stream, CU_STREAM_NON_BLOCKING), "make a stream",
                   err);
    if (st != VG_OK)
        cuda_close(out);
    return st;
}

static const vg_device *cuda_facts(const void *self)
{
    return &((const device *)self)->facts;
}

static vg_status cuda_program(void *self, const gpu_program *p, base_mem *mem, vg_error *err)
{
    device *d = self;
    char log[LOG_BYTES] = "";
    int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
    (void)mem;
    vg_status st = enter(d, err);
    if (st != VG_OK)
        return st;
    const cu_result code = d->cu.cuModuleLoadDataEx(&d->module, p->ptx, 2, options, values);
    if (code == CUDA_ERROR_OUT_OF_MEMORY)
        return check(d, code, "take the kernels", err);
    if (code != CUDA_SUCCESS)
        return base_fail(err, VG_ERR_UNSUPPORTED,
                         base_where("device %s, driver %s", d->facts.name, d->facts.driver),
                         "install a newer driver, or take --device cpu",
                         "the driver does not assemble vigil's kernels (%s): %.*s",
                         code_name(&d->cu, code), LOG_SHOWN, log[0] ? log : "it has no log");
    for (int i = 0; i < GPU_N_KERNELS && st == VG_OK; i++)
        st = check(d, d->cu.cuModuleGetFunction(&d->kernels[i], d->module, gpu_kernel_names[i]),
                   base_where("find the kernel %s", gpu_kernel_names[i]), err);
    return st;
}

/* ---- memory ---- */

static vg_status cuda_take(void *self, gpu_block *out, size_t bytes, vg_error *err)
{
    device *d = self;
    cu_pointer p = 0;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuMemAlloc_v2(&p, bytes), "give memory", err);
    *out = (gpu_block){.handle = st == VG_OK ? (uintptr_t)p : 0, .bytes = bytes};
    return st;
}

static void cuda_give(void *self, gpu_block *block)
{
    device *d = self;
    if (block->handle) {
        leave(d);
        d->cu.cuMemFree_v2((cu_pointer)block->handle);
    }
    *block = (gpu_block){0};
}

static vg_status cuda_take_staging(void *self, gpu_block *out, void **host, size_t bytes,
                                   vg_error *err)
{
    device *d = self;
    *host = NULL;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuMemHostAlloc(host, bytes, 0), "pin memory", err);
    if (st == VG_OK)
        memset(*host, 0, bytes);
    *out = (gpu_block){.handle = st == VG_OK ? (uintptr_t)*host : 0, .bytes = bytes};
    return st;
}

static void cuda_give_staging(void *self, gpu_block *block, void **host)
{
    device *d = self;
    if (*host) {
        leave(d);
        d->cu.cuMemFreeHost(*host);
    }
    *host = NULL;
    *block = (gpu_block){0};
}

static vg_status cuda_upload(void *self, const gpu_block *to, size_t at, const void *host,
                             size_t bytes, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d,
                   d->cu.cuMemcpyHtoDAsync_v2((cu_pointer)to->handle + at, host, bytes, d->stream),
                   "copy to the device", err);
    return st;
}

static vg_status cuda_download(void *self, void *host, const gpu_block *from, size_t at,
                               size_t bytes, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(
            d, d->cu.cuMemcpyDtoHAsync_v2(host, (cu_pointer)from->handle + at, bytes, d->stream),
            "copy from the device", err);
    return st;
}

/* ---- work ---- */

static vg_status cuda_launch(void *self, const gpu_launch *l, const gpu_block *block,
                             const gpu_block *weights, vg_error *err)
{
    const device *d = self;
    cu_pointer b = (cu_pointer)block->handle, w = (cu_pointer)weights->handle;
    gpu_args args = l->args; /* the driver copies what these point at before it returns */
    void *arguments[] = {&b, &w, &args};
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st =
            check(d,
                  d->cu.cuLaunchKernel(d->kernels[l->kernel], l->groups[0], l->groups[1],
                                       l->groups[2], l->items, 1, 1, 0, d->stream, arguments, NULL),
                  base_where("start the kernel %s", gpu_kernel_names[l->kernel]), err);
    return st;
}

static vg_status cuda_finish(void *self, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    return st == VG_OK ? check(d, d->cu.cuStreamSynchronize(d->stream), "finish its work", err)
                       : st;
}

static size_t cuda_free_bytes(void *self)
{
    const device *d = self;
    size_t free_now = 0, all = 0;
    return d->cu.cuCtxSetCurrent(d->context) == CUDA_SUCCESS &&
                   d->cu.cuMemGetInfo_v2(&free_now, &all) == CUDA_SUCCESS
               ? free_now
               : 0;
}

const gpu_host gpu_host_cuda = {.name = "cuda",
                                .list = cuda_list,
                                .open = cuda_open,
                                .close = cuda_close,
                                .facts = cuda_facts,
                                .program = cuda_program,
                                .take = cuda_take,
                                .give = cuda_give,
                                .take_staging = cuda_take_staging,
                                .give_staging = cuda_give_staging,
                                .upload = cuda_upload,
                                .download = cuda_download,
                                .launch = cuda_launch,
                                .finish = cuda_finish,
                                .free_bytes = cuda_free_bytes};
