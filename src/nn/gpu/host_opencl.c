/* host_opencl.c: OpenCL 1.2 through libOpenCL.so.1, the loader that knows every driver installed.
 *
 * A device has a context and three queues (lanes) that each work in order. A set of kernels is a
 * program; they take blocks, and their arguments by value. */
#include <assert.h>
#include <string.h>

#include "faults.h"
#include "host.h"
#include "opencl_api.h"

enum { MOST_PLATFORMS = 16, MOST_DEVICES = 16, LOG_BYTES = 200, MOST_BINARY_BYTES = 64 << 20 };

typedef struct api {
    void *library;
#define X(name, result, arguments) result(*name) arguments;
    OPENCL_FUNCTIONS(X)
#undef X
} api;

typedef struct device {
    api cl;
    cl_device_id id;
    cl_context context;
    cl_queue queues[GPU_N_LANES];
    cl_event marks[GPU_N_MARKS]; /* NULL: never set */
    cl_program programs[GPU_N_SETS];
    bool is_ready[GPU_N_SETS];
    cl_kernel kernels[GPU_N_KERNELS];
    vg_device facts;
} device;

/* ---- errors ---- */

static const struct code {
    cl_int code;
    const char *name;
    gpu_fault fault;
} codes[] = {
#define ROW(name, fault)                                                                           \
    {                                                                                              \
        name, #name, GPU_FAULT_##fault                                                             \
    }
    ROW(CL_DEVICE_NOT_FOUND, LOST),
    ROW(CL_DEVICE_NOT_AVAILABLE, LOST),
    ROW(CL_MEM_OBJECT_ALLOCATION_FAILURE, MEMORY),
    ROW(CL_OUT_OF_RESOURCES, RESOURCES),
    ROW(CL_OUT_OF_HOST_MEMORY, MEMORY),
    ROW(CL_BUILD_PROGRAM_FAILURE, OTHER),
    ROW(CL_INVALID_CONTEXT, LOST), /* as drivers say after a reset */
    ROW(CL_INVALID_COMMAND_QUEUE, LOST),
    ROW(CL_INVALID_BUFFER_SIZE, MEMORY),
#undef ROW
};

static const struct code *code_of(cl_int code)
{
    static const struct code none = {.name = "an error"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return &codes[i];
    return &none;
}

/* VG_OK where code says so. what: what could not be done. */
static vg_status check(const device *d, cl_int code, const char *what, vg_error *err)
{
    if (code == CL_SUCCESS)
        return VG_OK;
    const struct code *c = code_of(code);
    /* What was never ours is not lost. */
    const bool is_busy = code == CL_DEVICE_NOT_AVAILABLE && !d->queues[0];
    return gpu_fault_tell(err, is_busy ? GPU_FAULT_BUSY : c->fault, &d->facts, what,
                          base_where("%s (%d)", c->name, (int)code));
}

/* ---- the loader ---- */

static vg_status load(api *out, vg_error *err)
{
    *out = (api){0};
    vg_status st = base_library_open(&out->library, "libOpenCL.so.1", "OpenCL needs its loader",
                                     "install ocl-icd-libopencl1 and the GPU's driver", err);
#define X(name, result, arguments)                                                                 \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&out->name, out->library, #name, err);
    OPENCL_FUNCTIONS(X)
#undef X
    if (st != VG_OK)
        base_library_close(&out->library);
    return st;
}

/* Both: *n is 0 where there are none, which is no failure. */
static cl_int platforms(const api *cl, cl_platform_id *out, cl_uint *n)
{
    *n = 0;
    const cl_int code = cl->clGetPlatformIDs(MOST_PLATFORMS, out, n);
    if (code != CL_SUCCESS)
        *n = 0;
    *n = *n < MOST_PLATFORMS ? *n : MOST_PLATFORMS;
    return code == CL_PLATFORM_NOT_FOUND ? CL_SUCCESS : code;
}

static cl_int devices(const api *cl, cl_platform_id platform, cl_device_id *out, cl_uint *n)
{
    *n = 0;
    const cl_int code = cl->clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MOST_DEVICES, out, n);
    if (code != CL_SUCCESS)
        *n = 0;
    *n = *n < MOST_DEVICES ? *n : MOST_DEVICES;
    return code == CL_DEVICE_NOT_FOUND ? CL_SUCCESS : code;
}

