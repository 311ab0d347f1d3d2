/* gpu.c: NVML by dlopen. */
#include "gpu.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nvml.h"

enum { MOST_LISTED = 256, MOST_ORPHANS = 64, UNCLEAR_LOOKS = 3 };

typedef nvmlReturn_t (*list_function)(nvmlDevice_t, unsigned int *, void *);

/* Who computes, and who draws: each of them by the newest function that the driver has. */
enum { COMPUTE, GRAPHICS, N_LISTS };

typedef struct device {
    nvmlDevice_t handle;
    double baseline_bytes; /* used at the first look; NAN before */
    int n_unclear;         /* looks in a row at which the lists did not tell */
    bool by_difference;
} device;

struct watch_gpu {
    void *library;
    struct {
#define X(field, symbol, arguments) nvmlReturn_t(*field) arguments;
        WATCH_NVML(X)
#undef X
    } nvml;
    list_function list[N_LISTS];
    bool is_v1[N_LISTS]; /* the layout without instances */
    device devices[WATCH_MOST_GPUS];
    size_t n_devices;
    bool difference_noted, note_waits;
    pid_t orphans[MOST_ORPHANS]; /* at this look */
    size_t n_orphans;
    union {
        nvmlProcessInfo_t v2[MOST_LISTED];
        nvmlProcessInfo_v1_t v1[MOST_LISTED];
    } raw;
    struct user {
        pid_t pid;
        double bytes; /* NAN: not available */
    } users[2 * MOST_LISTED];
    size_t n_users;
};

/* ---- open ---- */

static void *find(void *library, const char *symbol)
{
    return dlsym(library, symbol);
}

static bool load(watch_gpu *g)
{
    static const char *const names[N_LISTS] = {"nvmlDeviceGetComputeRunningProcesses",
                                               "nvmlDeviceGetGraphicsRunningProcesses"};
    static const char *const versions[] = {"_v3", "_v2", ""};
    bool complete = true;
    /* POSIX lets an object pointer hold a function; C wants it copied. */
#define X(field, symbol, arguments)                                                                \
    {                                                                                              \
        void *f = find(g->library, symbol);                                                        \
        memcpy(&g->nvml.field, &f, sizeof f);                                                      \
        complete = complete && f != NULL;                                                          \
    }
    WATCH_NVML(X)
#undef X
    for (int l = 0; l < N_LISTS; l++)
        for (size_t v = 0; v < sizeof versions / sizeof *versions && g->list[l] == NULL; v++) {
            char symbol[64];
            base_format(symbol, sizeof symbol, "%s%s", names[l], versions[v]);
            void *f = find(g->library, symbol);
            memcpy(&g->list[l], &f, sizeof f);
            g->is_v1[l] = versions[v][0] == '\0';
        }
    return complete;
}

vg_status watch_gpu_open(watch_gpu **out, const char *library, char *why, size_t n_why,
                         base_mem *mem, vg_error *err)
{
    unsigned int n = 0;
    *out = NULL;
    void *handle = dlopen(library != NULL ? library : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        base_format(why, n_why, "no NVIDIA driver here: GPUs are not read");
        return VG_OK;
    }
    watch_gpu *g = base_alloc_zero(mem, 1, sizeof *g, err);
    if (g == NULL) {
        dlclose(handle);
        return VG_ERR_MEMORY;
    }
    g->library = handle;
    if (!load(g) || g->nvml.init() != NVML_SUCCESS) {
        base_format(why, n_why, "the NVIDIA driver does not answer: GPUs are not read");
        dlclose(handle);
        base_free(g);
        return VG_OK;
    }
    if (g->nvml.count(&n) == NVML_SUCCESS)
        for (unsigned int i = 0; i < n && g->n_devices < WATCH_MOST_GPUS; i++) {
            device *d = &g->devices[g->n_devices++]; /* by their numbers, lost ones too */
            *d = (device){.baseline_bytes = NAN};
            if (g->nvml.device(i, &d->handle) != NVML_SUCCESS)
                d->handle = NULL;
        }
    if (n > WATCH_MOST_GPUS)
        base_format(why, n_why, "%u GPUs: the first %d are read", n, (int)WATCH_MOST_GPUS);
    *out = g;
    if (g->n_devices == 0) {
        base_format(why, n_why, "no GPU here");
        watch_gpu_close(out);
    }
    return VG_OK;
}

void watch_gpu_close(watch_gpu **gpu)
{
    watch_gpu *g = *gpu;
    if (g == NULL)
        return;
    g->nvml.shutdown();
    dlclose(g->library);
    base_free(g);
    *gpu = NULL;
}

const char *watch_gpu_note(watch_gpu *g)
{
    if (!g->note_waits)
        return NULL;
    g->note_waits = false;
    return "the driver names processes by numbers of another namespace: gpu.bytes is what the "
           "whole device took since the start";
}

/* ---- whose ---- */

/* One process may compute and draw: the driver tells its whole memory in both lists. */
static void add_user(watch_gpu *g, pid_t pid, unsigned long long bytes)
{
    const double v = bytes == ~0ULL ? (double)NAN : (double)bytes;
    for (size_t i = 0; i < g->n_users; i++)
        if (g->users[i].pid == pid) {
            g->users[i].bytes = fmax(g->users[i].bytes, v);
            return;
        }
    g->users[g->n_users++] = (struct user){.pid = pid, .bytes = v};
}

