/* fake_cuda.c: a libcuda.so.1 for tests: computes nothing, and looks at how it is called. Memory is
 * real, so that a copy that is too long is seen by whatever watches memory. Calls without a
 * context, a stream or memory that is theirs, kernels whose grid or arguments reach out of their
 * blocks, and things that are never given back, are mistakes; tests ask for them by
 * fake_cuda_state. The fail_at-th call fails once with the code that was set. */
#include "fake_cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/gpu/cuda_api.h"
#include "../../src/nn/gpu/kernels/args.h"

#define EXPORT __attribute__((visibility("default")))

enum { MOST_BLOCKS = 64, CONTEXT = 0x1000, STREAM = 0x2000, MODULE = 0x3000, FUNCTION = 0x4000 };

typedef struct block {
    char *at;
    size_t bytes;
    bool is_host;
} block;

static fake_cuda state = {.n_devices = 2, .version = 12000, .capability = {90, 61}};
static block blocks[MOST_BLOCKS];
static _Thread_local bool is_current;
static bool is_started, has_context, has_stream, has_module;
static char names[64][48];
static int n_names;

EXPORT fake_cuda *fake_cuda_state(void);
fake_cuda *fake_cuda_state(void)
{
    return &state;
}

static void mistake(const char *what)
{
    if (state.n_mistakes++ == 0)
        snprintf(state.mistake, sizeof state.mistake, "%s", what);
}

/* Counts the call; the code that it is to fail with. Releases never fail: nobody could do better.
 */
static int enter(const char *name)
{
    state.n_calls++;
    if (!is_started && strcmp(name, "cuInit") != 0)
        mistake("a call before cuInit");
    if (state.fail_at > 0 && --state.fail_at == 0) {
        snprintf(state.failed, sizeof state.failed, "%s", name);
        return state.fail_with;
    }
    return 0;
}

static int in_context(const char *name)
{
    if (!has_context || !is_current)
        mistake(name);
    return enter(name);
}

static block *find(const void *at)
{
    for (int i = 0; i < MOST_BLOCKS; i++)
        if (blocks[i].at && (const char *)at >= blocks[i].at &&
            (const char *)at < blocks[i].at + blocks[i].bytes)
            return &blocks[i];
    return NULL;
}

static int take(void **out, size_t bytes, bool is_host)
{
    for (int i = 0; i < MOST_BLOCKS; i++)
        if (!blocks[i].at) {
            if (posix_memalign(out, 256, bytes ? bytes : 1) != 0)
                return CUDA_ERROR_OUT_OF_MEMORY;
            memset(*out, 0, bytes);
            blocks[i] = (block){.at = *out, .bytes = bytes, .is_host = is_host};
            state.n_blocks++;
            state.bytes += is_host ? 0 : bytes;
            return 0;
        }
    mistake("more blocks than an engine has");
    return CUDA_ERROR_OUT_OF_MEMORY;
}

static int give(void *at, bool is_host)
{
    block *b = find(at);
    state.n_calls++;
    if (!is_current)
        mistake("memory given back without a context");
    if (!b || b->at != at || b->is_host != is_host) {
        mistake("memory given back that is none");
        return 1;
    }
    state.n_blocks--;
    state.bytes -= is_host ? 0 : b->bytes;
    free(b->at);
    *b = (block){0};
    return 0;
}

/* ---- the driver ---- */

#define X(name, arguments) EXPORT cu_result name arguments;
CUDA_FUNCTIONS(X)
#undef X

cu_result cuInit(unsigned flags)
{
    is_started = true;
    const int code = enter("cuInit");
    if (flags != 0)
        mistake("cuInit with flags");
    return state.init_code ? state.init_code : code;
}

cu_result cuDriverGetVersion(int *version)
{
    *version = state.version;
    return enter("cuDriverGetVersion");
}

cu_result cuDeviceGetCount(int *n)
{
    *n = state.n_devices;
    return enter("cuDeviceGetCount");
}

cu_result cuDeviceGet(cu_device *id, int index)
{
    if (index < 0 || index >= state.n_devices)
        mistake("a device that is not there");
    *id = index;
    return enter("cuDeviceGet");
}

cu_result cuDeviceGetName(char *name, int n, cu_device id)
{
    snprintf(name, (size_t)n, "Stand-in %d", id);
    return enter("cuDeviceGetName");
}

