/* tasks.c: from a picture to masks, keypoints, turned boxes or classes, behind the protocol of
 * bench/peers, so that compare_tasks.py can set it beside others.
 *
 *     bench/tasks WEIGHTS --picture RGB.npy [--threads N] [--isa NAME] [--conf C] [--iou C]
 *
 * RGB.npy: (H, W, 3) bytes, of the network's size. Answers each line of standard input with one
 * line of JSON:
 *     info       {"name": ..., "threads": ..., "peak_rss_mb": ...}
 *     run K      {"cpu_ms": [...], "wall_ms": [...], "find_ms": [...]}   K pictures
 *     out FILE   {"out": FILE}                         what was found, as JSON
 * The clock covers the bytes' way to floats, the forward, and all that `vigil predict` does for
 * results: suppression, masks with their outlines, and so on; find_ms is the latter alone, by the
 * processor's time. */
#include "npy.h"

#include "task/task.h"

enum { MOST_RUNS = 1000, LINE_BYTES = 4096, MOST = 300 };

typedef struct bench {
    base_mem mem;
    nn_engine *engine;
    nn_plan *plan;
    nn_graph_info info;
    uint8_t *picture; /* (h, w, 3) */
    float *input;     /* the same, 0..1 */
    int h, w;
    float to_float[256];
    task_finder finder;
    task_found found;
    detect_nms_options nms;
} bench;

static void read_npy(bench *b, const char *path)
{
    vg_error err;
    const bench_npy a = bench_npy_read(path, "|u1", 1, 3, 2, "(h, w, 3) bytes", &b->mem);
    b->h = a.shape[0];
    b->w = a.shape[1];
    b->picture = base_alloc(&b->mem, a.bytes, &err);
    b->input = base_alloc(&b->mem, a.bytes * sizeof(float), &err);
    if (!b->picture || !b->input)
        bench_fail(&err);
    memcpy(b->picture, a.values, a.bytes);
    base_free(a.file);
    for (int i = 0; i < 256; i++)
        b->to_float[i] = (float)i / 255.0f;
}

static void open_model(bench *b, const char *path, int threads, const char *isa)
{
    vg_error err;
    weights_file *file = NULL;
    nn_graph *graph = NULL;
    const nn_accounts accounts = {&b->mem, &b->mem, &b->mem, &b->mem};
    const nn_engine_options o = {.threads = threads, .isa = isa};
    if (weights_open(&file, path, &b->mem, &err) != VG_OK ||
        nn_graph_from_weights(&graph, file, &b->mem, &err) != VG_OK ||
        nn_engine_create(&b->engine, graph, file, &o, &accounts, &err) != VG_OK ||
        nn_engine_plan(b->engine, &b->plan, 1, b->h, b->w, &accounts, &err) != VG_OK)
        bench_fail(&err);
    weights_close(&file);
    nn_graph_get_info(nn_engine_graph(b->engine), b->h, &b->info);
    base_level levels[NN_MAX_LEVELS];
    const int n_levels = nn_plan_levels(b->plan, levels);
    const task_shape shape =
        task_shape_make(&b->info, MOST, detect_n_anchors(levels, n_levels) + 1, b->h, b->w, false);
    if (task_finder_open(&b->finder, &shape, &b->mem, &err) != VG_OK ||
        task_found_open(&b->found, &shape, &b->mem, &err) != VG_OK)
        bench_fail(&err);
}

/* The processor's time of the last part, in ns. */
static int64_t run_once(bench *b)
{
    vg_error err = {0};
    const size_t n = (size_t)b->h * (size_t)b->w * 3;
    for (size_t i = 0; i < n; i++)
        b->input[i] = b->to_float[b->picture[i]];
    if (nn_engine_run(b->engine, b->plan, b->input, &err) != VG_OK)
        bench_fail(&err);
    const int64_t from = base_process_cpu_ns();
    const task_maps maps = task_maps_of(b->plan);
    const task_scene scene = {
        .maps = &maps, .in_h = b->h, .in_w = b->w, .orig_h = b->h, .orig_w = b->w, .nms = &b->nms};
    if (task_find_in(&b->finder, &b->found, &scene, &err) != VG_OK)
        bench_fail(&err);
    return base_process_cpu_ns() - from;
}

static void run(bench *b, int k)
{
    static double times[3][MOST_RUNS];
    static const char *const names[] = {"cpu_ms", "wall_ms", "find_ms"};
    for (int i = 0; i < k; i++) {
        const int64_t cpu0 = base_process_cpu_ns(), wall0 = base_now_ns();
        times[2][i] = base_ms(run_once(b));
        times[0][i] = base_ms(base_process_cpu_ns() - cpu0);
        times[1][i] = base_ms(base_now_ns() - wall0);
    }
    for (int part = 0; part < 3; part++) {
        printf("%s\"%s\": [", part == 0 ? "{" : ", ", names[part]);
        for (int i = 0; i < k; i++)
            printf("%s%.4f", i ? ", " : "", times[part][i]);
        printf("]");
    }
    printf("}\n");
}

