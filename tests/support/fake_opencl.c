/* fake_opencl.c: a libOpenCL.so.1 for tests, with one driver and one GPU that computes nothing. It
 * looks at how it is called: objects of another kind, or released already, copies that reach out of
 * their buffer, kernels that are started without all of their arguments, memory of this side
 * given back while work is queued, and what is not released at the end, are mistakes. Memory is
 * real.
 *
 * Failures come from the test (fail_at), or from the environment (fake_fault.h). FAKE_OPENCL_LACK
 * takes something from the device: half, version, compiler, items, local, available, devices. */
#include "fake_opencl.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/gpu/opencl_api.h"
#include "fake_fault.h"

#define EXPORT __attribute__((visibility("default")))

enum { MOST_OBJECTS = 4096, MOST_ARGUMENTS = 8, MOST_QUEUES = 8 };

typedef enum kind { NONE, PLATFORM, DEVICE, CONTEXT, QUEUE, PROGRAM, KERNEL, BUFFER, EVENT } kind;
typedef struct object {
    kind kind; /* NONE: free, or released */
    /* of a program */
    char *text;
    bool is_built;
    /* of a kernel */
    char name[48];
    size_t set[MOST_ARGUMENTS]; /* bytes; 0: not set */
    struct object *buffers[MOST_ARGUMENTS];
    struct object *program;
    /* of a buffer */
    char *at;
    size_t bytes;
    bool is_mapped, is_pinned;
    /* of a queue: what it was given, what the caller waited for, what it waits for of others */
    int64_t n_given, n_done;
    struct object *after[MOST_QUEUES];
    int64_t after_at[MOST_QUEUES];
    int n_after;
    /* of an event */
    struct object *queue;
    int64_t event_at;
} object;

static fake_opencl state;
static object objects[MOST_OBJECTS], platform = {.kind = PLATFORM}, device = {.kind = DEVICE};
static int next;
static bool
    is_giving; /* memory of this side, from unmap on: that never fails, as no release does */

EXPORT fake_opencl *fake_opencl_state(void);
fake_opencl *fake_opencl_state(void)
{
    return &state;
}

static void mistake(const char *what)
{
    if (state.n_mistakes++ == 0)
        snprintf(state.mistake, sizeof state.mistake, "%s", what);
    fake_report("mistake:", what);
}

/* ---- objects ---- */

static void *make(kind k)
{
    for (int i = 0; i < MOST_OBJECTS; i++) { /* a released place is taken as late as can be */
        object *o = &objects[(next + i) % MOST_OBJECTS];
        if (o->kind != NONE)
            continue;
        next = (next + i + 1) % MOST_OBJECTS;
        *o = (object){.kind = k};
        state.n_objects++;
        return o;
    }
    mistake("more objects than a device has");
    return NULL;
}

static object *look(const void *handle, kind k, const char *what)
{
    object *o = (object *)(uintptr_t)handle;
    const bool is_ours =
        o == &platform || o == &device || (o >= objects && o < objects + MOST_OBJECTS);
    if (is_ours && o->kind == k)
        return o;
    mistake(what);
    return NULL;
}

static bool is_idle(void)
{
    for (int i = 0; i < MOST_OBJECTS; i++)
        if (objects[i].kind == QUEUE && objects[i].n_done < objects[i].n_given)
            return false;
    return true;
}

static cl_int release(const void *handle, kind k, const char *what)
{
    object *o = look(handle, k, what);
    state.n_calls++;
    if (!o)
        return -30;
    if (k == BUFFER) {
        if (o->is_pinned && !is_idle()) /* a driver keeps its own until they are done */
            mistake("memory of ours given back while work is queued");
        if (o->is_mapped)
            mistake("memory given back that is mapped");
        state.bytes -= o->bytes;
    }
    free(o->text);
    free(o->at);
    *o = (object){.kind = NONE};
    state.n_objects--;
    if (k == CONTEXT && state.n_objects > 0)
        mistake("a context released before what is in it");
    return CL_SUCCESS;
}

static void wait_until(object *queue, int64_t at)
{
    if (queue->n_done >= at)
        return;
    queue->n_done = at;
    for (int i = 0; i < queue->n_after; i++)
        if (queue->after[i]->kind == QUEUE)
            wait_until(queue->after[i], queue->after_at[i]);
}