/* ---- facts ---- */

static void text_of(const api *cl, cl_device_id id, cl_uint what, char *out, size_t n)
{
    char text[1024] = "";
    if (cl->clGetDeviceInfo(id, what, sizeof text - 1, text, NULL) != CL_SUCCESS)
        text[0] = '\0';
    base_format(out, n, "%s", text);
}

static uint64_t number_of(const api *cl, cl_device_id id, cl_uint what, size_t bytes)
{
    uint64_t value = 0; /* the driver writes its low bytes: little-endian, as every host here */
    return cl->clGetDeviceInfo(id, what, bytes, &value, NULL) == CL_SUCCESS ? value : 0;
}

/* What our kernels need; "": all is there. */
static void find_fault(vg_device *d, const api *cl, cl_device_id id)
{
    char version[64];
    int64_t major = 0, minor = 0;
    const uint64_t items = number_of(cl, id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    const uint64_t local = number_of(cl, id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong));
    text_of(cl, id, CL_DEVICE_VERSION, version, sizeof version); /* "OpenCL 1.2 pocl ..." */
    const bool reads = strlen(version) >= 10 &&
                       base_parse_i64(&major, (char[]){version[7], 0}, 0, 9) &&
                       base_parse_i64(&minor, (char[]){version[9], 0}, 0, 9);
    if (!number_of(cl, id, CL_DEVICE_AVAILABLE, sizeof(cl_bool)))
        base_format(d->fault, sizeof d->fault, "the driver says that it is not available");
    else if (!reads || major * 10 + minor < 12)
        base_format(d->fault, sizeof d->fault, "its driver is older than OpenCL 1.2: %s", version);
    else if (!number_of(cl, id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_bool)))
        base_format(d->fault, sizeof d->fault, "its driver has no compiler");
    else if (items < GPU_ITEMS)
        base_format(d->fault, sizeof d->fault, "groups of %d work items at most, %d are needed",
                    (int)items, GPU_ITEMS);
    else if (local < 32 * 1024)
        base_format(d->fault, sizeof d->fault, "%d bytes of local memory, 32768 are needed",
                    (int)local);
}

static void describe(vg_device *out, const api *cl, cl_platform_id platform, cl_device_id id, int p,
                     int i)
{
    char extensions[8192] = "";
    *out = (vg_device){0};
    base_format(out->name, sizeof out->name, i == 0 ? "opencl:%d" : "opencl:%d.%d", p, i);
    text_of(cl, id, CL_DEVICE_NAME, out->title, sizeof out->title);
    text_of(cl, id, CL_DEVICE_VENDOR, out->vendor, sizeof out->vendor);
    text_of(cl, id, CL_DRIVER_VERSION, out->driver, sizeof out->driver);
    cl->clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof out->platform - 1, out->platform,
                          NULL);
    if (cl->clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, sizeof extensions - 1, extensions, NULL) !=
        CL_SUCCESS)
        extensions[0] = '\0';
    out->has_half = strstr(extensions, "cl_khr_fp16") != NULL;
    out->is_gpu = (number_of(cl, id, CL_DEVICE_TYPE, sizeof(cl_bits)) & CL_DEVICE_TYPE_GPU) != 0;
    out->n_units = (int)number_of(cl, id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint));
    out->memory_bytes = number_of(cl, id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong));
    out->most_block_bytes = number_of(cl, id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong));
    find_fault(out, cl, id);
}

static vg_status opencl_list(vg_device *out, size_t capacity, size_t *n, vg_error *err)
{
    api cl;
    cl_platform_id p[MOST_PLATFORMS];
    cl_device_id d[MOST_DEVICES];
    *n = 0;
    vg_status st = load(&cl, err);
    if (st != VG_OK)
        return st;
    cl_uint n_platforms = 0, n_devices = 0;
    const cl_int code = platforms(&cl, p, &n_platforms);
    for (cl_uint i = 0; i < n_platforms; i++) {
        devices(&cl, p[i], d, &n_devices); /* a driver that fails has none; the others do */
        for (cl_uint j = 0; j < n_devices && *n < capacity; j++)
            describe(&out[(*n)++], &cl, p[i], d[j], (int)i, (int)j);
    }
    base_library_close(&cl.library);
    if (code != CL_SUCCESS)
        return base_fail(err, VG_ERR_DEVICE, "OpenCL", "look at the drivers' own logs (dmesg)",
                         "OpenCL's loader could not list its drivers: %s (%d)", code_of(code)->name,
                         (int)code);
    return *n > 0 ? VG_OK
                  : base_fail(err, VG_ERR_UNSUPPORTED, "OpenCL",
                              "install the driver of your GPU (/etc/OpenCL/vendors names those "
                              "that are installed)",
                              "no OpenCL driver has a device");
}

