/* devices.c: which GPUs there are, and which of them a name means. */
#include "devices.h"

#include <glob.h>
#include <string.h>

static const gpu_host *const hosts[] = {&gpu_host_cuda, &gpu_host_opencl};
enum { N_HOSTS = sizeof hosts / sizeof *hosts };

const char *const gpu_kernel_names[GPU_N_KERNELS] = {
#define X(name) #name,
    GPU_KERNELS(X)
#undef X
};

#define X(name) +1
enum {
    N_INFER = 0 GPU_INFER_KERNELS(X),
    N_HALF = 0 GPU_INFER_HALF_KERNELS(X),
    N_TRAIN = 0 GPU_TRAIN_KERNELS(X),
    N_TRAIN_HALF = 0 GPU_TRAIN_HALF_KERNELS(X),
    N_LEARN = 0 GPU_LEARN_KERNELS(X)
};
#undef X
const gpu_kernel_range gpu_set_kernels[GPU_N_SETS] = {
    [GPU_INFER] = {0, N_INFER},
    [GPU_INFER_HALF] = {N_INFER, N_INFER + N_HALF},
    [GPU_TRAIN] = {N_INFER + N_HALF, N_INFER + N_HALF + N_TRAIN},
    [GPU_TRAIN_HALF] = {GPU_N_KERNELS - N_LEARN - N_TRAIN_HALF, GPU_N_KERNELS - N_LEARN},
    [GPU_LEARN] = {GPU_N_KERNELS - N_LEARN, GPU_N_KERNELS},
};

/* ---- names ---- */

typedef enum kind { AUTO, CPU, GPU, NUMBER, OF_HOST } kind;
typedef struct wish {
    kind kind;
    const gpu_host *host; /* OF_HOST */
    int platform, index;  /* index: of NUMBER, too */
} wish;

/* "12" at *text, which moves behind it. */
static bool read_number(int *out, const char **text)
{
    const size_t n = strspn(*text, "0123456789");
    char digits[4];
    int64_t value = 0;
    if (n == 0 || !base_format(digits, sizeof digits, "%.*s", (int)n, *text) ||
        !base_parse_i64(&value, digits, 0, 999))
        return false;
    *out = (int)value;
    *text += n;
    return true;
}

/* cuda:0, opencl:0, opencl:0.1 */
static bool read_of_host(wish *out, const char *name)
{
    for (int i = 0; i < N_HOSTS; i++) {
        const size_t n = strlen(hosts[i]->name);
        const char *at = name + n + 1;
        if (!base_starts_with(name, hosts[i]->name) || name[n] != ':')
            continue;
        *out = (wish){.kind = OF_HOST, .host = hosts[i]};
        if (!read_number(&out->platform, &at))
            return false;
        if (*at == '.' && hosts[i]->has_platforms) {
            at++;
            return read_number(&out->index, &at) && *at == '\0';
        }
        return *at == '\0';
    }
    return false;
}

static vg_status read_name(wish *out, const char *name, vg_error *err)
{
    const char *at = name;
    *out = (wish){.kind = AUTO};
    if (!name || base_equal_nocase(name, "auto"))
        return VG_OK;
    out->kind = base_equal_nocase(name, "cpu") ? CPU : GPU;
    if (out->kind == CPU || base_equal_nocase(name, "gpu"))
        return VG_OK;
    out->kind = NUMBER;
    if ((read_number(&out->index, &at) && *at == '\0') || read_of_host(out, name))
        return VG_OK;
    return base_fail(
        err, VG_ERR_ARGUMENT, "device",
        "use auto, cpu, gpu, a number (0 is the first GPU), cuda:0, opencl:0 or opencl:0.1; vigil "
        "devices lists those that are there",
        "the device \"%s\"", name);
}

vg_status nn_device_check(const char *name, vg_error *err)
{
    wish w;
    return read_name(&w, name, err);
}

/* ---- what is there ---- */

/* Whether the system has a node by which any driver would reach a GPU: without one no library is
 * opened for `auto`, so that a machine without a GPU starts as fast as before. */
static bool has_node(void)
{
    static const char *const nodes[] = {"/dev/nvidia[0-9]*", "/dev/dri/renderD*", "/dev/kfd",
                                        "/dev/mali*",        "/dev/kgsl-3d*",     "/dev/pvr*",
                                        "/dev/dxg",          "/dev/nvhost-gpu",   "/dev/nvgpu"};
    bool found = false;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes && !found; i++) {
        glob_t g = {0};
        found = glob(nodes[i], GLOB_NOSORT, NULL, &g) == 0;
        globfree(&g);
    }
    return found;
}