/* Counts the call; the code that it is to fail with. */
static cl_int enter(const char *name)
{
    state.n_calls++;
    const int code = fake_fault(name);
    if (code != 0)
        return code;
    if (state.fail_at > 0 && --state.fail_at == 0) {
        snprintf(state.failed, sizeof state.failed, "%s", name);
        return state.fail_with;
    }
    return CL_SUCCESS;
}

/* Of a call that makes something. */
static void *made(kind k, cl_int code, cl_int *out)
{
    object *o = code == CL_SUCCESS ? make(k) : NULL;
    *out = o || code != CL_SUCCESS ? code : CL_OUT_OF_HOST_MEMORY;
    return o;
}

static bool lacks(const char *what)
{
    const char *lack = state.lack ? state.lack : getenv("FAKE_OPENCL_LACK");
    return lack && strcmp(lack, what) == 0;
}

/* ---- the driver ---- */

#define X(name, result, arguments) EXPORT result name arguments;
OPENCL_FUNCTIONS(X)
#undef X

cl_int clGetPlatformIDs(cl_uint capacity, cl_platform_id *out, cl_uint *n)
{
    const cl_int code = enter("clGetPlatformIDs");
    if (code == CL_SUCCESS && capacity > 0) {
        out[0] = (cl_platform_id)(void *)&platform;
        *n = 1;
    }
    return code;
}

static cl_int answer(const void *value, size_t bytes, size_t room, void *out, size_t *needs)
{
    if (needs)
        *needs = bytes;
    if (!out)
        return CL_SUCCESS;
    if (room < bytes)
        return -30; /* CL_INVALID_VALUE */
    memcpy(out, value, bytes);
    return CL_SUCCESS;
}

static cl_int say(const char *text, size_t room, void *out, size_t *needs)
{
    return answer(text, strlen(text) + 1, room, out, needs);
}

cl_int clGetPlatformInfo(cl_platform_id p, cl_uint what, size_t room, void *out, size_t *needs)
{
    const cl_int code = enter("clGetPlatformInfo");
    (void)what;
    return code == CL_SUCCESS && look(p, PLATFORM, "facts of no platform")
               ? say("Stand-in platform", room, out, needs)
               : code;
}

cl_int clGetDeviceIDs(cl_platform_id p, cl_bits type, cl_uint capacity, cl_device_id *out,
                      cl_uint *n)
{
    const cl_int code = enter("clGetDeviceIDs");
    if (!look(p, PLATFORM, "devices of no platform") || type != CL_DEVICE_TYPE_ALL || capacity == 0)
        mistake("a question for devices that has no answer");
    if (code != CL_SUCCESS || lacks("devices"))
        return code != CL_SUCCESS ? code : CL_DEVICE_NOT_FOUND;
    out[0] = (cl_device_id)(void *)&device;
    *n = 1;
    return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id id, cl_uint what, size_t room, void *out, size_t *needs)
{
    const cl_int code = enter("clGetDeviceInfo");
    if (code != CL_SUCCESS || !look(id, DEVICE, "facts of no device"))
        return code;
    switch (what) {
    case CL_DEVICE_NAME:
        return say("Stand-in GPU", room, out, needs);
    case CL_DEVICE_VENDOR:
        return say("vigil's tests", room, out, needs);
    case CL_DRIVER_VERSION:
        return say("1.0", room, out, needs);
    case CL_DEVICE_VERSION:
        return say(lacks("version") ? "OpenCL 1.1 old" : "OpenCL 1.2 new", room, out, needs);
    case CL_DEVICE_EXTENSIONS:
        return say(lacks("half") ? "cl_khr_icd" : "cl_khr_icd cl_khr_fp16", room, out, needs);
    case CL_DEVICE_TYPE:
        return answer(&(cl_bits){CL_DEVICE_TYPE_GPU}, sizeof(cl_bits), room, out, needs);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return answer(&(size_t){lacks("items") ? 64 : 1024}, sizeof(size_t), room, out, needs);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return answer(&(cl_ulong){lacks("local") ? 16384 : 65536}, sizeof(cl_ulong), room, out,
                      needs);
    case CL_DEVICE_AVAILABLE:
        return answer(&(cl_bool){!lacks("available")}, sizeof(cl_bool), room, out, needs);
    case CL_DEVICE_COMPILER_AVAILABLE:
        return answer(&(cl_bool){!lacks("compiler")}, sizeof(cl_bool), room, out, needs);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return answer(&(cl_uint){7}, sizeof(cl_uint), room, out, needs);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return answer(&(cl_ulong){FAKE_OPENCL_MEMORY}, sizeof(cl_ulong), room, out, needs);
    default:
        return -30;
    }
}