/* ---- open and close ---- */

static void opencl_close(void **self)
{
    device *d = *self;
    if (d) {
        for (int i = 0; i < GPU_N_KERNELS; i++)
            if (d->kernels[i])
                d->cl.clReleaseKernel(d->kernels[i]);
        for (int i = 0; i < GPU_N_SETS; i++)
            if (d->programs[i])
                d->cl.clReleaseProgram(d->programs[i]);
        for (int i = 0; i < GPU_N_MARKS; i++)
            if (d->marks[i])
                d->cl.clReleaseEvent(d->marks[i]);
        for (int i = 0; i < GPU_N_LANES; i++)
            if (d->queues[i])
                d->cl.clReleaseCommandQueue(d->queues[i]);
        if (d->context)
            d->cl.clReleaseContext(d->context);
        base_library_close(&d->cl.library);
        base_free(d);
    }
    *self = NULL;
}

static vg_status find_device(device *d, int platform, int index, vg_error *err)
{
    cl_platform_id p[MOST_PLATFORMS];
    cl_device_id ids[MOST_DEVICES];
    cl_uint n_platforms = 0, n = 0;
    base_format(d->facts.name, sizeof d->facts.name, "opencl:%d.%d", platform, index);
    vg_status st = check(d, platforms(&d->cl, p, &n_platforms), "list the drivers", err);
    if (st == VG_OK && platform < (int)n_platforms)
        st = check(d, devices(&d->cl, p[platform], ids, &n), "list its devices", err);
    if (st != VG_OK)
        return st;
    if (index >= (int)n)
        return base_fail(err, VG_ERR_ARGUMENT, "device", "vigil devices lists those that are there",
                         "there is no device opencl:%d.%d", platform, index);
    d->id = ids[index];
    describe(&d->facts, &d->cl, p[platform], d->id, platform, index);
    if (d->facts.fault[0] != '\0')
        return base_fail(err, VG_ERR_UNSUPPORTED, base_where("device %s", d->facts.name),
                         "take another device (vigil devices), or --device cpu",
                         "the device %s cannot be used: %s", d->facts.title, d->facts.fault);
    return VG_OK;
}

static vg_status opencl_open(void **out, int platform, int index, base_mem *mem, vg_error *err)
{
    cl_int code = CL_SUCCESS;
    device *d = base_alloc_zero(mem, 1, sizeof *d, err);
    *out = d;
    if (!d)
        return VG_ERR_MEMORY;
    vg_status st = load(&d->cl, err);
    if (st == VG_OK)
        st = find_device(d, platform, index, err);
    if (st == VG_OK) {
        d->context = d->cl.clCreateContext(NULL, 1, &d->id, NULL, NULL, &code);
        st = check(d, code, "make a context", err);
    }
    for (int i = 0; i < GPU_N_LANES && st == VG_OK; i++) {
        d->queues[i] = d->cl.clCreateCommandQueue(d->context, d->id, 0, &code);
        st = check(d, code, "make a queue", err);
    }
    if (st != VG_OK)
        opencl_close(out);
    return st;
}

/* ---- the program ---- */

/* What a compiled program depends on. */
static uint64_t program_key(const device *d, const gpu_program *p)
{
    uint64_t h = base_hash(BASE_HASH_START, p->text, p->text_bytes);
    h = base_hash(h, d->facts.platform, strlen(d->facts.platform) + 1);
    h = base_hash(h, d->facts.vendor, strlen(d->facts.vendor) + 1);
    h = base_hash(h, d->facts.title, strlen(d->facts.title) + 1);
    return base_hash(h, d->facts.driver, strlen(d->facts.driver) + 1);
}

