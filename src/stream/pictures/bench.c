/* bench.c: times by layer, step and stage at the most threads, one picture; then the whole network
 * by threads and batch.
 *
 * Every thread count has an engine of its own, one after another: kernels cut their work by
 * threads. Within one, batches take turns, so that whoever else loads the machine hurts all
 * alike. Steps are timed in runs of their own, because the clock between them costs a little. */
#include "bench.h"

#include <string.h>

enum { PICTURE_W = 1920, PICTURE_H = 1080, WARM_UP = 2, MOST_BOXES = 300 };

/* While it runs. */
typedef struct work {
    const stream_bench_options *o;
    stream_bench *b;
    stream_accounts *mem;
    int threads[STREAM_BENCH_MOST_COUNTS], batches[STREAM_BENCH_MOST_COUNTS];
    size_t n_threads, n_batches;
    base_size size;
    nn_device *device; /* NULL: the CPU */
    nn_engine *engine;
    nn_plan *plans[STREAM_BENCH_MOST_COUNTS]; /* (n_batches) */
    float *input;                             /* (batch, h, w, 3) */
    uint8_t *pixels;                          /* the picture */
    image_view picture;
    image_letterbox_fit fit;
    image_scratch scratch;
    task_finder finder;
    task_found found;
    int64_t *step_ns; /* (n_steps) of one run */
    double *samples;  /* (rows, repeats) of steps, stages or batches, ms */
    size_t n_rows;
} work;

static nn_engine_options engine_options(const work *k, int threads)
{
    return (nn_engine_options){.threads = threads,
                               .isa = k->o->isa,
                               .device = k->device,
                               .half = k->o->half,
                               .max_plans = (int)k->n_batches};
}

size_t stream_bench_counts(int out[STREAM_BENCH_MOST_COUNTS], int most)
{
    size_t n = 0;
    for (int count = 1; count < most && n + 1 < STREAM_BENCH_MOST_COUNTS; count *= 2)
        out[n++] = count;
    out[n++] = most;
    return n;
}

/* ---- memory ---- */

static task_shape shape_of(const work *k)
{
    const stream_detector_options o = {0};
    return stream_detector_shape(&k->b->model.info, &o, k->size.h, k->size.w, MOST_BOXES);
}

static size_t n_rows_of(const work *k)
{
    const size_t n = k->b->n_steps;
    return n > STREAM_BENCH_MOST_COUNTS ? n : STREAM_BENCH_MOST_COUNTS;
}

static vg_status plan(work *k, vg_error *err)
{
    stream_accounts *mem = k->mem;
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    const nn_engine_options eo = engine_options(k, k->o->threads);
    const int batch = k->o->batch;
    nn_memory_need need;
    vg_status st =
        nn_graph_need(k->b->model.graph, &eo, batch, k->size.h, k->size.w, &need, &accounts, err);
    if (st != VG_OK)
        return st;
    /* A second graph is made for the engine while the first one stays. */
    const size_t graph_bytes = mem->owner[STREAM_PLANS].in_use_bytes;
    size_t *planned = mem->planned_bytes;
    k->n_rows = n_rows_of(k);
    planned[STREAM_LOADING] = mem->owner[STREAM_LOADING].in_use_bytes;
    stream_accounts_plan_engine(mem, &need);
    if (k->device == NULL && planned[STREAM_ACTIVATIONS] < NN_COPY_BYTES)
        planned[STREAM_ACTIVATIONS] = NN_COPY_BYTES; /* the machine's copy */
    planned[STREAM_PLANS] = 2 * graph_bytes + need.engine_bytes;
    planned[STREAM_FRAMES] =
        need.input_bytes + (size_t)PICTURE_W * PICTURE_H * 3 +
        stream_prepare_bytes(&k->b->model.info, k->size.h, k->size.w, PICTURE_H, PICTURE_W);
    const task_shape shape = shape_of(k);
    planned[STREAM_DETECTIONS] = task_finder_bytes(&shape) + task_found_bytes(&shape);
    planned[STREAM_OUTPUT] = k->b->n_steps * (sizeof(int64_t) + sizeof *k->b->steps) +
                             k->n_rows * (size_t)k->o->repeats * sizeof(double) +
                             k->b->n_layers * sizeof *k->b->layers +
                             k->n_threads * k->n_batches * sizeof *k->b->speeds;
    return stream_accounts_check(mem, err);
}

