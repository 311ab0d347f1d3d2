/* main.c: vigil-golden DIR: every file of DIR in the order of names; kinds by content (kind.h). */
#include <dirent.h>

#include "kind.h"
#include "nn/nn.h"

enum { MOST_FILES = 4096, EXIT_USAGE = 2 };

static const char *const isa_names[] = {"plain", "generic", "sse41", "avx2", "avx512"};
enum { N_ISAS = sizeof isa_names / sizeof *isa_names };

static const char usage[] =
    "usage: vigil-golden [--all-isa | --isa NAME | --device NAME [--half]] [--verbose] DIR...\n"
    "Recomputes the golden files (.safetensors, .pt) in each DIR and prints, per file and tensor,\n"
    "the largest error, what is allowed, and pass or FAIL.\n"
    "  --all-isa   networks with every kernel table of this processor, not with the best alone\n"
    "  --isa NAME  networks with this one: plain, generic or sse41, avx2, avx512\n"
    "  --device NAME  forward passes on that GPU (opencl:0), and no other files\n"
    "  --half         there in numbers of 16 bits: what has bounds for them\n"
    "  --verbose   one row a tensor also where hundreds are alike\n"
    "  --kinds     the kinds of files it knows\n"
    "  --help      this text\n"
    "Exit status: 0 all passed (also when files were skipped), 1 something failed or nothing was\n"
    "checked, 2 usage.\n";

static bool is_golden_name(const char *name)
{
    const char *suffix = base_path_suffix(name);
    return strcmp(suffix, ".safetensors") == 0 || strcmp(suffix, ".pt") == 0;
}

static int name_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(char *const *)a, *(char *const *)b) < 0;
}

/* Sorted, so that two runs can be compared line by line. */
static vg_status list(char **names, size_t *n, const char *dir, base_mem *mem, vg_error *err)
{
    DIR *d = opendir(dir);
    *n = 0;
    if (!d)
        return base_fail_errno(err, VG_ERR_IO, base_where("%s", dir), "give a folder",
                               "the folder cannot be read");
    vg_status st = VG_OK;
    for (struct dirent *e = readdir(d); e && st == VG_OK; e = readdir(d)) {
        if (!is_golden_name(e->d_name))
            continue;
        if (*n == MOST_FILES)
            st = base_fail(err, VG_ERR_LIMIT, base_where("%s", dir), NULL, "more than %d files",
                           MOST_FILES);
        else if (!(names[*n] = base_strdup(mem, e->d_name, err)))
            st = VG_ERR_MEMORY;
        else
            ++*n;
    }
    closedir(d);
    base_sort(names, *n, sizeof *names, name_before, NULL);
    return st;
}

static const gold_kind *kind_of(const gold_file *f)
{
    for (size_t i = 0; gold_kinds[i]; i++)
        if (gold_kinds[i]->recognises(f))
            return gold_kinds[i];
    return NULL;
}

static void note_uncompared(const gold_file *f, const gold_report *r)
{
    for (size_t i = 0; i < weights_count(f->weights); i++)
        if (!f->asked[i])
            gold_report_note(r, "not compared: %s", weights_at(f->weights, i)->name);
}

static void check_file(const char *dir, const char *name, gold_job *job)
{
    gold_file f;
    vg_error err = {0};
    vg_status st = gold_file_open(&f, dir, name, job->mem, &err);
    if (st != VG_OK) {
        gold_report_file(job->report, name, "unreadable");
        gold_report_error(job->report, &err);
    } else {
        const gold_kind *kind = kind_of(&f);
        const bool is_asked =
            !job->device || (kind && kind->on_device && (!job->half || kind->on_half));
        gold_report_file(job->report, name, kind && is_asked ? kind->name : NULL);
        if (kind && is_asked) {
            st = kind->check(&f, job, &err);
            if (st != VG_OK)
                gold_report_error(job->report, &err);
            else
                note_uncompared(&f, job->report);
        }
    }
    gold_report_file_end(job->report);
    gold_file_close(&f);
}