cl_context clCreateContext(const intptr_t *properties, cl_uint n, const cl_device_id *ids,
                           void (*tell)(const char *, const void *, size_t, void *), void *user,
                           cl_int *code)
{
    (void)properties, (void)tell, (void)user;
    if (n != 1 || !look(ids[0], DEVICE, "a context of no device"))
        mistake("a context of another number of devices");
    return made(CONTEXT, enter("clCreateContext"), code);
}

cl_int clReleaseContext(cl_context c)
{
    return release(c, CONTEXT, "a context released that is none");
}

cl_queue clCreateCommandQueue(cl_context c, cl_device_id id, cl_bits flags, cl_int *code)
{
    look(c, CONTEXT, "a queue of no context");
    look(id, DEVICE, "a queue of no device");
    if ((flags & 1) != 0)
        mistake("a queue that keeps no order");
    return made(QUEUE, enter("clCreateCommandQueue"), code);
}

cl_int clReleaseCommandQueue(cl_queue q)
{
    return release(q, QUEUE, "a queue released that is none");
}

/* ---- programs ---- */

static cl_program program(cl_context c, const char *text, size_t n, cl_int code, cl_int *out)
{
    look(c, CONTEXT, "a program of no context");
    object *o = made(PROGRAM, code, out);
    if (o) {
        o->text = calloc(1, n + 1);
        if (o->text)
            memcpy(o->text, text, n);
    }
    return (cl_program)(void *)o;
}

cl_program clCreateProgramWithSource(cl_context c, cl_uint n, const char **texts,
                                     const size_t *bytes, cl_int *code)
{
    if (n != 1 || !strstr(texts[0], "kernel"))
        mistake("a program of no kernels");
    return program(c, texts[0], bytes[0], enter("clCreateProgramWithSource"), code);
}

/* What is kept of a program here is its text, so a binary is one. */
cl_program clCreateProgramWithBinary(cl_context c, cl_uint n, const cl_device_id *ids,
                                     const size_t *bytes, const unsigned char **binaries,
                                     cl_int *status, cl_int *code)
{
    (void)n;
    look(ids[0], DEVICE, "a program for no device");
    const cl_int fault = enter("clCreateProgramWithBinary");
    *status = fault;
    return program(c, (const char *)binaries[0], bytes[0], fault, code);
}

cl_int clBuildProgram(cl_program p, cl_uint n, const cl_device_id *ids, const char *options,
                      void (*tell)(cl_program, void *), void *user)
{
    const cl_int code = enter("clBuildProgram");
    object *o = look(p, PROGRAM, "what is built is no program");
    (void)n, (void)ids, (void)tell, (void)user;
    if (!options)
        mistake("a program built without options");
    state.n_builds++;
    if (o && code == CL_SUCCESS)
        o->is_built = true;
    return code;
}

cl_int clGetProgramInfo(cl_program p, cl_uint what, size_t room, void *out, size_t *needs)
{
    const cl_int code = enter("clGetProgramInfo");
    object *o = look(p, PROGRAM, "facts of no program");
    (void)needs;
    if (code != CL_SUCCESS || !o)
        return code;
    const size_t n = strlen(o->text);
    if (what == CL_PROGRAM_BINARY_SIZES)
        return answer(&n, sizeof n, room, out, NULL);
    memcpy(((unsigned char **)out)[0], o->text, n);
    return CL_SUCCESS;
}

cl_int clGetProgramBuildInfo(cl_program p, cl_device_id id, cl_uint what, size_t room, void *out,
                             size_t *needs)
{
    const cl_int code = enter("clGetProgramBuildInfo");
    (void)id, (void)what;
    look(p, PROGRAM, "a log of no program");
    return code == CL_SUCCESS
               ? say("conv.cl:1: error: as a stand-in says", room ? room : 256, out, needs)
               : code;
}

cl_int clReleaseProgram(cl_program p)
{
    return release(p, PROGRAM, "a program released that is none");
}

cl_kernel clCreateKernel(cl_program p, const char *name, cl_int *code)
{
    object *of = look(p, PROGRAM, "a kernel of no program");
    /* Those of halves have the text of the others: a macro puts the word before their names. */
    const char *written = strncmp(name, "half_", 5) == 0 ? name + 5 : name;
    if (of && (!of->is_built || !strstr(of->text, written)))
        mistake("a kernel that its program has not");
    object *o = made(KERNEL, enter("clCreateKernel"), code);
    if (o) {
        snprintf(o->name, sizeof o->name, "%s", name);
        o->program = of;
    }
    return (cl_kernel)(void *)o;
}

