/* stream.c: vg_stream over the run of a stream job. */
#include "vigil/stream.h"

#include <string.h>

#include "api.h"

struct vg_stream {
    stream_accounts accounts;
    stream_options options;
    stream_options settled; /* for the sources */
    bool is_of_files;
    stream_ports ports;
    stream_run run;
};

/* ---- options ---- */

const vg_option *vg_stream_options(size_t *n)
{
    *n = stream_option_table.n;
    return stream_option_table.rows;
}

bool vg_stream_takes(const char *source, const char *input_format)
{
    return source != NULL && stream_source_is_video(source, input_format);
}

vg_status vg_stream_create(vg_stream **out, vg_error *err)
{
    vg_stream *s = base_handle_alloc(sizeof *s, err);
    *out = s;
    if (s == NULL)
        return VG_ERR_MEMORY;
    stream_accounts_init(&s->accounts, 0);
    stream_options_default(&s->options);
    stream_ports_init(&s->ports);
    s->options.ports = &s->ports;
    stream_run_init(&s->run);
    return VG_OK;
}

void vg_stream_destroy(vg_stream **stream)
{
    if (*stream != NULL) {
        stream_ports_fini(&(*stream)->ports);
        base_handle_free(*stream);
    }
    *stream = NULL;
}

vg_status vg_stream_set(vg_stream *s, const char *name, const char *value, vg_error *err)
{
    const vg_option *o = base_options_find(&stream_option_table, name);
    if (o == NULL || strcmp(o->name, "config") != 0 || value[0] == '\0')
        return stream_options_set(&s->options, name, value, err);
    return stream_options_read(&s->options, value, &s->accounts.owner[STREAM_LOADING], err);
}

const char *vg_stream_get(const vg_stream *s, const char *name, char *buf, size_t n)
{
    const vg_option *o = base_options_find(&stream_option_table, name);
    buf[0] = '\0';
    if (o != NULL)
        vg_option_write(buf, n, o, &s->options);
    return buf;
}

/* The options as they hold for these sources, and the sources. */
static vg_status settle(vg_stream *s, stream_sources *sources, vg_error *err)
{
    vg_status st =
        stream_sources_open(sources, &s->options, &s->accounts.owner[STREAM_LOADING], err);
    if (st != VG_OK)
        return st;
    s->settled = s->options;
    s->is_of_files = stream_sources_are_files(sources);
    stream_options_settle(&s->settled, s->is_of_files);
    return stream_options_prove(&s->settled, &s->accounts.owner[STREAM_LOADING], err);
}

/* ---- check ---- */

vg_status vg_stream_check_options(vg_stream *s, vg_error *err)
{
    return stream_options_prove(&s->options, &s->accounts.owner[STREAM_LOADING], err);
}

static const char *kind_name(video_kind kind)
{
    static const char *const names[] = {
        [VIDEO_NONE] = "",         [VIDEO_FILE] = "file",           [VIDEO_NETWORK] = "network",
        [VIDEO_CAMERA] = "camera", [VIDEO_PIPE] = "standard input", [VIDEO_DRAWN] = "drawn",
        [VIDEO_PUSHED] = "pushed"};
    return names[kind];
}

static void tell_sources(const stream_sources *sources, vg_stream_see_source see, void *ctx)
{
    for (size_t i = 0; i < sources->n && see != NULL; i++) {
        const stream_source *from = &sources->items[i];
        const vg_stream_source one = {.name = from->name,
                                      .stem = from->stem,
                                      .kind = kind_name(from->kind),
                                      .n_files = from->n_texts,
                                      .keeps_all = from->keeps_all,
                                      .ends = from->ends,
                                      .stride = from->video.stride};
        see(ctx, &one);
    }
}

vg_status vg_stream_check(vg_stream *s, vg_stream_see_source see, void *ctx, vg_memory *plan,
                          vg_error *err)
{
    stream_accounts a;
    stream_sources sources = {0};
    *plan = (vg_memory){0};
    vg_status st = settle(s, &sources, err);
    tell_sources(&sources, see, ctx);
    stream_sources_close(&sources);
    if (st != VG_OK)
        return st;
    stream_accounts_init(&a, s->settled.memory_limit_bytes);
    stream_accounts_limit_gpu(&a, s->settled.gpu_memory_limit_bytes);
    st = stream_job_check(&s->settled, &a, err);
    if (st == VG_OK || st == VG_ERR_LIMIT)
        stream_accounts_plan(plan, &a);
    return st;
}