/* False: the driver has no lists for this device, or longer ones than can be. */
static bool list_users(watch_gpu *g, nvmlDevice_t d)
{
    bool any = false;
    g->n_users = 0;
    for (int l = 0; l < N_LISTS; l++) {
        unsigned int n = MOST_LISTED;
        if (g->list[l] == NULL)
            continue;
        const nvmlReturn_t r = g->list[l](d, &n, &g->raw);
        if (r == NVML_ERROR_INSUFFICIENT_SIZE || n > MOST_LISTED)
            return false; /* what was filled in is not defined */
        if (r != NVML_SUCCESS)
            continue;
        any = true;
        for (unsigned int i = 0; i < n; i++)
            add_user(g, (pid_t)(g->is_v1[l] ? g->raw.v1[i].pid : g->raw.v2[i].pid),
                     g->is_v1[l] ? g->raw.v1[i].usedGpuMemory : g->raw.v2[i].usedGpuMemory);
    }
    return any;
}

static size_t read_of(char *text, size_t n, const char *proc, pid_t pid, const char *name)
{
    char path[128];
    if (!base_format(path, sizeof path, "%s/%d/%s", proc, (int)pid, name))
        return 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    const ssize_t k = read(fd, text, n);
    close(fd);
    return k > 0 ? (size_t)k : 0;
}

/* A process with this number in an inner namespace that is of the tree. */
static bool is_inner_member(const watch_tree *t, pid_t pid)
{
    char text[4096];
    for (size_t i = 0; i < watch_tree_size(t); i++) {
        const watch_member *m = watch_tree_peek(t, i);
        const ssize_t n = watch_member_read(t, m, "status", text, sizeof text);
        const pid_t inner = n > 0 ? proc_inner_pid(text, (size_t)n) : 0;
        if (inner == pid && inner != m->stat.pid)
            return true;
    }
    return false;
}

static void note_orphan(watch_gpu *g, const char *proc, pid_t pid, uid_t uid)
{
    char text[4096];
    proc_stat stat;
    size_t n = read_of(text, sizeof text, proc, pid, "stat");
    if (n == 0 || !proc_stat_parse(&stat, text, n) || stat.parent != 1)
        return;
    n = read_of(text, sizeof text, proc, pid, "status");
    if (n == 0 || proc_field(text, n, "Uid:") != (double)uid)
        return;
    for (size_t i = 0; i < g->n_orphans; i++)
        if (g->orphans[i] == pid)
            return;
    if (g->n_orphans < MOST_ORPHANS)
        g->orphans[g->n_orphans++] = pid;
}

static bool is_here(const char *proc, pid_t pid)
{
    char path[128];
    return base_format(path, sizeof path, "%s/%d", proc, (int)pid) && base_path_exists(path);
}

/* ---- a look ---- */

/* The job's bytes on one device, by the driver's lists; NAN: they do not tell. */
static double bytes_of(watch_gpu *g, const watch_tree *t, const char *proc, uid_t uid,
                       nvmlDevice_t d)
{
    double sum = 0;
    size_t n_ours = 0, n_strange = 0;
    if (!list_users(g, d))
        return NAN;
    for (size_t i = 0; i < g->n_users; i++) {
        const struct user *u = &g->users[i];
        bool ours = watch_tree_has(t, u->pid);
        if (!ours && !is_here(proc, u->pid)) {
            ours = is_inner_member(t, u->pid);
            n_strange += !ours;
        } else if (!ours) {
            note_orphan(g, proc, u->pid, uid);
        }
        if (!ours)
            continue;
        n_ours++;
        sum += u->bytes; /* NAN when it is not available */
    }
    return n_ours == 0 && n_strange > 0 ? (double)NAN : sum;
}

static double more(double a, double b)
{
    return isnan(a) || b > a ? b : a;
}

void watch_gpu_read(watch_gpu *g, const watch_tree *t, const char *proc, uid_t uid,
                    watch_sample *out)
{
    double *v = out->value;
    g->n_orphans = 0;
    for (size_t i = 0; i < g->n_devices; i++) {
        device *d = &g->devices[i];
        nvmlMemory_t memory;
        nvmlUtilization_t rates;
        if (d->handle == NULL)
            continue;
        double bytes = bytes_of(g, t, proc, uid, d->handle);
        if (g->nvml.memory(d->handle, &memory) == NVML_SUCCESS) {
            const double used = (double)memory.used;
            if (isnan(d->baseline_bytes))
                d->baseline_bytes = used;
            v[WATCH_LIMIT_GPU0_BYTES + i] = (double)memory.total;
            /* A process may end while it is asked for: only what stays so counts. Once that was
             * said by difference it is for good: the two have nothing in common. */
            d->n_unclear = isnan(bytes) ? d->n_unclear + 1 : 0;
            d->by_difference |= d->n_unclear >= UNCLEAR_LOOKS;
            if (d->by_difference)
                bytes = fmax(used - d->baseline_bytes, 0);
        }
        g->note_waits |= d->by_difference && !g->difference_noted;
        g->difference_noted |= d->by_difference;
        v[WATCH_GPU0_BYTES + i] = bytes;
        if (g->nvml.utilisation(d->handle, &rates) == NVML_SUCCESS)
            v[WATCH_GPU_UTILISATION] = more(v[WATCH_GPU_UTILISATION], rates.gpu / 100.0);
    }
    v[WATCH_GPU_ORPHANS] = (double)g->n_orphans;
}