cu_result cuDeviceTotalMem_v2(size_t *bytes, cu_device id)
{
    (void)id;
    *bytes = FAKE_CUDA_MEMORY;
    return enter("cuDeviceTotalMem_v2");
}

cu_result cuDeviceGetAttribute(int *value, int which, cu_device id)
{
    const int capability = state.capability[id];
    *value = which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? capability / 10
             : which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? capability % 10
             : which == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? 7
                                                                     : 0;
    return enter("cuDeviceGetAttribute");
}

cu_result cuDevicePrimaryCtxRetain(cu_context *context, cu_device id)
{
    const int code = enter("cuDevicePrimaryCtxRetain");
    if (id < 0 || id >= state.n_devices)
        mistake("a context of no device");
    if (code == 0) {
        has_context = true;
        state.n_contexts++;
        *context = (cu_context)(uintptr_t)CONTEXT;
    }
    return code;
}

cu_result cuDevicePrimaryCtxRelease_v2(cu_device id)
{
    (void)id;
    state.n_calls++;
    if (state.n_contexts-- <= 0)
        mistake("a context released twice");
    if (has_stream || has_module || state.n_blocks > 0)
        mistake("a context released before what is in it");
    has_context = state.n_contexts > 0;
    return 0;
}

cu_result cuCtxSetCurrent(cu_context context)
{
    is_current = context != NULL;
    if (context && (!has_context || (uintptr_t)context != CONTEXT))
        mistake("a context that is none");
    if (!context) {
        state.n_calls++;
        return 0;
    }
    const int code = enter("cuCtxSetCurrent");
    return code;
}

cu_result cuModuleLoadDataEx(cu_module *module, const void *image, unsigned n, int *options,
                             void **values)
{
    const int code = in_context("cuModuleLoadDataEx");
    if (!strstr(image, ".target sm_70") || !strstr(image, ".version 6.0"))
        mistake("a program that is no PTX for sm_70");
    for (unsigned i = 0; code != 0 && i < n; i++)
        if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
            strcpy(values[i], "ptxas fatal: as a stand-in says");
    if (code == 0) {
        has_module = true;
        *module = (cu_module)(uintptr_t)MODULE;
    }
    return code;
}

cu_result cuModuleUnload(cu_module module)
{
    state.n_calls++;
    if (!has_module || !is_current || (uintptr_t)module != MODULE)
        mistake("a program unloaded that is none");
    has_module = false;
    return 0;
}

cu_result cuModuleGetFunction(cu_function *function, cu_module module, const char *name)
{
    const int code = in_context("cuModuleGetFunction");
    if ((uintptr_t)module != MODULE)
        mistake("a kernel of no program");
    snprintf(names[n_names % 64], sizeof names[0], "%s", name);
    *function = (cu_function)(uintptr_t)(FUNCTION + n_names % 64);
    n_names++;
    return code;
}

cu_result cuMemAlloc_v2(cu_pointer *out, size_t bytes)
{
    void *at = NULL;
    const int code = in_context("cuMemAlloc_v2");
    if (bytes == 0)
        mistake("0 bytes of memory");
    if (code != 0)
        return code;
    const int taken = take(&at, bytes, false);
    *out = (cu_pointer)(uintptr_t)at;
    return taken;
}

cu_result cuMemFree_v2(cu_pointer at)
{
    return give((void *)(uintptr_t)at, false);
}

cu_result cuMemHostAlloc(void **out, size_t bytes, unsigned flags)
{
    const int code = in_context("cuMemHostAlloc");
    if (flags != 0)
        mistake("pinned memory with flags");
    return code != 0 ? code : take(out, bytes, true);
}

cu_result cuMemFreeHost(void *at)
{
    return give(at, true);
}

cu_result cuMemGetInfo_v2(size_t *free_now, size_t *all)
{
    *free_now = FAKE_CUDA_MEMORY - state.bytes;
    *all = FAKE_CUDA_MEMORY;
    return in_context("cuMemGetInfo_v2");
}

static bool is_stream(cu_stream stream)
{
    return has_stream && (uintptr_t)stream == STREAM;
}