/* ---- run ---- */

vg_status vg_stream_run(vg_stream *s, const vg_stream_listener *listener, vg_error *err)
{
    stream_sources sources = {0};
    if (s->run.has_run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "make another handle",
                         "a stream that has run already");
    vg_status st = settle(s, &sources, err);
    stream_sources_close(&sources); /* the job reads them for itself */
    if (st == VG_OK)
        st = stream_run_go(&s->run, &s->settled, listener, &s->accounts, err);
    stream_ports_close(&s->ports);
    return st;
}

/* ---- pushed sources ---- */

vg_status vg_stream_push(vg_stream *s, const char *name, const vg_image *image, double time_s,
                         int timeout_ms, vg_error *err)
{
    image_pixels pixels;
    const vg_status st = api_image_pixels(&pixels, image, 0, err);
    return st == VG_OK ? stream_ports_push(&s->ports, name, &pixels, time_s, timeout_ms, err) : st;
}

void vg_stream_no_push(vg_stream *s)
{
    s->options.ports = NULL;
}

void vg_stream_push_end(vg_stream *s, const char *name)
{
    stream_ports_end(&s->ports, name);
}

/* RGB as BGR. */
static void turn_colours(const image_view *v)
{
    for (int y = 0; y < v->h; y++) {
        uint8_t *at = v->data + (size_t)y * v->stride;
        for (int x = 0; x < v->w; x++, at += 3) {
            const uint8_t red = at[0];
            at[0] = at[2];
            at[2] = red;
        }
    }
}

vg_status vg_stream_frame(vg_stream *s, const vg_picture *out, vg_error *err)
{
    image_view view;
    vg_status st = api_picture_view(&view, out, err);
    if (st == VG_OK)
        st = stream_run_frame(&s->run, &view, err);
    if (st == VG_OK && out->format == VG_BGR)
        turn_colours(&view);
    return st;
}

/* ---- numbers ---- */

const char *vg_stream_event_name(vg_stream_event_kind kind)
{
    return kind >= VG_STREAM_ENTER && kind <= VG_STREAM_BACK ? stream_event_name(kind) : "";
}

int vg_stream_n_sources(const vg_stream *s)
{
    const stream_stats *stats = s->run.stats;
    return stats != NULL ? stats->n_channels : 0;
}

void vg_stream_source_get(const vg_stream *s, int index, vg_stream_source_stats *out)
{
    stream_stats_source(out, s->run.stats, index);
}

int vg_stream_n_sinks(const vg_stream *s)
{
    const stream_stats *stats = s->run.stats;
    return stats != NULL ? stats->n_sinks : 0;
}

void vg_stream_sink_get(const vg_stream *s, int index, vg_stream_sink_stats *out)
{
    stream_stats_sink(out, s->run.stats, index);
}

void vg_stream_batches(const vg_stream *s, uint64_t *n_batches, uint64_t *n_frames)
{
    const stream_stats *stats = s->run.stats;
    *n_batches = stats != NULL ? stats->n_batches : 0;
    *n_frames = stats != NULL ? stats->n_batched : 0;
}

double vg_stream_seconds(const vg_stream *s)
{
    return stream_run_seconds(&s->run);
}

bool vg_stream_is_of_files(const vg_stream *s)
{
    return s->is_of_files;
}

const char *vg_stream_class_name(const vg_stream *s, int class_index)
{
    return s->run.detector != NULL ? stream_detector_class_name(s->run.detector, class_index) : "";
}

const char *vg_stream_folder(const vg_stream *s)
{
    return s->run.folder;
}

void vg_stream_memory(const vg_stream *s, vg_memory *out)
{
    if (s->run.has_run)
        *out = s->run.memory;
    else
        stream_accounts_memory(out, &s->accounts);
}
