/* fleet.c: vg_fleet_check: what machines would hold, by the plan of a stream job that is made for
 * one camera, two, and so on, and never started. */
#include <math.h>
#include <string.h>

#include "api.h"

typedef struct planner {
    stream_options options;
    stream_accounts accounts;
    size_t bytes[STREAM_MOST_CHANNELS + 1]; /* planned for so many cameras; 0: not asked yet */
} planner;

/* A shard of k cameras that are not there yet. */
static vg_status plan(planner *p, size_t *out, int k, vg_error *err)
{
    if (p->bytes[k] == 0) {
        p->options.most_sources = k;
        stream_accounts_init(&p->accounts, 0);
        const vg_status st = stream_job_check(&p->options, &p->accounts, err);
        if (st != VG_OK)
            return st;
        p->bytes[k] = stream_accounts_planned(&p->accounts);
    }
    *out = p->bytes[k];
    return VG_OK;
}

static vg_status make_planner(planner *p, const vg_fleet *f, base_mem *mem, vg_error *err)
{
    stream_options *o = &p->options;
    stream_options_default(o);
    const vg_status st = stream_options_read(o, f->job, mem, err);
    base_format(o->source, sizeof o->source, "rtsp://camera.invalid/stream");
    o->shard[0] = o->lease_dir[0] = o->lease_kubernetes[0] = '\0';
    o->memory_limit_bytes = o->gpu_memory_limit_bytes = 0;
    for (size_t i = 0; i < f->n_cameras; i++) { /* room for the largest, wherever it comes */
        const vg_fleet_cameras *c = &f->cameras[i];
        if ((int64_t)c->width * c->height > (int64_t)o->assumed_w * o->assumed_h) {
            o->assumed_w = c->width;
            o->assumed_h = c->height;
        }
    }
    return st;
}

/* The most cameras of a shard that is planned within bytes; 0: not one. */
static vg_status most_within(planner *p, int *out, size_t bytes, vg_error *err)
{
    int least = 0, most = STREAM_MOST_CHANNELS;
    while (least < most) {
        const int k = (least + most + 1) / 2;
        size_t need = 0;
        const vg_status st = plan(p, &need, k, err);
        if (st != VG_OK)
            return st;
        if (need <= bytes)
            least = k;
        else
            most = k - 1;
    }
    *out = least;
    return VG_OK;
}

/* A process has places for STREAM_MOST_CHANNELS; more cameras are more processes, each with a
 * network of its own. */
static vg_status fill_machine(planner *p, vg_fleet_machine *m, double fps, vg_error *err)
{
    const double by_speed = floor(m->frames_per_s / fps + 1e-9);
    m->by_speed = by_speed < 1e6 ? (int)by_speed : 1000000;
    for (int n = 1, most = 0; (n - 1) * STREAM_MOST_CHANNELS < m->by_speed; n++) {
        const vg_status st = most_within(p, &most, m->memory_bytes / (size_t)n, err);
        if (st != VG_OK)
            return st;
        if (n * most <= m->by_memory)
            break; /* another network takes more than it brings */
        m->by_memory = n * most;
    }
    m->holds = m->by_speed < m->by_memory ? m->by_speed : m->by_memory;
    m->n_shards = (m->holds + STREAM_MOST_CHANNELS - 1) / STREAM_MOST_CHANNELS;
    if (m->holds == 0)
        return VG_OK;
    size_t each = 0;
    const vg_status st = plan(p, &each, (m->holds + m->n_shards - 1) / m->n_shards, err);
    m->planned_bytes = each * (size_t)m->n_shards;
    return st;
}

static vg_status fill(planner *p, vg_fleet *f, vg_error *err)
{
    int largest = 0;
    for (size_t i = 0; i < f->n_cameras; i++) {
        f->n_all += f->cameras[i].count;
        f->frames_per_s += f->cameras[i].count * f->cameras[i].fps;
    }
    size_t all = 0;
    vg_status st = plan(p, &f->first_bytes, 1, err);
    if (st == VG_OK)
        st = plan(p, &all, STREAM_MOST_CHANNELS, err);
    f->each_bytes = all > f->first_bytes ? (all - f->first_bytes) / (STREAM_MOST_CHANNELS - 1) : 0;
    for (size_t i = 0; i < f->n_machines && st == VG_OK; i++) {
        vg_fleet_machine *m = &f->machines[i];
        st = fill_machine(p, m, f->frames_per_s / f->n_all, err);
        f->holds += m->count * m->holds;
        largest = m->holds > largest ? m->holds : largest;
    }
    f->holds_without_one = f->holds - largest;
    return st;
}

vg_status vg_fleet_check(vg_fleet *out, const char *path, vg_error *err)
{
    base_mem mem = {.tag = "fleet"};
    planner *p = base_handle_alloc(sizeof *p, err);
    if (p == NULL)
        return VG_ERR_MEMORY;
    vg_status st = stream_fleet_config_read(out, path, &mem, err);
    if (st == VG_OK)
        st = make_planner(p, out, &mem, err);
    if (st == VG_OK)
        st = fill(p, out, err);
    base_handle_free(p);
    return st;
}