void nn_devices(vg_device out[VG_MOST_DEVICES], size_t *n, vg_driver drivers[VG_MOST_DRIVERS],
                size_t *n_drivers)
{
    *n = 0;
    *n_drivers = N_HOSTS;
    for (int i = 0; i < N_HOSTS; i++) {
        size_t more = 0;
        vg_error why = {0};
        const vg_status st = hosts[i]->list(out + *n, VG_MOST_DEVICES - *n, &more, &why);
        drivers[i] = (vg_driver){.n_devices = (int)more};
        base_format(drivers[i].name, sizeof drivers[i].name, "%s", hosts[i]->name);
        if (st != VG_OK)
            base_format(drivers[i].fault, sizeof drivers[i].fault, "%s", why.what);
        *n += more;
    }
}

const char *nn_devices_lack(void)
{
    return gpu_programs[GPU_INFER].ptx
               ? ""
               : "no CUDA: it was built where no clang could make the kernels' "
                 "PTX; OpenCL has them";
}

/* A GPU that CUDA has already: its OpenCL driver offers it again. */
static bool is_again(const vg_device *all, size_t i)
{
    if (!base_starts_with(all[i].name, "opencl") || !strstr(all[i].vendor, "NVIDIA"))
        return false;
    for (size_t k = 0; k < i; k++)
        if (base_starts_with(all[k].name, "cuda") && all[k].fault[0] == '\0')
            return true;
    return false;
}

/* The index-th GPU that can be used; NULL: there are fewer. */
static const vg_device *find_gpu(const vg_device *all, size_t n, int index)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].is_gpu && all[i].fault[0] == '\0' && !is_again(all, i) && index-- == 0)
            return &all[i];
    return NULL;
}

/* ---- open ---- */

/* Makes a wish for one device out of a wish for any; kind CPU: there is no GPU, which auto allows.
 */
static vg_status settle(wish *w, base_mem *mem, vg_error *err)
{
    const bool may_lack = w->kind == AUTO;
    if (w->kind == OF_HOST || w->kind == CPU)
        return VG_OK;
    vg_driver drivers[VG_MOST_DRIVERS] = {{.name = ""}};
    size_t n = 0, n_drivers = 0;
    vg_device *all = NULL;
    if (!may_lack || has_node()) {
        all = base_alloc_zero(mem, VG_MOST_DEVICES, sizeof *all, err);
        if (!all)
            return VG_ERR_MEMORY;
        nn_devices(all, &n, drivers, &n_drivers);
    }
    const vg_device *d = find_gpu(all, n, w->kind == NUMBER ? w->index : 0);
    vg_status st = VG_OK;
    if (d)
        read_of_host(w, d->name);
    else if (may_lack)
        w->kind = CPU;
    else if (n == 0)
        st = base_fail(err, VG_ERR_UNSUPPORTED, "device",
                       "install the GPU's driver, or take --device cpu",
                       "there is no GPU that vigil can use: %s", drivers[N_HOSTS - 1].fault);
    else {
        char number[32] = "";
        if (w->kind == NUMBER && w->index > 0)
            snprintf(number, sizeof number, " number %d", w->index);
        st = base_fail(err, VG_ERR_UNSUPPORTED, "device",
                       "vigil devices lists what is there, and what can be named",
                       "there is no GPU%s that vigil can use", number);
    }
    base_free(all);
    return st;
}

vg_status nn_device_open(nn_device **out, const char *name, base_mem *mem, vg_error *err)
{
    wish w;
    *out = NULL;
    vg_status st = read_name(&w, name, err);
    if (st == VG_OK)
        st = settle(&w, mem, err);
    if (st != VG_OK || w.kind == CPU)
        return st;
    nn_device *d = base_alloc_zero(mem, 1, sizeof *d, err);
    if (!d)
        return VG_ERR_MEMORY;
    d->host = w.host;
    st = d->host->open(&d->driver, w.platform, w.index, mem, err);
    *out = d;
    if (st != VG_OK)
        nn_device_close(out);
    return st;
}

void nn_device_close(nn_device **d)
{
    if (*d) {
        if ((*d)->driver)
            (*d)->host->close(&(*d)->driver);
        base_free(*d);
    }
    *d = NULL;
}

size_t nn_device_taken_bytes(const nn_device *d)
{
    const size_t free_now = d->host->free_bytes(d->driver), all = nn_device_facts(d)->memory_bytes;
    return free_now > 0 && free_now < all ? all - free_now : 0;
}

const vg_device *nn_device_facts(const nn_device *d)
{
    return d->host->facts(d->driver);
}