/* From the cache; a driver that will not have it compiles again. */
static bool build_kept(device *d, cl_program *out, uint64_t key, base_mem *mem)
{
    char *bytes = NULL;
    size_t n = 0;
    cl_int code = CL_SUCCESS, status = CL_SUCCESS;
    gpu_cache_get(&bytes, &n, key, mem);
    if (!bytes)
        return false;
    const unsigned char *binary = (const unsigned char *)bytes;
    *out = d->cl.clCreateProgramWithBinary(d->context, 1, &d->id, &n, &binary, &status, &code);
    bool is_built = code == CL_SUCCESS && status == CL_SUCCESS && *out &&
                    d->cl.clBuildProgram(*out, 1, &d->id, "", NULL, NULL) == CL_SUCCESS;
    base_free(bytes);
    if (!is_built && *out) {
        d->cl.clReleaseProgram(*out);
        *out = NULL;
    }
    return is_built;
}

static void keep(device *d, cl_program program, uint64_t key, base_mem *mem)
{
    size_t n = 0;
    if (d->cl.clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) !=
            CL_SUCCESS ||
        n == 0 || n > MOST_BINARY_BYTES)
        return;
    unsigned char *bytes = base_alloc(mem, n, NULL);
    if (bytes && d->cl.clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) ==
                     CL_SUCCESS)
        gpu_cache_put(key, bytes, n, mem);
    base_free(bytes);
}

/* The end of the compiler's log, where the first error of a short one is. */
static vg_status fail_build(device *d, cl_program program, cl_int code, base_mem *mem,
                            vg_error *err)
{
    size_t n = 0;
    char *log = NULL;
    if (d->cl.clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n) ==
            CL_SUCCESS &&
        n > 0)
        log = base_alloc_zero(mem, n + 1, 1, NULL);
    if (log)
        d->cl.clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    base_fail(err, VG_ERR_UNSUPPORTED,
              base_where("device %s, driver %s", d->facts.name, d->facts.driver),
              "install a newer driver, or take --device cpu",
              "the driver does not compile vigil's kernels (%s): %.*s", code_of(code)->name,
              LOG_BYTES, log ? log : "it has no log");
    base_free(log);
    return VG_ERR_UNSUPPORTED;
}

/* *out: what there is of it, also on failure. */
static vg_status build(device *d, cl_program *out, const gpu_program *p, base_mem *mem,
                       vg_error *err)
{
    cl_int code = CL_SUCCESS;
    const uint64_t key = program_key(d, p);
    if (build_kept(d, out, key, mem))
        return VG_OK;
    *out = d->cl.clCreateProgramWithSource(d->context, 1, (const char *[]){p->text}, &p->text_bytes,
                                           &code);
    vg_status st = check(d, code, "take the kernels' text", err);
    if (st != VG_OK)
        return st;
    code = d->cl.clBuildProgram(
        *out, 1, &d->id, d->facts.is_gpu ? "-cl-std=CL1.2" : "-cl-std=CL1.2 -D GPU_KEEP_LOOPS",
        NULL, NULL);
    if (code != CL_SUCCESS)
        return fail_build(d, *out, code, mem, err);
    keep(d, *out, key, mem);
    return VG_OK;
}

static vg_status opencl_program(void *self, gpu_set set, base_mem *mem, vg_error *err)
{
    device *d = self;
    const gpu_kernel_range range = gpu_set_kernels[set];
    cl_program built = NULL;
    cl_int code = CL_SUCCESS;
    if (d->is_ready[set])
        return VG_OK;
    vg_status st = d->programs[set] ? VG_OK : build(d, &built, &gpu_programs[set], mem, err);
    if (st != VG_OK) {
        if (built)
            d->cl.clReleaseProgram(built);
        return st;
    }
    if (built)
        d->programs[set] = built;
    for (int i = range.first; i < range.end && st == VG_OK; i++) {
        if (d->kernels[i])
            continue;
        d->kernels[i] = d->cl.clCreateKernel(d->programs[set], gpu_kernel_names[i], &code);
        st = check(d, code, base_where("find the kernel %s", gpu_kernel_names[i]), err);
    }
    d->is_ready[set] = st == VG_OK;
    return st;
}

/* ---- memory ---- */

