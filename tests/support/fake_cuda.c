/* fake_cuda.c: a libcuda.so.1 for tests: computes nothing, and looks at how it is called. Memory is
 * real, so that a copy that is too long is seen by whatever watches memory. Calls without a
 * context, a stream or memory that is theirs, kernels whose grid or arguments reach out of their
 * blocks, and things that are never given back, are mistakes; tests ask for them by
 * fake_cuda_state. So is memory that two streams are at without one having waited for the other
 * (fake_order.h). The fail_at-th call fails once with the code that was set; a program that is only
 * started has its failures, and tells of its mistakes, by the environment (fake_fault.h). */
#include "fake_cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/gpu/cuda_api.h"
#include "../../src/nn/gpu/kernels/args.h"
#include "fake_fault.h"
#include "fake_order.h"
#include "fake_train.h"

#define EXPORT __attribute__((visibility("default")))

enum { MOST_BLOCKS = 64, MOST_MODULES = 4, MOST_KERNELS = 256, MOST_BUFFERS = 6 };
enum { CONTEXT = 0x1000, STREAM = 0x2000, MODULE = 0x3000, FUNCTION = 0x4000, EVENT = 0x5000 };

typedef struct block {
    char *at;
    size_t bytes;
    bool is_host;
} block;

static fake_cuda state = {.n_devices = 2, .version = 12000, .capability = {90, 61}};
static block blocks[MOST_BLOCKS];
static _Thread_local bool is_current;
static bool is_started, has_context;
static bool streams[FAKE_STREAMS], events[FAKE_EVENTS]; /* that are there */
static const char *modules[MOST_MODULES];               /* their PTX; NULL: none */

/* As its PTX declares it: buffers, then one piece of bytes. */
typedef struct kernel {
    char name[48];
    int n_buffers;
} kernel;
static kernel kernels[MOST_KERNELS];
static int n_kernels;

EXPORT fake_cuda *fake_cuda_state(void);
fake_cuda *fake_cuda_state(void)
{
    state.is_done = fake_order_is_done;
    return &state;
}

static void mistake(const char *what)
{
    if (state.n_mistakes++ == 0)
        snprintf(state.mistake, sizeof state.mistake, "%s", what);
    fake_report("mistake:", what);
}

static int n_there(const bool *there, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += there[i];
    return sum;
}

/* Counts the call; the code that it is to fail with. Releases never fail: nobody could do better.
 */
static int enter(const char *name)
{
    state.n_calls++;
    if (!is_started && strcmp(name, "cuInit") != 0)
        mistake("a call before cuInit");
    const int fault = fake_fault(name);
    if (fault != 0)
        return fault;
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
    if (!fake_order_is_done(b->at, b->bytes))
        mistake("memory given back that the device may be at");
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

static bool has_modules(void)
{
    for (int i = 0; i < MOST_MODULES; i++)
        if (modules[i])
            return true;
    return false;
}

cu_result cuDevicePrimaryCtxRelease_v2(cu_device id)
{
    (void)id;
    state.n_calls++;
    if (state.n_contexts-- <= 0)
        mistake("a context released twice");
    if (n_there(streams, FAKE_STREAMS) > 0 || n_there(events, FAKE_EVENTS) > 0 || has_modules() ||
        state.n_blocks > 0)
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
    const char *target = strstr(image, ".target sm_");
    const bool is_newer = strstr(image, ".version 7.0") && state.version >= 11000;
    state.target = target ? (target[11] - '0') * 10 + target[12] - '0' : 0;
    if (state.target < 70 || state.target > state.capability[0] ||
        (!strstr(image, ".version 6.0") && !is_newer))
        mistake("a program that is no PTX for this GPU and driver");
    for (unsigned i = 0; code != 0 && i < n; i++)
        if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
            strcpy(values[i], "ptxas fatal: as a stand-in says");
    if (code != 0)
        return code;
    for (int i = 0; i < MOST_MODULES; i++)
        if (!modules[i]) {
            modules[i] = image;
            *module = (cu_module)(uintptr_t)(MODULE + i);
            return 0;
        }
    mistake("more programs than there are sets of kernels");
    return CUDA_ERROR_OUT_OF_MEMORY;
}

/* The program's PTX; NULL: it is none. */
static const char *image_of(cu_module module)
{
    const uintptr_t i = (uintptr_t)module - MODULE;
    return i < MOST_MODULES ? modules[i] : NULL;
}

cu_result cuModuleUnload(cu_module module)
{
    state.n_calls++;
    if (!is_current || !image_of(module)) {
        mistake("a program unloaded that is none");
        return 1;
    }
    modules[(uintptr_t)module - MODULE] = NULL;
    return 0;
}

/* Reads ".entry NAME( .param .u64 NAME_param_0, ..., .param .align 8 .b8 NAME_param_n[BYTES] )". */
static bool read_kernel(kernel *out, const char *ptx, const char *name)
{
    char begin[80];
    snprintf(begin, sizeof begin, ".entry %s(", name);
    const char *at = strstr(ptx, begin), *end = at ? strchr(at + strlen(begin), ')') : NULL;
    *out = (kernel){0};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!end)
        return false;
    at += strlen(begin);
    for (const char *p = at; (p = strstr(p, ".param .u64")) && p < end; p++)
        out->n_buffers++;
    const char *args = strstr(at, ".b8 ");
    return out->n_buffers <= MOST_BUFFERS && args && args < end;
}

