/* sink_stacks.c: --stacks: stacks.txt, stacks.folded and stacks.pb.gz in the guard's folder, at
 * every leak of memory and at the end; and who allocated it, in the evidence of the event. */
/* Before base.h, which poisons the names that it declares. */
#include <malloc.h>

#include "sinks.h"
#include "watch/stacks/stacks_named.h"

#include <math.h>
#include <string.h>

typedef struct state {
    watch_stacks *stacks;
    base_mem *mem;
    int n_restarts;
    double interval_s, began_s, written_s;
    char folder[4096], who[512];
    double who_slope_per_s;              /* NAN: nothing grows */
    uint32_t warned[WATCH_MOST_PYTHONS]; /* versions, each once */
    int64_t wall_ns;
} state;

/* Shortest time between two reports but the last: naming addresses is work. */
static const double REPORT_S = 30;

static vg_status open_stacks(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                             vg_error *err)
{
    state *s = state_;
    *wanted = m->options->stacks;
    if (!*wanted)
        return VG_OK;
    if (m->options->pid > 0 || m->options->cgroup[0] != '\0' || m->options->unit[0] != '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option stacks",
                         "vigil watch --stacks -- PROGRAM ARGUMENTS",
                         "a job that was not started here cannot be sampled");
    s->mem = mem;
    s->interval_s = m->options->interval_s;
    s->began_s = (double)base_now_ns() * 1e-9;
    s->written_s = -INFINITY;
    s->who_slope_per_s = NAN;
    base_format(s->folder, sizeof s->folder, "%s", m->folder);
    return watch_stacks_create(&s->stacks, m->folder, mem, err);
}

static double run_s(const state *s)
{
    return (double)base_now_ns() * 1e-9 - s->began_s;
}

static vg_status write_all(state *s, vg_error *err)
{
    char path[4200];
    watch_named n;
    vg_status st = watch_named_make(&n, s->stacks, s->mem, err);
    s->who_slope_per_s = NAN;
    if (st == VG_OK && n.n_groups > 0 && n.groups[0].growth_bytes > 0) {
        watch_named_both(s->who, sizeof s->who, &n, n.groups[0].who, n.groups[0].from);
        s->who_slope_per_s = n.groups[0].slope_per_s;
    }
    if (st == VG_OK && base_path_join(path, sizeof path, s->folder, "stacks.txt"))
        st = watch_stacks_text(&n, path, s->mem, err);
    if (st == VG_OK && base_path_join(path, sizeof path, s->folder, "stacks.folded"))
        st = watch_stacks_folded(&n, path, s->mem, err);
    if (st == VG_OK && base_path_join(path, sizeof path, s->folder, "stacks.pb.gz"))
        st = watch_stacks_pprof(&n, path, s->wall_ns, s->mem, err);
    watch_named_fini(&n);
    malloc_trim(0); /* libdw's, which would count as the guard's for good */
    s->written_s = run_s(s);
    return st;
}

/* Once for each: of what will be missing in the report, while the job can still be started anew. */
static void warn_of_pythons(state *s)
{
    watch_stacks_facts f;
    watch_stacks_facts_get(&f, s->stacks);
    for (size_t i = 0; i < f.n_pythons; i++) {
        char words[256];
        bool is_bad;
        size_t k = 0;
        watch_python_words(words, sizeof words, &f.pythons[i], &is_bad);
        while (k < WATCH_MOST_PYTHONS && s->warned[k] != 0 && s->warned[k] != f.pythons[i].version)
            k++;
        if (!is_bad || k == WATCH_MOST_PYTHONS || s->warned[k] != 0)
            continue;
        s->warned[k] = f.pythons[i].version;
        base_log(BASE_LOG_WARN, words, "option=stacks");
    }
}

static vg_status sample(void *state_, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    (void)err;
    s->wall_ns = m->wall_ns;
    if (m->n_restarts != s->n_restarts) {
        s->n_restarts = m->n_restarts;
        watch_stacks_restart(s->stacks);
    }
    if (run_s(s) >= watch_stacks_next_s(s->stacks, s->interval_s))
        watch_stacks_look(s->stacks, run_s(s));
    warn_of_pythons(s);
    return VG_OK;
}

static bool is_memory(watch_series s)
{
    switch (s) {
    case WATCH_MAIN_RSS_BYTES:
    case WATCH_MAIN_PSS_BYTES:
    case WATCH_MAIN_USS_BYTES:
    case WATCH_MAIN_ANON_BYTES:
    case WATCH_CHILDREN_RSS_BYTES:
    case WATCH_CHILDREN_PSS_BYTES:
    case WATCH_CHILDREN_ANON_BYTES:
    case WATCH_CHILDREN_PRIVATE_BYTES:
    case WATCH_TREE_PSS_BYTES:
    case WATCH_CGROUP_ANON_BYTES:
        return true;
    default:
        return false;
    }
}

static vg_status explain(void *state_, watch_event *e, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    vg_status st = VG_OK;
    if (!is_memory(e->series) ||
        (e->verdict.state != WATCH_LEAKING && e->verdict.state != WATCH_CRITICAL))
        return VG_OK;
    s->wall_ns = m->wall_ns;
    if (run_s(s) - s->written_s >= REPORT_S) {
        watch_stacks_look(s->stacks, run_s(s));
        st = write_all(s, err);
    }
    if (!isnan(s->who_slope_per_s)) {
        char rate[32];
        const size_t n = strlen(e->evidence);
        base_format(e->evidence + n, sizeof e->evidence - n, "%swho: %s, %s/h more live",
                    n > 0 ? "; " : "", s->who,
                    base_format_bytes(rate, sizeof rate, s->who_slope_per_s * 3600));
    }
    return st;
}

/* The last report: of what was live when the last process ended. */
static void close_stacks(void *state_)
{
    state *s = state_;
    vg_error err = {.status = VG_OK};
    if (s->stacks != NULL) {
        watch_stacks_look(s->stacks, run_s(s));
        if (write_all(s, &err) != VG_OK)
            base_log_error(BASE_LOG_WARN, &err);
        else
            base_log(BASE_LOG_INFO, "stacks written", "folder=%s", s->folder);
    }
    watch_stacks_destroy(&s->stacks);
}

const watch_sink watch_sink_stacks = {.name = "stacks",
                                      .state_bytes = sizeof(state),
                                      .open = open_stacks,
                                      .sample = sample,
                                      .explain = explain,
                                      .close = close_stacks};