static vg_status take(device *d, gpu_block *out, cl_bits flags, size_t bytes, vg_error *err)
{
    cl_int code = CL_SUCCESS;
    cl_mem m = d->cl.clCreateBuffer(d->context, flags, bytes, NULL, &code);
    *out = (gpu_block){.handle = code == CL_SUCCESS ? (uintptr_t)m : 0, .bytes = bytes};
    char size[32];
    return check(
        d, code,
        base_where("give %s of memory", base_format_bytes(size, sizeof size, (double)bytes)), err);
}

static void opencl_give(void *self, gpu_block *block)
{
    device *d = self;
    if (block->handle)
        d->cl.clReleaseMemObject((cl_mem)block->handle);
    *block = (gpu_block){0};
}

/* Drivers take memory when it is first written: it is there from the start, or not at all. */
static vg_status touch(device *d, const gpu_block *block, vg_error *err)
{
    static const char zero[64];
    vg_status st = VG_OK;
    for (size_t at = 0; at < block->bytes && st == VG_OK; at += 1 << 20)
        st = check(d,
                   d->cl.clEnqueueWriteBuffer(d->queues[GPU_WORK], (cl_mem)block->handle, false, at,
                                              block->bytes - at < sizeof zero ? block->bytes - at
                                                                              : sizeof zero,
                                              zero, 0, NULL, NULL),
                   "write memory", err);
    return st == VG_OK ? check(d, d->cl.clFinish(d->queues[GPU_WORK]), "write memory", err) : st;
}

static vg_status opencl_take(void *self, gpu_block *out, size_t bytes, vg_error *err)
{
    vg_status st = take(self, out, CL_MEM_READ_WRITE, bytes, err);
    if (st == VG_OK)
        st = touch(self, out, err);
    if (st != VG_OK)
        opencl_give(self, out);
    return st;
}

static void opencl_give_staging(void *self, gpu_block *block, void **host)
{
    device *d = self;
    if (*host) {
        d->cl.clEnqueueUnmapMemObject(d->queues[GPU_WORK], (cl_mem)block->handle, *host, 0, NULL,
                                      NULL);
        d->cl.clFinish(d->queues[GPU_WORK]);
    }
    *host = NULL;
    opencl_give(self, block);
}

static vg_status opencl_take_staging(void *self, gpu_block *out, void **host, size_t bytes,
                                     vg_error *err)
{
    device *d = self;
    cl_int code = CL_SUCCESS;
    *host = NULL;
    vg_status st = take(d, out, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, err);
    if (st != VG_OK)
        return st;
    *host = d->cl.clEnqueueMapBuffer(d->queues[GPU_WORK], (cl_mem)out->handle, true,
                                     CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, &code);
    st = check(d, code, "map memory", err);
    if (st == VG_OK)
        memset(*host, 0, bytes);
    else {
        *host = NULL;
        opencl_give(self, out);
    }
    return st;
}

static vg_status copy_up(const device *d, gpu_lane lane, const gpu_block *to, size_t at,
                         const void *host, size_t bytes, vg_error *err)
{
    return check(d,
                 d->cl.clEnqueueWriteBuffer(d->queues[lane], (cl_mem)to->handle, false, at, bytes,
                                            host, 0, NULL, NULL),
                 "copy to the device", err);
}

static vg_status copy_down(const device *d, gpu_lane lane, void *host, const gpu_block *from,
                           size_t at, size_t bytes, vg_error *err)
{
    return check(d,
                 d->cl.clEnqueueReadBuffer(d->queues[lane], (cl_mem)from->handle, false, at, bytes,
                                           host, 0, NULL, NULL),
                 "copy from the device", err);
}

static vg_status opencl_upload(void *self, const gpu_block *to, size_t at, const void *host,
                               size_t bytes, vg_error *err)
{
    return copy_up(self, GPU_WORK, to, at, host, bytes, err);
}

static vg_status opencl_download(void *self, void *host, const gpu_block *from, size_t at,
                                 size_t bytes, vg_error *err)
{
    return copy_down(self, GPU_WORK, host, from, at, bytes, err);
}

static vg_status opencl_upload_beside(void *self, const gpu_block *to, size_t at, const void *host,
                                      size_t bytes, vg_error *err)
{
    return copy_up(self, GPU_UP, to, at, host, bytes, err);
}