static vg_status count_parts(work *k, vg_error *err)
{
    stream_bench *b = k->b;
    b->n_layers = (size_t)b->model.info.n_layers;
    return nn_graph_n_steps(&b->n_steps, b->model.graph, k->size.h, k->size.w,
                            &k->mem->owner[STREAM_PLANS], err);
}

static vg_status take(work *k, vg_error *err)
{
    base_mem *frames = &k->mem->owner[STREAM_FRAMES], *output = &k->mem->owner[STREAM_OUTPUT],
             *detections = &k->mem->owner[STREAM_DETECTIONS];
    stream_bench *b = k->b;
    const size_t cells = (size_t)k->size.h * (size_t)k->size.w;
    k->input = base_alloc_zero(frames, (size_t)k->o->batch * cells * 3, sizeof(float), err);
    k->pixels = base_alloc(frames, (size_t)PICTURE_W * PICTURE_H * 3, err);
    k->step_ns = base_alloc_zero(output, b->n_steps, sizeof *k->step_ns, err);
    k->samples =
        base_alloc_zero(output, k->n_rows * (size_t)k->o->repeats, sizeof *k->samples, err);
    b->steps = base_alloc_zero(output, b->n_steps, sizeof *b->steps, err);
    b->layers = base_alloc_zero(output, b->n_layers, sizeof *b->layers, err);
    b->speeds = base_alloc_zero(output, k->n_threads * k->n_batches, sizeof *b->speeds, err);
    if (!k->input || !k->pixels || !k->step_ns || !k->samples || !b->steps || !b->layers ||
        !b->speeds)
        return VG_ERR_MEMORY;
    vg_status st = stream_prepare_reserve(&k->scratch, &b->model.info, k->size.h, k->size.w,
                                          PICTURE_H, PICTURE_W, frames, err);
    const task_shape shape = shape_of(k);
    if (st == VG_OK)
        st = task_found_open(&k->found, &shape, detections, err);
    return st == VG_OK ? task_finder_open(&k->finder, &shape, detections, err) : st;
}

static void give_back(work *k)
{
    nn_engine_destroy(&k->engine);
    task_finder_close(&k->finder);
    task_found_close(&k->found);
    image_scratch_fini(&k->scratch);
    base_free(k->input);
    base_free(k->pixels);
    base_free(k->step_ns);
    base_free(k->samples);
    k->mem->device = NULL;
    nn_device_close(&k->device);
}

/* ---- what is fed ---- */

/* Smooth shapes with grain: nothing that a kernel or a resize could find easy. */
static void draw(work *k)
{
    uint32_t grain = 1;
    for (size_t y = 0; y < PICTURE_H; y++)
        for (size_t x = 0; x < (size_t)PICTURE_W * 3; x++) {
            grain = grain * 1664525U + 1013904223U;
            k->pixels[y * PICTURE_W * 3 + x] =
                (uint8_t)((x * (x % 3 + 1) / 24 + y / 5 + (grain >> 27)) & 255);
        }
    k->picture = (image_view){
        .data = k->pixels, .w = PICTURE_W, .h = PICTURE_H, .stride = (size_t)PICTURE_W * 3};
}

static vg_status letterbox(work *k, vg_error *err)
{
    return stream_prepare(&k->b->model.info, k->input, &k->picture, &k->fit, &k->scratch,
                          &k->mem->owner[STREAM_FRAMES], err);
}

static vg_status fill_input(work *k, vg_error *err)
{
    draw(k);
    vg_status st =
        stream_fit(&k->fit, k->size, k->b->model.info.max_stride, PICTURE_W, PICTURE_H, false, err);
    if (st == VG_OK)
        st = letterbox(k, err);
    const size_t floats = (size_t)k->size.h * (size_t)k->size.w * 3;
    for (int i = 1; st == VG_OK && i < k->o->batch; i++)
        memcpy(k->input + (size_t)i * floats, k->input, floats * sizeof(float));
    return st;
}

/* ---- the clock ---- */