cl_int clReleaseKernel(cl_kernel k)
{
    return release(k, KERNEL, "a kernel released that is none");
}

cl_int clSetKernelArg(cl_kernel k, cl_uint index, size_t bytes, const void *value)
{
    const cl_int code = enter("clSetKernelArg");
    object *o = look(k, KERNEL, "an argument of no kernel");
    if (!o || index >= MOST_ARGUMENTS || !value || bytes == 0) {
        mistake("an argument that no kernel takes");
        return code;
    }
    void *buffer = NULL;
    if (bytes == sizeof buffer)
        memcpy(&buffer, value, sizeof buffer);
    const object *b = buffer;
    const bool is_buffer = b >= objects && b < objects + MOST_OBJECTS;
    o->set[index] = bytes;
    o->buffers[index] = is_buffer ? look(b, BUFFER, "a kernel's buffer that is no memory") : NULL;
    return code;
}

/* ---- memory ---- */

cl_mem clCreateBuffer(cl_context c, cl_bits flags, size_t bytes, void *host, cl_int *code)
{
    look(c, CONTEXT, "memory of no context");
    if (bytes == 0 || host || !(flags & CL_MEM_READ_WRITE))
        mistake("memory of no bytes, or of others'");
    object *o = made(BUFFER, enter("clCreateBuffer"), code);
    if (!o)
        return NULL;
    o->at = aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (o->at)
        memset(o->at, 0, bytes);
    o->bytes = bytes;
    o->is_pinned = (flags & CL_MEM_ALLOC_HOST_PTR) != 0;
    state.bytes += bytes;
    return (cl_mem)(void *)o;
}

cl_int clReleaseMemObject(cl_mem m)
{
    return release(m, BUFFER, "memory given back that is none");
}

/* The queue, with one more thing to do. */
static object *give(cl_queue q, cl_uint n_events, const cl_event *events)
{
    object *o = look(q, QUEUE, "work for no queue");
    for (cl_uint i = 0; i < n_events; i++) {
        object *e = look(events[i], EVENT, "work that waits for no event");
        if (!o || !e || e->queue == o || !e->queue)
            continue;
        int k = 0;
        while (k < o->n_after && o->after[k] != e->queue)
            k++;
        if (k == MOST_QUEUES)
            continue;
        o->after[k] = e->queue;
        o->after_at[k] = e->event_at;
        o->n_after = k == o->n_after ? k + 1 : o->n_after;
    }
    if (o)
        o->n_given++;
    return o;
}

void *clEnqueueMapBuffer(cl_queue q, cl_mem m, cl_bool waits, cl_bits flags, size_t at,
                         size_t bytes, cl_uint n, const cl_event *events, cl_event *event,
                         cl_int *code)
{
    object *o = look(m, BUFFER, "what is mapped is no memory");
    (void)flags, (void)event;
    look(q, QUEUE, "work for no queue");
    *code = enter("clEnqueueMapBuffer");
    if (!waits || n > 0 || events || !o || !o->is_pinned || o->is_mapped || at + bytes > o->bytes)
        mistake("memory mapped that cannot be");
    if (*code != CL_SUCCESS || !o)
        return NULL;
    o->is_mapped = true;
    return o->at + at;
}

cl_int clEnqueueUnmapMemObject(cl_queue q, cl_mem m, void *host, cl_uint n, const cl_event *events,
                               cl_event *event)
{
    object *o = look(m, BUFFER, "what is unmapped is no memory");
    (void)event;
    state.n_calls++;
    is_giving = true;
    give(q, n, events);
    if (!o || !o->is_mapped || host != o->at)
        mistake("memory unmapped that was not mapped");
    else
        o->is_mapped = false;
    return CL_SUCCESS;
}

static object *copied(cl_queue q, cl_mem m, size_t at, size_t bytes, cl_uint n,
                      const cl_event *events)
{
    object *o = look(m, BUFFER, "a copy of no memory");
    give(q, n, events);
    if (o && at <= o->bytes && bytes <= o->bytes - at && bytes > 0)
        return o;
    mistake("a copy that reaches out of its memory");
    return NULL;
}