static vg_status opencl_download_beside(void *self, void *host, const gpu_block *from, size_t at,
                                        size_t bytes, vg_error *err)
{
    return copy_down(self, GPU_DOWN, host, from, at, bytes, err);
}

/* ---- lanes ---- */

static vg_status opencl_mark(void *self, gpu_lane lane, int mark, vg_error *err)
{
    device *d = self;
    cl_event event = NULL;
    cl_int code = d->cl.clEnqueueMarkerWithWaitList(d->queues[lane], 0, NULL, &event);
    if (code != CL_SUCCESS)
        return check(d, code, "mark its work", err);
    if (d->marks[mark])
        d->cl.clReleaseEvent(d->marks[mark]);
    d->marks[mark] = event;
    /* A queue that waits for another's event does not make the other begin. */
    return check(d, d->cl.clFlush(d->queues[lane]), "begin its work", err);
}

static vg_status opencl_follow(void *self, gpu_lane lane, int mark, vg_error *err)
{
    const device *d = self;
    assert(d->marks[mark]);
    return check(d, d->cl.clEnqueueBarrierWithWaitList(d->queues[lane], 1, &d->marks[mark], NULL),
                 "wait for its own work", err);
}

static vg_status opencl_await(void *self, int mark, vg_error *err)
{
    const device *d = self;
    assert(d->marks[mark]);
    return check(d, d->cl.clWaitForEvents(1, &d->marks[mark]), "finish its work", err);
}

/* ---- work ---- */

static vg_status opencl_launch(void *self, const gpu_launch *l, vg_error *err)
{
    const device *d = self;
    cl_kernel k = d->kernels[l->kernel];
    const size_t local[3] = {l->items, 1, 1},
                 global[3] = {(size_t)l->groups[0] * l->items, l->groups[1], l->groups[2]};
    cl_int code = CL_SUCCESS;
    assert(k && l->n_buffers <= GPU_MOST_BUFFERS);
    for (int i = 0; i < l->n_buffers && code == CL_SUCCESS; i++) {
        const cl_mem b = (cl_mem)l->buffers[i]->handle;
        code = d->cl.clSetKernelArg(k, (cl_uint)i, sizeof b, &b);
    }
    if (code == CL_SUCCESS)
        code = d->cl.clSetKernelArg(k, (cl_uint)l->n_buffers, l->args_bytes, l->args);
    if (code == CL_SUCCESS)
        code = d->cl.clEnqueueNDRangeKernel(d->queues[GPU_WORK], k, 3, NULL, global, local, 0, NULL,
                                            NULL);
    return check(d, code, base_where("start the kernel %s", gpu_kernel_names[l->kernel]), err);
}

static vg_status opencl_finish(void *self, vg_error *err)
{
    const device *d = self;
    vg_status st = VG_OK;
    for (int i = 0; i < GPU_N_LANES; i++) { /* all, and the first failure is told */
        const cl_int code = d->cl.clFinish(d->queues[i]);
        st = st == VG_OK ? check(d, code, "finish its work", err) : st;
    }
    return st;
}

/* OpenCL has no question for it. */
static size_t opencl_free_bytes(void *self)
{
    (void)self;
    return 0;
}

static const vg_device *opencl_facts(const void *self)
{
    return &((const device *)self)->facts;
}

/* The kernels that use them are NVIDIA's. */
static bool opencl_has_matrix(const void *self)
{
    (void)self;
    return false;
}

const gpu_host gpu_host_opencl = {.name = "opencl",
                                  .has_platforms = true,
                                  .list = opencl_list,
                                  .open = opencl_open,
                                  .close = opencl_close,
                                  .facts = opencl_facts,
                                  .has_matrix = opencl_has_matrix,
                                  .program = opencl_program,
                                  .take = opencl_take,
                                  .give = opencl_give,
                                  .take_staging = opencl_take_staging,
                                  .give_staging = opencl_give_staging,
                                  .upload = opencl_upload,
                                  .download = opencl_download,
                                  .upload_beside = opencl_upload_beside,
                                  .download_beside = opencl_download_beside,
                                  .mark = opencl_mark,
                                  .follow = opencl_follow,
                                  .await = opencl_await,
                                  .launch = opencl_launch,
                                  .finish = opencl_finish,
                                  .free_bytes = opencl_free_bytes};
