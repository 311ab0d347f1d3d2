/* host_cuda.c: NVIDIA's GPUs through libcuda.so.1, which comes with their driver.
 *
 * The kernels are the PTX that the build made; the driver assembles it for its GPU when a device is
 * opened, and keeps the result in a cache of its own (~/.nv/ComputeCache). A device has the
 * primary context, which others in this process share, and three streams (lanes). Every call makes
 * the context that of its thread first: jobs open in one thread and run in another. */
#include <assert.h>
#include <string.h>

#include "cuda_api.h"
#include "faults.h"
#include "host.h"

enum {
    LOG_BYTES = 1024,
    LOG_SHOWN = 200,
    OLDEST_DRIVER = 9000, /* CUDA 9.0: the first that reads this PTX (6.0, sm_70) */
    OLDEST_CAPABILITY = 70,
    MATRIX_DRIVER = 11000, /* the first that reads PTX 7.0 */
    MATRIX_CAPABILITY = 75,
    DEEPER_CAPABILITY = 80,
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
    cu_stream streams[GPU_N_LANES];
    cu_event marks[GPU_N_MARKS];
    cu_module modules[GPU_N_SETS];
    bool is_ready[GPU_N_SETS];
    cu_function kernels[GPU_N_KERNELS];
    vg_device facts;
} device;

/* ---- errors ---- */

static const char *code_name(const api *cu, cu_result code)
{
    const char *name = NULL;
    return cu->cuGetErrorName(code, &name) == CUDA_SUCCESS && name ? name : "an error";
}

static gpu_fault fault_of(cu_result code)
{
    switch (code) {
    case CUDA_ERROR_OUT_OF_MEMORY:
        return GPU_FAULT_MEMORY;
    case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
        return GPU_FAULT_RESOURCES;
    case CUDA_ERROR_LAUNCH_TIMEOUT:
        return GPU_FAULT_TIMEOUT;
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
        return GPU_FAULT_BUSY;
    case CUDA_ERROR_DEINITIALIZED: /* after these the context is of no more use */
    case CUDA_ERROR_NO_DEVICE:
    case CUDA_ERROR_INVALID_DEVICE:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_UNKNOWN:
        return GPU_FAULT_LOST;
    default:
        return GPU_FAULT_OTHER;
    }
}

/* VG_OK where code says so. what: what could not be done. */
static vg_status check(const device *d, cu_result code, const char *what, vg_error *err)
{
    const char *words = NULL;
    if (code == CUDA_SUCCESS)
        return VG_OK;
    if (d->cu.cuGetErrorString(code, &words) != CUDA_SUCCESS || !words)
        words = "no more is known";
    return gpu_fault_tell(err, fault_of(code), &d->facts, what,
                          base_where("%s (%d), %s", code_name(&d->cu, code), code, words));
}

/* ---- the library ---- */