cu_result cuModuleGetFunction(cu_function *function, cu_module module, const char *name)
{
    const int code = in_context("cuModuleGetFunction");
    const char *ptx = image_of(module);
    if (!ptx || !read_kernel(&kernels[n_kernels % MOST_KERNELS], ptx, name))
        mistake("a kernel that its program has not");
    *function = (cu_function)(uintptr_t)(FUNCTION + n_kernels % MOST_KERNELS);
    n_kernels++;
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

/* ---- streams and events ---- */

static int stream_of(cu_stream stream)
{
    const uintptr_t i = (uintptr_t)stream - STREAM;
    return i < FAKE_STREAMS && streams[i] ? (int)i : -1;
}

static int event_of(cu_event event)
{
    const uintptr_t i = (uintptr_t)event - EVENT;
    return i < FAKE_EVENTS && events[i] ? (int)i : -1;
}

static int first_free(const bool *there, int n)
{
    for (int i = 0; i < n; i++)
        if (!there[i])
            return i;
    mistake("more streams or events than a device has");
    return 0;
}

/* Part of the work that was begun last. */
static void touch(const void *at, size_t bytes, bool writes)
{
    if (!fake_order_touches(at, bytes, writes))
        mistake(writes ? "memory written that another stream may be at"
                       : "memory read that another stream may be writing");
}

cu_result cuMemcpyHtoDAsync_v2(cu_pointer to, const void *from, size_t bytes, cu_stream stream)
{
    const int code = in_context("cuMemcpyHtoDAsync_v2"), on = stream_of(stream);
    char *at = (char *)(uintptr_t)to;
    const block *b = find(at);
    state.is_pending = true;
    if (on < 0 || !b || b->is_host || at + bytes > b->at + b->bytes) {
        mistake("a copy to where no memory is");
        return code;
    }
    if (code != 0)
        return code;
    if (!fake_order_is_done(from, bytes))
        mistake("memory to copy from that was changed under a copy");
    fake_order_work(on);
    touch(from, bytes, false);
    touch(at, bytes, true);
    memcpy(at, from, bytes);
    return code;
}

cu_result cuMemcpyDtoHAsync_v2(void *to, cu_pointer from, size_t bytes, cu_stream stream)
{
    const int code = in_context("cuMemcpyDtoHAsync_v2"), on = stream_of(stream);
    const char *at = (const char *)(uintptr_t)from;
    const block *b = find(at), *host = find(to);
    state.is_pending = true;
    if (on < 0 || !b || b->is_host || at + bytes > b->at + b->bytes)
        mistake("a copy from where no memory is");
    else if (!host || !host->is_host || (char *)to + bytes > host->at + host->bytes)
        mistake("a copy to memory that is not pinned");
    else if (code == 0) {
        fake_order_work(on);
        touch(at, bytes, false);
        touch(to, bytes, true);
        memcpy(to, at, bytes);
    }
    return code;
}

cu_result cuStreamCreate(cu_stream *stream, unsigned flags)
{
    const int code = in_context("cuStreamCreate");
    if (flags != CU_STREAM_NON_BLOCKING)
        mistake("a stream that waits for others' work");
    if (code == 0) {
        const int i = first_free(streams, FAKE_STREAMS);
        streams[i] = true;
        *stream = (cu_stream)(uintptr_t)(STREAM + i);
    }
    return code;
}

cu_result cuStreamDestroy_v2(cu_stream stream)
{
    state.n_calls++;
    if (stream_of(stream) < 0 || !is_current)
        mistake("a stream destroyed that is none");
    else
        streams[stream_of(stream)] = false;
    if (n_there(streams, FAKE_STREAMS) == 0)
        fake_order_clear();
    return 0;
}

cu_result cuStreamSynchronize(cu_stream stream)
{
    if (stream_of(stream) < 0)
        mistake("a wait for no stream");
    else
        fake_order_sync_stream(stream_of(stream));
    state.is_pending = false;
    return in_context("cuStreamSynchronize");
}

cu_result cuStreamWaitEvent(cu_stream stream, cu_event event, unsigned flags)
{
    const int code = in_context("cuStreamWaitEvent");
    if (stream_of(stream) < 0 || event_of(event) < 0 || flags != 0)
        mistake("a stream that waits for no event");
    else if (code == 0 && !fake_order_wait(stream_of(stream), event_of(event)))
        mistake("a stream that waits for an event that was never recorded");
    return code;
}

cu_result cuEventCreate(cu_event *event, unsigned flags)
{
    const int code = in_context("cuEventCreate");
    if (flags != CU_EVENT_DISABLE_TIMING)
        mistake("an event that takes times");
    if (code == 0) {
        const int i = first_free(events, FAKE_EVENTS);
        events[i] = true;
        *event = (cu_event)(uintptr_t)(EVENT + i);
    }
    return code;
}

cu_result cuEventDestroy_v2(cu_event event)
{
    state.n_calls++;
    if (event_of(event) < 0 || !is_current)
        mistake("an event destroyed that is none");
    else
        events[event_of(event)] = false;
    return 0;
}

cu_result cuEventRecord(cu_event event, cu_stream stream)
{
    const int code = in_context("cuEventRecord");
    if (stream_of(stream) < 0 || event_of(event) < 0)
        mistake("an event recorded on no stream");
    else if (code == 0)
        fake_order_record(event_of(event), stream_of(stream));
    return code;
}

cu_result cuEventSynchronize(cu_event event)
{
    const int code = in_context("cuEventSynchronize");
    if (event_of(event) < 0)
        mistake("a wait for no event");
    else if (code == 0 && !fake_order_sync_event(event_of(event)))
        mistake("a wait for an event that was never recorded");
    return code;
}

/* ---- kernels ---- */

/* Elements of that many bytes from `at` on that n pixels of that pitch and so many channels reach.
 */
static bool reaches(const block *b, gpu_u64 at, size_t pixels, int pitch, int c, size_t bytes)
{
    return b && pixels > 0 && (at + (pixels - 1) * (size_t)pitch + (size_t)c) * bytes <= b->bytes;
}

static bool is_kernel(const char *name, const char *begin)
{
    return strncmp(name, begin, strlen(begin)) == 0;
}

/* Inference's kernels: a step's maps within the block, its weights within theirs. */
static void look_at_step(const char *name, const block *b, const block *w, const gpu_args *a,
                         unsigned x, unsigned items)
{
    const size_t bytes = is_kernel(name, "half_") ? 2 : sizeof(float);
    name += bytes == 2 ? 5 : 0;
    const size_t written = (size_t)a->n * (size_t)a->h * (size_t)a->w,
                 read = (size_t)a->n * (size_t)a->sh * (size_t)a->sw;
    if (!reaches(b, a->dst_at, written, a->dst_pitch, a->c,
                 a->is_float_dst ? sizeof(float) : bytes) ||
        !reaches(b, a->src_at, read, a->src_pitch, a->sc, bytes))
        mistake("a kernel that reaches out of its block");
    if ((a->has_add || is_kernel(name, "map_add")) &&
        !reaches(b, a->add_at, written, a->add_pitch, a->c, bytes))
        mistake("a residual that reaches out of its block");
    if ((is_kernel(name, "conv_") || is_kernel(name, "mma_")) &&
        !reaches(w, a->bias_at, 1, a->c, a->c, sizeof(float)))
        mistake("weights that reach out of theirs");
    if (items != (is_kernel(name, "attention") ? GPU_QUERIES : GPU_ITEMS))
        mistake("a group of another size than the kernel's");
    if ((is_kernel(name, "map_") || is_kernel(name, "conv_depthwise")) &&
        (size_t)x * items * (a->is_wide ? 4 : 1) < written * (size_t)a->c)
        mistake("a grid that is too small");
    if (a->is_wide && (a->src_at | (gpu_u64)a->src_pitch | (gpu_u64)a->sc) % 4 != 0)
        mistake("fours that are read where none can lie");
    if (a->is_wide_dst &&
        (a->dst_at | (gpu_u64)a->dst_pitch | (gpu_u64)a->c | a->add_at | (gpu_u64)a->add_pitch) % 4)
        mistake("fours that are written where none can lie");
}

/* `bytes` from byte `at` of the block on. */
static void touch_block(const block *b, gpu_u64 at, size_t bytes, bool writes)
{
    if (!b || at + bytes > b->bytes)
        mistake("an end of the network that reaches out of its block");
    else
        touch(b->at + at, bytes, writes);
}

static void look_at_letterbox(const block *b, const gpu_letterbox_args *a)
{
    const size_t pixels = (size_t)a->out_w * (size_t)a->out_h;
    touch_block(b, a->src_at, 3 * (size_t)a->src_w * (size_t)a->src_h, false);
    if (a->how == GPU_TAPS) {
        touch_block(b, a->across_at, (size_t)a->new_w * sizeof(gpu_tap), false);
        touch_block(b, a->down_at, (size_t)a->new_h * sizeof(gpu_tap), false);
    }
    touch_block(b, a->dst_at * sizeof(float), 3 * pixels * sizeof(float), true);
}

static void look_at_planes(const block *b, const gpu_planes_args *a)
{
    const size_t chroma = (size_t)a->chroma_row_bytes * (size_t)a->chroma_h;
    touch_block(b, a->y_at, (size_t)a->w * (size_t)a->h, false);
    touch_block(b, a->u_at, chroma, false);
    touch_block(b, a->v_at, chroma - (size_t)(a->chroma_pitch - 1), false);
    touch_block(b, a->taps_at, 2 * (size_t)(a->new_w + a->new_h) * sizeof(gpu_tap), false);
    touch_block(b, a->dst_at * sizeof(float),
                3 * (size_t)a->out_w * (size_t)a->out_h * sizeof(float), true);
}

static void look_at_pick(const char *name, const block *b, const gpu_pick_args *a)
{
    const gpu_pick_level *last = &a->levels[a->n_levels - 1];
    const size_t cells = (size_t)(last->first_cell + last->pixels), n = (size_t)a->n;
    touch_block(b, a->counts_at * 4, n * (size_t)a->groups * 4, true);
    if (is_kernel(name, "pick_sum"))
        touch_block(b, a->first_at * 4, (n + 1) * 4, true);
    if (is_kernel(name, "pick_write"))
        touch_block(b, a->rows_at * 4, n * cells * (size_t)a->pitch * 4, true);
    for (int i = 0; i < a->n_levels; i++) {
        const gpu_pick_level *l = &a->levels[i];
        if (!reaches(b, l->box_at, n * (size_t)l->pixels, l->box_pitch, GPU_BOX_CHANNELS,
                     sizeof(float)) ||
            !reaches(b, l->cls_at, n * (size_t)l->pixels, l->cls_pitch, a->nc, sizeof(float)))
            mistake("heads that reach out of their block");
    }
}

cu_result cuLaunchKernel(cu_function f, unsigned x, unsigned y, unsigned z, unsigned items,
                         unsigned items_y, unsigned items_z, unsigned local, cu_stream stream,
                         void **arguments, void **extra)
{
    const int code = in_context("cuLaunchKernel");
    const uintptr_t index = (uintptr_t)f - FUNCTION;
    state.is_pending = true;
    state.n_launches++;
    if (index >= MOST_KERNELS || stream_of(stream) < 0 || extra || local != 0 || items_y != 1 ||
        items_z != 1 || x == 0 || y == 0 || z == 0 || y > 65535 || z > 65535) {
        mistake("a launch that no driver would take");
        return code;
    }
    const kernel *k = &kernels[index];
    const block *buffers[MOST_BUFFERS + 1] = {NULL};
    for (int i = 0; i < k->n_buffers; i++) {
        buffers[i] = find((void *)(uintptr_t) * (cu_pointer *)arguments[i]);
        if (!buffers[i] || buffers[i]->is_host)
            mistake("a kernel's buffer that is no memory of the device");
    }
    fake_order_work(stream_of(stream));
    const bool is_half = is_kernel(k->name, "half_");
    const char *bare = is_half ? k->name + 5 : k->name;
    fake_launch l = {.name = bare,
                     .is_half = is_half,
                     .x = x,
                     .y = y,
                     .z = z,
                     .items = items,
                     .n_buffers = k->n_buffers,
                     .args = arguments[k->n_buffers]};
    for (int i = 0; i < k->n_buffers; i++)
        l.bytes[i] = buffers[i] ? buffers[i]->bytes : 0;
    const char *wrong = fake_train_mistake(&l);
    if (!wrong)
        wrong = fake_learn_mistake(&l);
    if (wrong)
        mistake(wrong);
    if (is_kernel(k->name, "letterbox"))
        look_at_letterbox(buffers[0], arguments[k->n_buffers]);
    if (is_kernel(k->name, "planes"))
        look_at_planes(buffers[0], arguments[k->n_buffers]);
    if (is_kernel(k->name, "pick_"))
        look_at_pick(k->name, buffers[0], arguments[k->n_buffers]);
    if (is_kernel(bare, "conv_") || is_kernel(bare, "map_") || is_kernel(bare, "mma_") ||
        is_kernel(bare, "attention"))
        look_at_step(k->name, buffers[0], buffers[1], arguments[k->n_buffers], x, items);
    return code;
}

cu_result cuGetErrorName(cu_result code, const char **name)
{
    *name = code == CUDA_ERROR_OUT_OF_MEMORY        ? "CUDA_ERROR_OUT_OF_MEMORY"
            : code == CUDA_ERROR_LAUNCH_TIMEOUT     ? "CUDA_ERROR_LAUNCH_TIMEOUT"
            : code == CUDA_ERROR_DEVICE_UNAVAILABLE ? "CUDA_ERROR_DEVICE_UNAVAILABLE"
                                                    : "CUDA_ERROR_OTHER";
    return 0;
}

cu_result cuGetErrorString(cu_result code, const char **words)
{
    (void)code;
    *words = "as a stand-in says";
    return 0;
}

__attribute__((destructor)) static void tell(void)
{
    if (state.n_contexts > 0 || state.n_blocks > 0)
        mistake("something was never given back");
}
