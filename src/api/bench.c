/* bench.c: vg_bench over the measurement of the floor stream. */
#include "vigil/bench.h"
#include "api.h"

struct vg_bench {
    stream_accounts accounts;
    stream_bench bench;
};

enum { MOST_REPEATS = 1000 };

vg_bench_options vg_bench_options_default(void)
{
    return (vg_bench_options){.batch = 4, .repeats = 20};
}

static vg_status check(const vg_bench_options *o, vg_error *err)
{
    if (o == NULL || o->weights == NULL || *o->weights == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "weights", "give a .pt or .safetensors file",
                         "no weights given");
    vg_status st = api_check_imgsz(o->imgsz, o->imgsz_w, err);
    if (st == VG_OK)
        st = api_check_range("batch", o->batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("repeats", o->repeats, 1, MOST_REPEATS, err);
    return st;
}

vg_status vg_bench_run(vg_bench **out, const vg_bench_options *o, vg_error *err)
{
    *out = NULL;
    vg_status st = check(o, err);
    if (st != VG_OK)
        return st;
    vg_bench *b = base_handle_alloc(sizeof *b, err);
    if (!b)
        return VG_ERR_MEMORY;
    const stream_bench_options so = {
        .weights = o->weights,
        .isa = o->isa,
        .device = o->device,
        .half = o->half,
        .imgsz = {.h = o->imgsz, .w = o->imgsz_w > 0 ? o->imgsz_w : o->imgsz},
        .batch = o->batch,
        .threads = o->threads,
        .repeats = o->repeats};
    stream_accounts_init(&b->accounts, o->memory_limit_bytes);
    st = stream_bench_run(&b->bench, &so, &b->accounts, err);
    if (st != VG_OK)
        vg_bench_close(&b);
    *out = b;
    return st;
}

void vg_bench_close(vg_bench **b)
{
    if (*b) {
        stream_bench_close(&(*b)->bench);
        base_handle_free(*b);
    }
    *b = NULL;
}

void vg_bench_get_info(const vg_bench *b, vg_bench_info *out)
{
    *out = b->bench.info;
}

bool vg_bench_get_machine(const vg_bench *b, size_t index, vg_bench_machine *out)
{
    if (index >= b->bench.n_machines)
        return false;
    *out = b->bench.machines[index];
    return true;
}

bool vg_bench_get_stage(const vg_bench *b, size_t index, vg_bench_stage *out)
{
    if (index >= STREAM_BENCH_STAGES)
        return false;
    *out = b->bench.stages[index];
    return true;
}

bool vg_bench_get_layer(const vg_bench *b, size_t index, vg_bench_layer *out)
{
    if (index >= b->bench.n_layers)
        return false;
    *out = b->bench.layers[index];
    return true;
}

bool vg_bench_get_step(const vg_bench *b, size_t index, vg_bench_step *out)
{
    if (index >= b->bench.n_steps)
        return false;
    *out = b->bench.steps[index];
    return true;
}

bool vg_bench_get_speed(const vg_bench *b, size_t index, vg_bench_speed *out)
{
    if (index >= b->bench.n_speeds)
        return false;
    *out = b->bench.speeds[index];
    return true;
}
