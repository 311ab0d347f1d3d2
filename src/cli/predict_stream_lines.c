/* predict_stream_lines.c: frames, events, states and sums of a stream job as lines. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "predict.h"

static const char *class_name(const void *s, int class_index)
{
    return vg_stream_class_name(s, class_index);
}

void predict_stream_line(FILE *to, const vg_stream *s, const vg_stream_result *r)
{
    fprintf(to, "video %d/%d (frame %" PRIu64, r->source_index + 1, vg_stream_n_sources(s),
            r->index + 1);
    if (r->of > 0)
        fprintf(to, "/%" PRIu64, r->of);
    fputs(") ", to);
    cli_text(to, r->file[0] != '\0' ? r->file : r->source);
    fprintf(to, ": %dx%d ", r->input_height, r->input_width);
    predict_counts(to, r->detections, r->n_detections, &r->extras, class_name, s);
    fprintf(to, "%.1fms\n", r->times.inference);
}

/* ---- events ---- */

static void event_subject(FILE *to, const vg_stream *s, const vg_stream_event *e)
{
    if (e->class_index >= 0)
        cli_text(to, vg_stream_class_name(s, e->class_index));
    else if (e->track > 0)
        fputs("object", to);
    else
        fputs(e->kind == VG_STREAM_ABSENT ? "everything" : "something", to);
    if (e->track > 0)
        fprintf(to, " %" PRId64, e->track);
}