static size_t pixels_of(const vg_mask *m)
{
    size_t n = 0;
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++)
            n += m->bits[(size_t)y * m->row_bytes + (size_t)x / 8] >> (7 - x % 8) & 1;
    return n;
}

static void write_row(FILE *f, const task_found *found, size_t i)
{
    const vg_detection *d = &found->boxes[i];
    const vg_extras *e = &found->extras;
    fprintf(f, "{\"cls\": %d, \"conf\": %.6f", d->class_index, (double)d->confidence);
    if (e->rotated) {
        const vg_rotated *r = &e->rotated[i];
        fprintf(f, ", \"rotated\": [%.5f, %.5f, %.5f, %.5f, %.6f]", (double)r->x, (double)r->y,
                (double)r->w, (double)r->h, (double)r->angle);
    } else {
        fprintf(f, ", \"box\": [%.4f, %.4f, %.4f, %.4f]", (double)d->x1, (double)d->y1,
                (double)d->x2, (double)d->y2);
    }
    if (e->masks)
        fprintf(f, ", \"pixels\": %zu", pixels_of(&e->masks[i]));
    for (size_t k = 0; e->keypoints && k < e->n_keypoints; k++) {
        const vg_keypoint *p = &e->keypoints[i * e->n_keypoints + k];
        fprintf(f, "%s%.4f, %.4f, %.5f", k == 0 ? ", \"points\": [" : ", ", (double)p->x,
                (double)p->y, (double)p->visibility);
    }
    fputs(e->keypoints ? "]}" : "}", f);
}

static void write_found(const bench *b, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        printf("{\"error\": \"%s cannot be written\"}\n", path);
        return;
    }
    fputc('[', f);
    for (size_t i = 0; i < b->found.extras.n_top; i++)
        fprintf(f, "%s{\"cls\": %d, \"conf\": %.6f}", i ? ", " : "",
                b->found.extras.top[i].class_index, (double)b->found.extras.top[i].confidence);
    for (size_t i = 0; i < b->found.n; i++) {
        fputs(i ? ",\n" : "", f);
        write_row(f, &b->found, i);
    }
    fputs("]\n", f);
    fclose(f);
    printf("{\"out\": \"%s\"}\n", path);
}

static void answer(bench *b, char *line)
{
    long k = 0;
    char rest;
    line[strcspn(line, "\r\n")] = 0;
    if (strcmp(line, "info") == 0)
        printf("{\"name\": \"vigil f32 %s\", \"threads\": %d, \"peak_rss_mb\": %.1f}\n",
               nn_engine_isa(b->engine), nn_engine_threads(b->engine),
               (double)base_mem_peak_resident_bytes() / 1048576);
    else if (sscanf(line, "run %ld%c", &k, &rest) == 1 && k >= 1 && k <= MOST_RUNS)
        run(b, (int)k);
    else if (strncmp(line, "out ", 4) == 0)
        write_found(b, line + 4);
    else
        printf("{\"error\": \"unknown command\"}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    bench b = {.mem = {.tag = "bench", .limit_bytes = SIZE_MAX}, .nms = DETECT_NMS_PREDICT};
    const char *weights = NULL, *picture = NULL, *isa = NULL;
    int64_t threads = 1;
    double conf = 0.25, iou = 0.7;
    bool fine = true;
    for (int i = 1; i < argc; i++) {
        const bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--picture") == 0 && has_value)
            picture = argv[++i];
        else if (strcmp(argv[i], "--threads") == 0 && has_value)
            fine = fine && base_parse_i64(&threads, argv[++i], 1, 256);
        else if (strcmp(argv[i], "--isa") == 0 && has_value)
            isa = argv[++i];
        else if (strcmp(argv[i], "--conf") == 0 && has_value)
            fine = fine && base_parse_double(&conf, argv[++i]);
        else if (strcmp(argv[i], "--iou") == 0 && has_value)
            fine = fine && base_parse_double(&iou, argv[++i]);
        else if (argv[i][0] != '-' && !weights)
            weights = argv[i];
        else
            fine = false;
    }
    if (!fine || !weights || !picture) {
        fprintf(stderr, "usage: tasks WEIGHTS --picture RGB.npy [--threads N] [--isa NAME] [--conf "
                        "C] [--iou C]\n");
        return 2;
    }
    b.nms.conf = (float)conf;
    b.nms.iou = (float)iou;
    read_npy(&b, picture);
    open_model(&b, weights, (int)threads, isa);
    run_once(&b);
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin))
        answer(&b, line);
    task_found_close(&b.found);
    task_finder_close(&b.finder);
    nn_engine_destroy(&b.engine);
    base_free(b.picture);
    base_free(b.input);
    return 0;
}