static vg_status check_dir(const char *dir, gold_job *job, vg_error *err)
{
    size_t n = 0;
    char **names = base_alloc_zero(job->mem, MOST_FILES, sizeof *names, err);
    vg_status st = names ? list(names, &n, dir, job->mem, err) : VG_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (st == VG_OK)
            check_file(dir, names[i], job);
        fflush(stdout);
        base_free(names[i]);
    }
    base_free(names);
    return st;
}

/* The tables that run on this processor. */
static vg_status find_isas(gold_job *job, const char *wanted, bool all, vg_error *err)
{
    base_tree *yaml = NULL;
    nn_graph *g = NULL;
    const nn_accounts mem = {job->mem, job->mem, job->mem, job->mem};
    const char *text = nn_builtin_yaml();
    vg_status st = base_tree_from_yaml(&yaml, text, strlen(text), "yolo11.yaml", job->mem, err);
    if (st == VG_OK)
        st = nn_graph_create(&g, yaml, NULL, job->mem, err);
    for (int i = 0; i < N_ISAS && st == VG_OK; i++) {
        nn_memory_need need;
        nn_engine_options o = {.threads = 1, .isa = isa_names[i]};
        if (nn_graph_need(g, &o, 1, 32, 32, &need, &mem, NULL) == VG_OK)
            job->isas[job->n_isas++] = isa_names[i];
    }
    if (st == VG_OK && wanted) {
        nn_memory_need need;
        nn_engine_options o = {.threads = 1, .isa = wanted};
        st = nn_graph_need(g, &o, 1, 32, 32, &need, &mem, err);
        job->isas[0] = wanted;
        job->n_isas = 1;
    } else if (st == VG_OK && !all) {
        job->isas[0] = job->isas[job->n_isas - 1];
        job->n_isas = 1;
    }
    nn_graph_destroy(&g);
    base_tree_destroy(&yaml);
    return st;
}

static int print_kinds(void)
{
    for (size_t i = 0; gold_kinds[i]; i++)
        printf("%-24s %s\n", gold_kinds[i]->name, gold_kinds[i]->help);
    return 0;
}

static int fail(const vg_error *err)
{
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    base_mem mem;
    vg_error err = {0};
    gold_report report = {0};
    gold_job job = {.report = &report, .mem = &mem};
    const char *isa = NULL, *device = NULL;
    bool all = false;
    int n_dirs = 0;
    base_mem_init(&mem, "golden", NULL, SIZE_MAX);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all-isa") == 0)
            all = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            report.verbose = true;
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            isa = argv[++i];
        else if (strcmp(argv[i], "--device") == 0 && i + 1 < argc)
            device = argv[++i];
        else if (strcmp(argv[i], "--half") == 0)
            job.half = true;
        else if (strcmp(argv[i], "--kinds") == 0)
            return print_kinds();
        else if (strcmp(argv[i], "--help") == 0)
            return fputs(usage, stdout) < 0;
        else if (argv[i][0] != '-')
            argv[n_dirs++] = argv[i];
        else
            n_dirs = argc + 1;
        if (n_dirs > argc)
            break;
    }
    if (n_dirs == 0 || n_dirs > argc || (job.half && !device)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (find_isas(&job, isa, all, &err) != VG_OK)
        return fail(&err);
    if (device && nn_device_open(&job.device, device, &mem, &err) != VG_OK)
        return fail(&err);
    if (job.device) { /* one way of computing, whatever this processor has */
        job.isas[0] = nn_device_facts(job.device)->name;
        job.n_isas = 1;
    }
    vg_status st = VG_OK;
    for (int i = 0; i < n_dirs && st == VG_OK; i++)
        st = check_dir(argv[i], &job, &err);
    nn_device_close(&job.device);
    return st == VG_OK ? gold_report_end(&report) : fail(&err);
}