void predict_stream_event(FILE *to, const vg_stream *s, const vg_stream_result *r,
                          const vg_stream_event *e)
{
    static const struct {
        const char *does, *time;
    } words[] = {[VG_STREAM_ENTER] = {"came into", NULL},
                 [VG_STREAM_LEAVE] = {"left", "after"},
                 [VG_STREAM_DWELL] = {"stays in", "for"},
                 [VG_STREAM_ABSENT] = {"is missing in", "for"},
                 [VG_STREAM_BACK] = {"is back in", "after"}};
    char when[32] = "";
    const time_t seconds = (time_t)r->wall_s;
    struct tm local;
    if (localtime_r(&seconds, &local) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S ", &local);
    fputs(when, to);
    cli_text(to, r->source);
    fputs(": ", to);
    event_subject(to, s, e);
    fprintf(to, " %s ",
            e->kind == VG_STREAM_LEAVE && e->is_lost ? "was lost in" : words[e->kind].does);
    cli_text(to, e->zone);
    if (words[e->kind].time != NULL)
        fprintf(to, " %s %.0f s", words[e->kind].time, e->seconds);
    fprintf(to, ": %d inside, %d in, %d out\n", e->inside, e->n_in, e->n_out);
}

/* ---- states ---- */

void predict_stream_status(FILE *to, const vg_stream_source_stats *c, double frames_per_s)
{
    char a[64], b[32];
    const vg_stream_stage *latency = &c->stages[VG_STREAM_STAGES - 1];
    cli_text(to, c->name);
    fprintf(to, ": %s", c->state);
    if (c->width > 0)
        fprintf(to, " %dx%d", c->width, c->height);
    if (c->last_fault[0] != '\0' && strcmp(c->state, "playing") != 0)
        fprintf(to, " (%s)", c->last_fault);
    fprintf(to, ", %.1f frames/s, %s, %s dropped", frames_per_s,
            vg_count_format(a, sizeof a, c->n_results, "frame"),
            cli_commas(b, (long long)c->n_dropped));
    if (latency->n > 0)
        fprintf(to, ", latency %.0f ms", latency->mean_ms);
    if (c->n_reconnects > 0)
        fprintf(to, ", %s", vg_count_format(a, sizeof a, c->n_reconnects, "reconnect"));
    if (c->n_events > 0)
        fprintf(to, ", %s", vg_count_format(a, sizeof a, c->n_events, "event"));
    fputc('\n', to);
}

/* ---- sums ---- */

static void sinks_print(FILE *to, const vg_stream *s)
{
    for (int i = 0; i < vg_stream_n_sinks(s); i++) {
        vg_stream_sink_stats k;
        vg_stream_sink_get(s, i, &k);
        if (k.n_dropped == 0 && k.n_failed == 0)
            continue;
        char a[64], b[64];
        fprintf(to, "Output %s: %s written, %" PRIu64 " dropped, %s failed\n", k.name,
                vg_count_format(a, sizeof a, k.n_written, "result"), k.n_dropped,
                vg_count_format(b, sizeof b, k.n_failed, "write"));
    }
}

/* Means over all frames of all sources. */
static void stages_print(FILE *to, const vg_stream *s)
{
    double sum_ms[VG_STREAM_STAGES] = {0};
    uint64_t n[VG_STREAM_STAGES] = {0};
    const char *name[VG_STREAM_STAGES] = {0};
    for (int i = 0; i < vg_stream_n_sources(s); i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(s, i, &c);
        for (int k = 0; k < VG_STREAM_STAGES && c.name[0] != '\0'; k++) {
            name[k] = c.stages[k].name;
            n[k] += c.stages[k].n;
            sum_ms[k] += c.stages[k].mean_ms * (double)c.stages[k].n;
        }
    }
    const char *separator = "Speed: ";
    for (int k = 0; k < VG_STREAM_STAGES; k++)
        if (n[k] > 0) {
            fprintf(to, "%s%.1fms %s", separator, sum_ms[k] / (double)n[k], name[k]);
            separator = ", ";
        }
    if (strcmp(separator, ", ") == 0)
        fputs(" per frame\n", to);
}

/* ", 3 things" when there are any; *any says whether one was printed. */
static void count_print(FILE *to, uint64_t n, const char *one, const char *many, bool *any)
{
    char a[32];
    if (n == 0)
        return;
    fprintf(to, "%s%s %s", *any ? ", " : "Troubles: ", cli_commas(a, (long long)n),
            n == 1 ? one : many);
    *any = true;
}

/* What went wrong on the way and was got over; no line when nothing did. */
static void troubles_print(FILE *to, const vg_stream *s)
{
    vg_stream_source_stats all = {0};
    bool any = false;
    for (int i = 0; i < vg_stream_n_sources(s); i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(s, i, &c);
        all.n_faults += c.n_faults;
        all.n_reconnects += c.n_reconnects;
        all.n_damaged += c.n_damaged;
        all.n_size_changes += c.n_size_changes;
        all.n_time_jumps += c.n_time_jumps;
    }
    count_print(to, all.n_faults, "fault", "faults", &any);
    count_print(to, all.n_reconnects, "reconnect", "reconnects", &any);
    count_print(to, all.n_damaged, "damaged packet", "damaged packets", &any);
    count_print(to, all.n_size_changes, "change of size", "changes of size", &any);
    count_print(to, all.n_time_jumps, "jump of time", "jumps of time", &any);
    if (any)
        fputc('\n', to);
}

void predict_stream_summary(FILE *to, const vg_stream *s)
{
    vg_memory memory;
    uint64_t n_frames = 0, n_dropped = 0, n_batches, n_batched;
    char a[32], b[32];
    const double seconds = vg_stream_seconds(s);
    const int n = vg_stream_n_sources(s);
    for (int i = 0; i < n; i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(s, i, &c);
        n_frames += c.n_results;
        n_dropped += c.n_dropped;
        if (n > 1 && c.name[0] != '\0')
            predict_stream_status(to, &c, (double)c.n_results / fmax(seconds, 1e-9));
    }
    vg_stream_batches(s, &n_batches, &n_batched);
    stages_print(to, s);
    fprintf(to, "Frames: %s in %.1fs, %.1f frames/s, %s dropped",
            cli_commas(a, (long long)n_frames), seconds, (double)n_frames / fmax(seconds, 1e-9),
            cli_commas(b, (long long)n_dropped));
    if (n_batches > 0 && n_batched > n_batches)
        fprintf(to, ", %.1f in a run of the network", (double)n_batched / (double)n_batches);
    fputc('\n', to);
    troubles_print(to, s);
    sinks_print(to, s);
    vg_stream_memory(s, &memory);
    predict_memory_print(to, &memory);
    if (vg_stream_folder(s)[0] != '\0') {
        fputs("Results saved to ", to);
        cli_text(to, vg_stream_folder(s));
        fputc('\n', to);
    }
}