static vg_status load(api *out, vg_error *err)
{
    *out = (api){0};
    if (!gpu_programs[GPU_INFER].ptx)
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

static int capability_of(const api *cu, cu_device id)
{
    return attribute(cu, id, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
           attribute(cu, id, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

static void describe(vg_device *out, const api *cu, cu_device id, int index)
{
    const int capability = capability_of(cu, id);
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
            for (int i = 0; i < GPU_N_SETS; i++)
                if (d->modules[i])
                    d->cu.cuModuleUnload(d->modules[i]);
            for (int i = 0; i < GPU_N_MARKS; i++)
                if (d->marks[i])
                    d->cu.cuEventDestroy_v2(d->marks[i]);
            for (int i = 0; i < GPU_N_LANES; i++)
                if (d->streams[i])
                    d->cu.cuStreamDestroy_v2(d->streams[i]);
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
    for (int i = 0; i < GPU_N_LANES && st == VG_OK; i++)
        st = check(d, d->cu.cuStreamCreate(&d->streams[i], CU_STREAM_NON_BLOCKING), "make a stream",
                   err);
    for (int i = 0; i < GPU_N_MARKS && st == VG_OK; i++)
        st = check(d, d->cu.cuEventCreate(&d->marks[i], CU_EVENT_DISABLE_TIMING), "make an event",
                   err);
    if (st != VG_OK)
        cuda_close(out);
    return st;
}

static const vg_device *cuda_facts(const void *self)
{
    return &((const device *)self)->facts;
}

/* Capability, where its matrix units can be asked for; 0: they cannot. */
static int matrix_capability(const device *d)
{
    const int capability = capability_of(&d->cu, d->id);
    int version = 0;
    return d->cu.cuDriverGetVersion(&version) == CUDA_SUCCESS && version >= MATRIX_DRIVER &&
                   capability >= MATRIX_CAPABILITY
               ? capability
               : 0;
}

static bool cuda_has_matrix(const void *self)
{
    return matrix_capability(self) > 0;
}

static const char *ptx_for(const device *d, const gpu_program *p)
{
    const int capability = p->ptx_sm75 ? matrix_capability(d) : 0;
    return capability >= DEEPER_CAPABILITY ? p->ptx_sm80 : capability > 0 ? p->ptx_sm75 : p->ptx;
}

static vg_status cuda_program(void *self, gpu_set set, base_mem *mem, vg_error *err)
{
    device *d = self;
    const gpu_kernel_range range = gpu_set_kernels[set];
    char log[LOG_BYTES] = "";
    int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
    (void)mem;
    if (d->is_ready[set])
        return VG_OK;
    vg_status st = enter(d, err);
    if (st != VG_OK)
        return st;
    const cu_result code =
        d->modules[set] ? CUDA_SUCCESS
                        : d->cu.cuModuleLoadDataEx(&d->modules[set], ptx_for(d, &gpu_programs[set]),
                                                   2, options, values);
    if (code == CUDA_ERROR_OUT_OF_MEMORY)
        return check(d, code, "take the kernels", err);
    if (code != CUDA_SUCCESS)
        return base_fail(err, VG_ERR_UNSUPPORTED,
                         base_where("device %s, driver %s", d->facts.name, d->facts.driver),
                         "install a newer driver, or take --device cpu",
                         "the driver does not assemble vigil's kernels (%s): %.*s",
                         code_name(&d->cu, code), LOG_SHOWN, log[0] ? log : "it has no log");
    for (int i = range.first; i < range.end && st == VG_OK; i++)
        st = check(d,
                   d->cu.cuModuleGetFunction(&d->kernels[i], d->modules[set], gpu_kernel_names[i]),
                   base_where("find the kernel %s", gpu_kernel_names[i]), err);
    d->is_ready[set] = st == VG_OK;
    return st;
}

/* ---- memory ---- */

static vg_status cuda_take(void *self, gpu_block *out, size_t bytes, vg_error *err)
{
    device *d = self;
    char size[32];
    cu_pointer p = 0;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(
            d, d->cu.cuMemAlloc_v2(&p, bytes),
            base_where("give %s of memory", base_format_bytes(size, sizeof size, (double)bytes)),
            err);
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
    char size[32];
    *host = NULL;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(
            d, d->cu.cuMemHostAlloc(host, bytes, 0),
            base_where("pin %s of memory", base_format_bytes(size, sizeof size, (double)bytes)),
            err);
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

static vg_status copy_up(const device *d, gpu_lane lane, const gpu_block *to, size_t at,
                         const void *host, size_t bytes, vg_error *err)
{
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(
            d,
            d->cu.cuMemcpyHtoDAsync_v2((cu_pointer)to->handle + at, host, bytes, d->streams[lane]),
            "copy to the device", err);
    return st;
}

static vg_status copy_down(const device *d, gpu_lane lane, void *host, const gpu_block *from,
                           size_t at, size_t bytes, vg_error *err)
{
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d,
                   d->cu.cuMemcpyDtoHAsync_v2(host, (cu_pointer)from->handle + at, bytes,
                                              d->streams[lane]),
                   "copy from the device", err);
    return st;
}

static vg_status cuda_upload(void *self, const gpu_block *to, size_t at, const void *host,
                             size_t bytes, vg_error *err)
{
    return copy_up(self, GPU_WORK, to, at, host, bytes, err);
}

static vg_status cuda_download(void *self, void *host, const gpu_block *from, size_t at,
                               size_t bytes, vg_error *err)
{
    return copy_down(self, GPU_WORK, host, from, at, bytes, err);
}

static vg_status cuda_upload_beside(void *self, const gpu_block *to, size_t at, const void *host,
                                    size_t bytes, vg_error *err)
{
    return copy_up(self, GPU_UP, to, at, host, bytes, err);
}

static vg_status cuda_download_beside(void *self, void *host, const gpu_block *from, size_t at,
                                      size_t bytes, vg_error *err)
{
    return copy_down(self, GPU_DOWN, host, from, at, bytes, err);
}

/* ---- lanes ---- */

static vg_status cuda_mark(void *self, gpu_lane lane, int mark, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuEventRecord(d->marks[mark], d->streams[lane]), "mark its work", err);
    return st;
}

static vg_status cuda_follow(void *self, gpu_lane lane, int mark, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d, d->cu.cuStreamWaitEvent(d->streams[lane], d->marks[mark], 0),
                   "wait for its own work", err);
    return st;
}

static vg_status cuda_await(void *self, int mark, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    return st == VG_OK ? check(d, d->cu.cuEventSynchronize(d->marks[mark]), "finish its work", err)
                       : st;
}

/* ---- work ---- */

/* The driver copies what the arguments point at before it returns. */
static vg_status cuda_launch(void *self, const gpu_launch *l, vg_error *err)
{
    const device *d = self;
    cu_pointer buffers[GPU_MOST_BUFFERS];
    void *arguments[GPU_MOST_BUFFERS + 1];
    assert(d->kernels[l->kernel] && l->n_buffers <= GPU_MOST_BUFFERS);
    for (int i = 0; i < l->n_buffers; i++) {
        buffers[i] = (cu_pointer)l->buffers[i]->handle;
        arguments[i] = &buffers[i];
    }
    arguments[l->n_buffers] = (void *)(uintptr_t)l->args; /* which it only reads */
    vg_status st = enter(d, err);
    if (st == VG_OK)
        st = check(d,
                   d->cu.cuLaunchKernel(d->kernels[l->kernel], l->groups[0], l->groups[1],
                                        l->groups[2], l->items, 1, 1, 0, d->streams[GPU_WORK],
                                        arguments, NULL),
                   base_where("start the kernel %s", gpu_kernel_names[l->kernel]), err);
    return st;
}

static vg_status cuda_finish(void *self, vg_error *err)
{
    const device *d = self;
    vg_status st = enter(d, err);
    for (int i = 0; i < GPU_N_LANES; i++) { /* all, and the first failure is told */
        const cu_result code = d->cu.cuStreamSynchronize(d->streams[i]);
        st = st == VG_OK ? check(d, code, "finish its work", err) : st;
    }
    return st;
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
                                .has_matrix = cuda_has_matrix,
                                .program = cuda_program,
                                .take = cuda_take,
                                .give = cuda_give,
                                .take_staging = cuda_take_staging,
                                .give_staging = cuda_give_staging,
                                .upload = cuda_upload,
                                .download = cuda_download,
                                .upload_beside = cuda_upload_beside,
                                .download_beside = cuda_download_beside,
                                .mark = cuda_mark,
                                .follow = cuda_follow,
                                .await = cuda_await,
                                .launch = cuda_launch,
                                .finish = cuda_finish,
                                .free_bytes = cuda_free_bytes};