cu_result cuMemcpyHtoDAsync_v2(cu_pointer to, const void *from, size_t bytes, cu_stream stream)
{
    const int code = in_context("cuMemcpyHtoDAsync_v2");
    char *at = (char *)(uintptr_t)to;
    const block *b = find(at);
    if (!is_stream(stream) || !b || b->is_host || at + bytes > b->at + b->bytes)
        mistake("a copy to where no memory is");
    else if (code == 0)
        memcpy(at, from, bytes);
    state.is_pending = true;
    return code;
}

cu_result cuMemcpyDtoHAsync_v2(void *to, cu_pointer from, size_t bytes, cu_stream stream)
{
    const int code = in_context("cuMemcpyDtoHAsync_v2");
    const char *at = (const char *)(uintptr_t)from;
    const block *b = find(at), *host = find(to);
    if (!is_stream(stream) || !b || b->is_host || at + bytes > b->at + b->bytes)
        mistake("a copy from where no memory is");
    else if (!host || !host->is_host || (char *)to + bytes > host->at + host->bytes)
        mistake("a copy to memory that is not pinned");
    else if (code == 0)
        memcpy(to, at, bytes);
    state.is_pending = true;
    return code;
}

cu_result cuStreamCreate(cu_stream *stream, unsigned flags)
{
    const int code = in_context("cuStreamCreate");
    (void)flags;
    if (code == 0) {
        has_stream = true;
        *stream = (cu_stream)(uintptr_t)STREAM;
    }
    return code;
}

cu_result cuStreamDestroy_v2(cu_stream stream)
{
    state.n_calls++;
    if (!is_stream(stream) || !is_current)
        mistake("a stream destroyed that is none");
    has_stream = false;
    return 0;
}

cu_result cuStreamSynchronize(cu_stream stream)
{
    if (!is_stream(stream))
        mistake("a wait for no stream");
    state.is_pending = false;
    return in_context("cuStreamSynchronize");
}

/* Floats from `at` on that n pixels of that pitch and so many channels reach. */
static bool reaches(const block *b, gpu_u64 at, size_t pixels, int pitch, int c)
{
    return b && pixels > 0 &&
           (at + (pixels - 1) * (size_t)pitch + (size_t)c) * sizeof(float) <= b->bytes;
}

static bool is_kernel(const char *name, const char *begin)
{
    return strncmp(name, begin, strlen(begin)) == 0;
}

cu_result cuLaunchKernel(cu_function f, unsigned x, unsigned y, unsigned z, unsigned items,
                         unsigned items_y, unsigned items_z, unsigned local, cu_stream stream,
                         void **arguments, void **extra)
{
    const int code = in_context("cuLaunchKernel");
    const uintptr_t index = (uintptr_t)f - FUNCTION;
    const block *b = find((void *)(uintptr_t) * (cu_pointer *)arguments[0]);
    const block *w = find((void *)(uintptr_t) * (cu_pointer *)arguments[1]);
    const gpu_args *a = arguments[2];
    state.is_pending = true;
    state.n_launches++;
    if (index >= 64 || !is_stream(stream) || extra || local != 0 || items_y != 1 || items_z != 1 ||
        x == 0 || y == 0 || z == 0 || y > 65535 || z > 65535) {
        mistake("a launch that no driver would take");
        return code;
    }
    const char *name = names[index];
    const size_t written = (size_t)a->n * (size_t)a->h * (size_t)a->w,
                 read = (size_t)a->n * (size_t)a->sh * (size_t)a->sw;
    if (!reaches(b, a->dst_at, written, a->dst_pitch, a->c) ||
        !reaches(b, a->src_at, read, a->src_pitch, a->sc))
        mistake("a kernel that reaches out of its block");
    if ((a->has_add || is_kernel(name, "map_add")) &&
        !reaches(b, a->add_at, written, a->add_pitch, a->c))
        mistake("a residual that reaches out of its block");
    if (is_kernel(name, "conv_") && !reaches(w, a->bias_at, 1, a->c, a->c))
        mistake("weights that reach out of theirs");
    if (items != (is_kernel(name, "attention") ? GPU_QUERIES : GPU_ITEMS))
        mistake("a group of another size than the kernel's");
    if (is_kernel(name, "map_") && (size_t)x * items < written * (size_t)a->c)
        mistake("a grid that is too small");
    return code;
}

cu_result cuGetErrorName(cu_result code, const char **name)
{
    *name = code == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OTHER";
    return 0;
}

cu_result cuGetErrorString(cu_result code, const char **words)
{
    (void)code;
    *words = "as a stand-in says";
    return 0;
}