static void note(work *k, size_t row, int repeat, int64_t ns)
{
    k->samples[row * (size_t)k->o->repeats + (size_t)repeat] = base_ms(ns);
}

static double median_of(work *k, size_t row)
{
    const size_t n = (size_t)k->o->repeats;
    return base_median(k->samples + row * n, n);
}

static double rate(double gflops, double ms)
{
    return ms > 0 ? gflops * 1000 / ms : 0;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* With what the task adds to them. */
static vg_status boxes_of(work *k, nn_plan *p, vg_error *err)
{
    const task_maps maps = task_maps_of(p);
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.max_det = MOST_BOXES;
    const task_scene scene = {.maps = &maps,
                              .in_h = k->size.h,
                              .in_w = k->size.w,
                              .orig_h = PICTURE_H,
                              .orig_w = PICTURE_W,
                              .nms = &o};
    return task_find_in(&k->finder, &k->found, &scene, err);
}

enum { LETTERBOX, NETWORK, BOXES };

static vg_status measure_stages(work *k, vg_error *err)
{
    stream_bench *b = k->b;
    const bool is_whole = task_of(b->model.info.task)->is_whole;
    const char *const names[] = {is_whole ? "crop" : "letterbox", "network",
                                 is_whole ? "classes" : "boxes"};
    double sum = 0;
    for (int r = -WARM_UP; r < k->o->repeats; r++) {
        const int64_t began = base_now_ns();
        vg_status st = letterbox(k, err);
        const int64_t boxed = base_now_ns();
        if (st == VG_OK)
            st = nn_engine_run(k->engine, k->plans[0], k->input, err);
        if (st != VG_OK)
            return st;
        const int64_t ran = base_now_ns();
        st = boxes_of(k, k->plans[0], err);
        if (st != VG_OK)
            return st;
        const int64_t ended = base_now_ns();
        if (r < 0)
            continue;
        note(k, LETTERBOX, r, boxed - began);
        note(k, NETWORK, r, ran - boxed);
        note(k, BOXES, r, ended - ran);
    }
    for (size_t i = 0; i < STREAM_BENCH_STAGES; i++) {
        b->stages[i] = (vg_bench_stage){.name = names[i], .ms = median_of(k, i)};
        sum += b->stages[i].ms;
    }
    for (size_t i = 0; i < STREAM_BENCH_STAGES; i++)
        b->stages[i].share = ratio(b->stages[i].ms, sum);
    return VG_OK;
}

/* ---- layers and steps ---- */

/* Adds name to a list in which it is not yet. */
static void add_name(char list[VG_BENCH_TEXT_BYTES], const char *name)
{
    const size_t used = strlen(list), n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
            return;
    base_format(list + used, VG_BENCH_TEXT_BYTES - used, "%s%s", used > 0 ? ", " : "", name);
}

static void describe_steps(work *k)
{
    stream_bench *b = k->b;
    for (size_t i = 0; i < b->n_layers; i++) {
        vg_layer l;
        nn_graph_layer(b->model.graph, (int)i, k->size.h, &l);
        b->layers[i] = (vg_bench_layer){.index = (int)i, .module = l.module};
    }
    for (size_t i = 0; i < b->n_steps; i++) {
        const nn_step_facts f = nn_engine_step(k->engine, k->plans[0], i);
        vg_bench_step *s = &b->steps[i];
        *s = (vg_bench_step){.layer = f.op->layer,
                             .kind = f.kind,
                             .kernel = f.kernel,
                             .channels = f.c,
                             .height = f.h,
                             .width = f.w,
                             .gflops = f.flops / 1e9};
        base_format(s->name, sizeof s->name, "%s", f.op->key);
        vg_bench_layer *l = &b->layers[f.op->layer];
        l->n_steps++;
        l->gflops += s->gflops;
        add_name(l->kernels, f.kernel);
    }
}

static vg_status measure_steps(work *k, double peak, vg_error *err)
{
    stream_bench *b = k->b;
    for (int r = -WARM_UP; r < k->o->repeats; r++) {
        const vg_status st = nn_engine_run_timed(k->engine, k->plans[0], k->input, k->step_ns, err);
        if (st != VG_OK)
            return st;
        for (size_t i = 0; r >= 0 && i < b->n_steps; i++)
            note(k, i, r, k->step_ns[i]);
    }
    double sum = 0;
    for (size_t i = 0; i < b->n_steps; i++) {
        vg_bench_step *s = &b->steps[i];
        s->ms = median_of(k, i);
        s->gflops_per_s = rate(s->gflops, s->ms);
        s->peak_share = ratio(s->gflops_per_s, peak);
        b->layers[s->layer].ms += s->ms;
        sum += s->ms;
    }
    for (size_t i = 0; i < b->n_steps; i++)
        b->steps[i].share = ratio(b->steps[i].ms, sum);
    for (size_t i = 0; i < b->n_layers; i++) {
        vg_bench_layer *l = &b->layers[i];
        l->share = ratio(l->ms, sum);
        l->gflops_per_s = rate(l->gflops, l->ms);
        l->peak_share = ratio(l->gflops_per_s, peak);
    }
    b->info.network_ms = sum;
    return VG_OK;
}

static void count_gflops(work *k)
{
    stream_bench *b = k->b;
    double network = 0;
    for (size_t i = 0; i < b->n_steps; i++)
        network += b->steps[i].gflops;
    b->stages[NETWORK].gflops = network;
    b->stages[BOXES].gflops = nn_boxes_flops(b->model.graph, k->size.h, k->size.w) / 1e9;
    b->info.gflops = network + b->stages[BOXES].gflops;
}

/* ---- the whole network ---- */

static vg_status measure_batches(work *k, const vg_bench_machine *machine, vg_error *err)
{
    stream_bench *b = k->b;
    double gflops = 0;
    for (size_t i = 0; i < b->n_steps; i++)
        gflops += b->steps[i].gflops;
    for (int r = -WARM_UP; r < k->o->repeats; r++)
        for (size_t i = 0; i < k->n_batches; i++) {
            const int64_t began = base_now_ns();
            const vg_status st = nn_engine_run(k->engine, k->plans[i], k->input, err);
            if (st != VG_OK)
                return st;
            if (r >= 0)
                note(k, i, r, base_now_ns() - began);
        }
    for (size_t i = 0; i < k->n_batches; i++) {
        vg_bench_speed *s = &b->speeds[b->n_speeds++];
        *s = (vg_bench_speed){
            .threads = machine->threads, .batch = k->batches[i], .ms = median_of(k, i)};
        s->pictures_per_s = s->ms > 0 ? s->batch * 1000 / s->ms : 0;
        s->gflops_per_s = gflops * s->pictures_per_s;
        s->peak_share = ratio(s->gflops_per_s, machine->peak_gflops_per_s);
    }
    return VG_OK;
}

/* ---- in order ---- */

static vg_status open_device(work *k, vg_error *err)
{
    stream_bench *b = k->b;
    base_format(b->device, sizeof b->device, "cpu");
    if (k->o->device == NULL)
        return VG_OK;
    const vg_status st =
        nn_device_open(&k->device, k->o->device, &k->mem->owner[STREAM_PLANS], err);
    k->mem->device = k->device;
    if (k->device != NULL) {
        base_format(b->device, sizeof b->device, "%s", nn_device_facts(k->device)->name);
        base_format(b->gpu, sizeof b->gpu, "%s", nn_device_facts(k->device)->title);
    }
    return st;
}

static vg_status measure_machines(work *k, vg_error *err)
{
    const nn_accounts accounts = stream_accounts_of_engine(k->mem);
    stream_bench *b = k->b;
    base_cpu_model(b->cpu, sizeof b->cpu);
    if (k->device != NULL) {
        b->info.isa = "gpu";
        return VG_OK; /* nothing asks a device for its peak */
    }
    for (size_t i = 0; i < k->n_threads; i++) {
        nn_machine m;
        const nn_engine_options o = {.threads = k->threads[i], .isa = k->o->isa};
        const vg_status st = nn_measure_machine(&m, &o, &accounts, err);
        if (st != VG_OK)
            return st;
        b->info.isa = m.isa;
        b->machines[b->n_machines++] = (vg_bench_machine){.threads = m.threads,
                                                          .peak_gflops_per_s = m.flops_per_s / 1e9,
                                                          .copy_gb_per_s = m.bytes_per_s / 1e9};
    }
    return VG_OK;
}

static vg_status open_engine(work *k, int threads, vg_error *err)
{
    const nn_accounts accounts = stream_accounts_of_engine(k->mem);
    const nn_engine_options o = engine_options(k, threads);
    const weights_file *file = k->b->model.file;
    nn_graph *graph = NULL;
    vg_status st = nn_graph_from_weights(&graph, file, accounts.plans, err);
    if (st == VG_OK)
        st = nn_engine_create(&k->engine, graph, file, &o, &accounts, err);
    if (st != VG_OK) {
        nn_graph_destroy(&graph);
        return st;
    }
    st = nn_engine_reserve(k->engine, k->o->batch, k->size.h, k->size.w, &accounts, err);
    for (size_t i = 0; i < k->n_batches && st == VG_OK; i++)
        st = nn_engine_plan(k->engine, &k->plans[i], k->batches[i], k->size.h, k->size.w, &accounts,
                            err);
    return st;
}

/* The parts are measured with the last engine, which has the most threads. */
static vg_status measure_engines(work *k, vg_error *err)
{
    for (size_t i = 0; i < k->n_threads; i++) {
        const vg_bench_machine unknown = {.threads = k->threads[i]},
                               *machine = k->device != NULL ? &unknown : &k->b->machines[i];
        nn_engine_destroy(&k->engine);
        vg_status st = open_engine(k, machine->threads, err);
        if (st != VG_OK)
            return st;
        if (i == 0)
            describe_steps(k);
        st = measure_batches(k, machine, err);
        if (st == VG_OK && i + 1 < k->n_threads)
            continue;
        if (st == VG_OK)
            st = measure_steps(k, machine->peak_gflops_per_s, err);
        if (st == VG_OK)
            st = measure_stages(k, err);
        if (st != VG_OK)
            return st;
        count_gflops(k);
    }
    return VG_OK;
}

static void fill_info(work *k)
{
    vg_bench_info *info = &k->b->info;
    info->model = k->b->model.info.name;
    info->cpu = k->b->cpu;
    info->device = k->b->device;
    info->gpu = k->b->gpu;
    info->half = k->device != NULL && k->o->half;
    info->gpu_planned_bytes = stream_accounts_planned_gpu(k->mem);
    info->gpu_peak_bytes = k->mem->gpu.peak_bytes;
    info->width = k->size.w;
    info->height = k->size.h;
    info->threads = k->o->threads;
    info->repeats = k->o->repeats;
    info->picture_width = PICTURE_W;
    info->picture_height = PICTURE_H;
    info->planned_bytes = stream_accounts_planned(k->mem);
    info->peak_bytes = k->mem->root.peak_bytes;
}

vg_status stream_bench_run(stream_bench *b, const stream_bench_options *options,
                           stream_accounts *mem, vg_error *err)
{
    stream_bench_options o = *options;
    if (o.threads == 0)
        o.threads = base_cpu_count();
    work k = {.o = &o, .b = b, .mem = mem};
    vg_status st = open_device(&k, err);
    if (st != VG_OK)
        return st;
    /* On a device the threads are of the stages around it. */
    k.n_threads = k.device != NULL ? 1 : stream_bench_counts(k.threads, o.threads);
    if (k.device != NULL)
        k.threads[0] = o.threads;
    k.n_batches = stream_bench_counts(k.batches, o.batch);
    st = stream_model_open(&b->model, o.weights, NULL, o.imgsz, mem, err);
    k.size = b->model.imgsz.used;
    if (st == VG_OK)
        st = count_parts(&k, err);
    if (st == VG_OK)
        st = plan(&k, err);
    if (st == VG_OK)
        st = measure_machines(&k, err);
    if (st == VG_OK)
        st = take(&k, err);
    if (st == VG_OK)
        st = fill_input(&k, err);
    if (st == VG_OK)
        st = measure_engines(&k, err);
    if (st == VG_OK)
        fill_info(&k);
    give_back(&k);
    return st;
}

void stream_bench_close(stream_bench *b)
{
    base_free(b->layers);
    base_free(b->steps);
    base_free(b->speeds);
    stream_model_close(&b->model);
    *b = (stream_bench){0};
}
