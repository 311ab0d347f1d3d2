/* acts.c: first cut: restarts with --resume-args; no vault and no hooks yet. */
#include "acts.h"

#include <math.h>
#include <signal.h>
#include <string.h>

struct watch_acts {
    const watch_options *options;
    char *const *argv;
};

vg_status watch_acts_create(watch_acts **out, const watch_options *o, char *const *argv,
                            const char *folder, base_mem *mem, vg_error *err)
{
    (void)folder;
    watch_acts *a = base_alloc_zero(mem, 1, sizeof *a, err);
    *out = a;
    if (a == NULL)
        return VG_ERR_MEMORY;
    a->options = o;
    a->argv = argv;
    return VG_OK;
}

void watch_acts_destroy(watch_acts **a)
{
    base_free(*a);
    *a = NULL;
}

void watch_acts_look(watch_acts *a, const watch_sample *s, double now_s)
{
    (void)a, (void)s, (void)now_s;
}

bool watch_acts_has_checkpoint(const watch_acts *a, double since_s)
{
    (void)a, (void)since_s;
    return false;
}

const char *watch_acts_checkpoint(const watch_acts *a)
{
    (void)a;
    return "";
}

double watch_acts_patience_s(const watch_acts *a)
{
    (void)a;
    return 0;
}

bool watch_acts_waits(watch_acts *a, const watch_event *e)
{
    (void)a, (void)e;
    return false;
}

int watch_acts_signal(const watch_acts *a)
{
    (void)a;
    return 0;
}

vg_status watch_acts_command(watch_acts *a, watch_job_options *o, int n_restarts, char *why,
                             size_t n_why, vg_error *err)
{
    (void)n_restarts, (void)n_why, (void)err;
    o->argv = a->argv;
    why[0] = '\0';
    return VG_OK;
}

void watch_acts_hook(watch_acts *a, const watch_event *e)
{
    (void)a, (void)e;
}

bool watch_acts_was_oom(const watch_acts *a, const watch_sample *s, int signal)
{
    (void)a, (void)s;
    return signal == SIGKILL && false;
}

double watch_acts_memory(const watch_sample *s)
{
    const double *v = s->value;
    if (!isnan(v[WATCH_TREE_PSS_BYTES]))
        return v[WATCH_TREE_PSS_BYTES];
    return v[WATCH_MAIN_RSS_BYTES];
}