cl_int clEnqueueWriteBuffer(cl_queue q, cl_mem m, cl_bool waits, size_t at, size_t bytes,
                            const void *host, cl_uint n, const cl_event *events, cl_event *event)
{
    const cl_int code = enter("clEnqueueWriteBuffer");
    object *o = copied(q, m, at, bytes, n, events);
    (void)event;
    if (waits)
        mistake("a copy that waits");
    if (o && code == CL_SUCCESS)
        memcpy(o->at + at, host, bytes);
    return code;
}

cl_int clEnqueueReadBuffer(cl_queue q, cl_mem m, cl_bool waits, size_t at, size_t bytes, void *host,
                           cl_uint n, const cl_event *events, cl_event *event)
{
    const cl_int code = enter("clEnqueueReadBuffer");
    object *o = copied(q, m, at, bytes, n, events);
    (void)event;
    if (waits)
        mistake("a copy that waits");
    if (o && code == CL_SUCCESS)
        memcpy(host, o->at + at, bytes);
    return code;
}

/* ---- work ---- */

cl_int clEnqueueNDRangeKernel(cl_queue q, cl_kernel k, cl_uint dimensions, const size_t *from,
                              const size_t *global, const size_t *local, cl_uint n,
                              const cl_event *events, cl_event *event)
{
    const cl_int code = enter("clEnqueueNDRangeKernel");
    object *o = look(k, KERNEL, "what is started is no kernel");
    (void)event;
    give(q, n, events);
    state.n_launches++;
    if (!o)
        return code;
    if (!o->program || o->program->kind != PROGRAM)
        mistake("a kernel whose program is gone");
    int n_set = 0, n_buffers = 0;
    while (n_set < MOST_ARGUMENTS && o->set[n_set] > 0) {
        object *b = o->buffers[n_set++];
        n_buffers += b != NULL;
        if (b && b->kind != BUFFER)
            mistake("a kernel that is started on memory that is gone");
    }
    if (n_set < 2 || n_buffers != n_set - 1 || o->buffers[n_set - 1])
        mistake("a kernel without all of its arguments");
    if (dimensions != 3 || from || local[0] > 1024)
        mistake("a launch that no driver would take");
    for (int i = 0; i < 3; i++)
        if (global[i] == 0 || local[i] == 0 || global[i] % local[i] != 0)
            mistake("groups that are not whole");
    return code;
}

static cl_int mark(cl_queue q, cl_uint n, const cl_event *events, cl_event *out, cl_int code)
{
    object *queue = give(q, n, events);
    if (code != CL_SUCCESS || !out)
        return code;
    object *e = make(EVENT);
    *out = (cl_event)(void *)e;
    if (!e || !queue)
        return CL_OUT_OF_HOST_MEMORY;
    e->queue = queue;
    e->event_at = queue->n_given;
    return CL_SUCCESS;
}

cl_int clEnqueueMarkerWithWaitList(cl_queue q, cl_uint n, const cl_event *events, cl_event *out)
{
    return mark(q, n, events, out, enter("clEnqueueMarkerWithWaitList"));
}

cl_int clEnqueueBarrierWithWaitList(cl_queue q, cl_uint n, const cl_event *events, cl_event *out)
{
    return mark(q, n, events, out, enter("clEnqueueBarrierWithWaitList"));
}

cl_int clWaitForEvents(cl_uint n, const cl_event *events)
{
    const cl_int code = enter("clWaitForEvents");
    for (cl_uint i = 0; i < n; i++) {
        object *e = look(events[i], EVENT, "a wait for no event");
        if (e && code == CL_SUCCESS && e->queue->kind == QUEUE)
            wait_until(e->queue, e->event_at);
    }
    return code;
}

cl_int clReleaseEvent(cl_event e)
{
    return release(e, EVENT, "an event released that is none");
}

cl_int clFlush(cl_queue q)
{
    look(q, QUEUE, "a queue begun that is none");
    return enter("clFlush");
}

/* A failure, too, ends what was queued: nothing runs on a device that is lost. */
cl_int clFinish(cl_queue q)
{
    object *o = look(q, QUEUE, "a wait for no queue");
    if (o)
        wait_until(o, o->n_given);
    const bool is_release = is_giving;
    is_giving = false;
    return is_release ? CL_SUCCESS : enter("clFinish");
}

__attribute__((destructor)) static void tell(void)
{
    if (state.n_objects > 0)
        mistake("something was never released");
}
