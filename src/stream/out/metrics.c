/* metrics.c: HELP and TYPE once a name, then its lines. */
#include "metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_BYTES = 8 << 20 };

typedef struct writer {
    base_str *out;
    base_mem *mem;
    vg_error *err;
    vg_status st;
} writer;

#define PUT(w, ...)                                                                                \
    do {                                                                                           \
        if ((w)->st == VG_OK)                                                                      \
            (w)->st = base_str_add((w)->out, MOST_BYTES, (w)->mem, (w)->err, __VA_ARGS__);         \
    } while (0)

const char *stream_version(void)
{
    return VIGIL_VERSION;
}

bool stream_channel_name(char out[STREAM_NAME_BYTES], const stream_channel_stats *c)
{
    out[0] = '\0';
    if (atomic_load(&c->state) == STREAM_EMPTY)
        return false;
    memcpy(out, c->name, STREAM_NAME_BYTES);
    out[STREAM_NAME_BYTES - 1] = '\0';
    return true;
}

/* ---- rates ---- */

void stream_rates_step(stream_rates *r, const stream_stats *s, int64_t now_ns)
{
    const double seconds = (double)(now_ns - r->last_ns) * 1e-9;
    const bool is_first = r->last_ns == 0;
    if (!is_first && seconds < 0.1)
        return;
    for (int i = 0; i < s->n_channels; i++) {
        const uint64_t n = s->channels[i].n_results;
        /* A new source in the place counts from 0. */
        const double rate = n >= r->last_n[i] ? (double)(n - r->last_n[i]) / seconds : 0;
        const double share = 1 - exp(-seconds / 5);
        if (!is_first)
            r->per_s[i] = r->per_s[i] + share * (rate - r->per_s[i]);
        r->last_n[i] = n;
    }
    r->last_ns = now_ns;
}

/* ---- what the system says of this process ---- */

/* Entries of a folder of /proc, by the system call: opendir takes memory. -1: not readable. */
static int count_entries(const char *path)
{
    char buf[4096];
    int n = 0;
    long got;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((got = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
        for (long at = 0; at < got;) {
            unsigned short length; /* of the record: behind inode and offset, 8 bytes each */
            memcpy(&length, buf + at + 16, sizeof length);
            n += buf[at + 19] != '.'; /* the name, behind length and type: not . and .. */
            at += length;
        }
    close(fd);
    return n;
}

/* ---- the text format ---- */

static void put_label(writer *w, const char *text)
{
    char escaped[6 * STREAM_NAME_BYTES]; /* a byte is five at most: \\\\x1b */
    base_label_escape(escaped, sizeof escaped, text);
    PUT(w, "%s", escaped);
}

static void put_head(writer *w, const char *name, const char *type, const char *help)
{
    PUT(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char *number(char buf[32], double value)
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    return base_format_double(buf, 32, value);
}

static void put_one(writer *w, const char *name, const char *type, const char *help, double value)
{
    char text[32];
    put_head(w, name, type, help);
    PUT(w, "%s %s\n", name, number(text, value));
}

/* name{source="...",channel="N" and the brace left open for more labels */
static void put_source(writer *w, const char *name, const char *source, int channel)
{
    PUT(w, "%s{source=\"", name);
    put_label(w, source);
    PUT(w, "\",channel=\"%d\"", channel);
}

/* ---- sources ---- */

#define COUNTERS(X)                                                                                \
    X(n_frames, "vigil_frames_total", "frames decoded and wanted")                                 \
    X(n_dropped, "vigil_frames_dropped_total", "frames replaced by newer ones")                    \
    X(n_refused, "vigil_frames_refused_total",                                                     \
      "pictures that could not be prepared for the network")                                       \
    X(n_results, "vigil_results_total", "frames whose boxes are known")                            \
    X(n_boxes, "vigil_boxes_total", "boxes found")                                                 \
    X(n_events, "vigil_events_total", "events of zones")                                           \
    X(n_connects, "vigil_connects_total", "connections made")                                      \
    X(n_reconnects, "vigil_reconnects_total", "connections made after the first")                  \
    X(n_damaged, "vigil_damaged_packets_total", "packets that could not be decoded")               \
    X(n_size_changes, "vigil_size_changes_total", "changes of resolution in mid-stream")           \
    X(n_time_jumps, "vigil_time_jumps_total", "time stamps that jumped")                           \
    X(n_bytes, "vigil_received_bytes_total", "bytes of packets read")

static void put_counters(writer *w, const stream_stats *s)
{
    char name[STREAM_NAME_BYTES];
#define X(field, metric, help)                                                                     \
    put_head(w, metric, "counter", help);                                                          \
    for (int i = 0; i < s->n_channels; i++)                                                        \
        if (stream_channel_name(name, &s->channels[i])) {                                          \
            put_source(w, metric, name, i);                                                        \
            PUT(w, "} %" PRIu64 "\n", atomic_load(&s->channels[i].field));                         \
        }
    COUNTERS(X)
#undef X
}

static void put_faults(writer *w, const stream_stats *s)
{
    char name[STREAM_NAME_BYTES];
    put_head(w, "vigil_faults_total", "counter", "connections that failed or broke, by kind");
    for (int i = 0; i < s->n_channels; i++)
        if (stream_channel_name(name, &s->channels[i]))
            for (int k = 0; k < VIDEO_N_FAULTS; k++) {
                put_source(w, "vigil_faults_total", name, i);
                PUT(w, ",kind=\"%s\"} %" PRIu64 "\n", video_fault_name((video_fault)k),
                    atomic_load(&s->channels[i].n_faults[k]));
            }
}

static double fps_of(const stream_moment *m, int i)
{
    return round(m->rates->per_s[i] * 1000) / 1000;
}

/* NAN: there was none yet. */
static double age_of(const stream_moment *m, int i)
{
    const int64_t at_ns = m->stats->channels[i].last_frame_ns;
    return at_ns == 0 ? (double)NAN : fmax(round((double)(m->now_ns - at_ns) * 1e-6) / 1000, 0);
}

static double width_of(const stream_moment *m, int i)
{
    return m->stats->channels[i].w;
}

static double height_of(const stream_moment *m, int i)
{
    return m->stats->channels[i].h;
}

static void put_gauge(writer *w, const stream_moment *m, const char *metric, const char *help,
                      double (*of)(const stream_moment *m, int i))
{
    char name[STREAM_NAME_BYTES], text[32];
    put_head(w, metric, "gauge", help);
    for (int i = 0; i < m->stats->n_channels; i++) {
        const double value = of(m, i);
        if (!isnan(value) && stream_channel_name(name, &m->stats->channels[i])) {
            put_source(w, metric, name, i);
            PUT(w, "} %s\n", number(text, value));
        }
    }
}

static void put_states(writer *w, const stream_stats *s)
{
    char name[STREAM_NAME_BYTES];
    put_head(w, "vigil_source_state", "gauge", "1 for the state that a source is in");
    for (int i = 0; i < s->n_channels; i++) {
        const int state = s->channels[i].state;
        if (stream_channel_name(name, &s->channels[i]))
            for (int k = STREAM_CONNECTING; k <= STREAM_ENDED; k++) {
                put_source(w, "vigil_source_state", name, i);
                PUT(w, ",state=\"%s\"} %d\n", stream_state_name((stream_state)k), k == state);
            }
    }
}

/* Read once, so that the buckets and the count agree whatever is added meanwhile. */
static void put_histogram(writer *w, const stream_channel_stats *c, const char *source, int channel,
                          stream_stage stage)
{
    const stream_histogram *h = &c->stages[stage];
    char text[32];
    uint64_t n = 0;
    for (int b = 0; b < STREAM_BUCKETS; b++) {
        n += atomic_load(&h->n[b]);
        put_source(w, "vigil_stage_seconds_bucket", source, channel);
        PUT(w, ",stage=\"%s\",le=\"%s\"} %" PRIu64 "\n", stream_stage_name(stage),
            number(text, stream_bucket_s[b]), n);
    }
    put_source(w, "vigil_stage_seconds_sum", source, channel);
    PUT(w, ",stage=\"%s\"} %s\n", stream_stage_name(stage),
        number(text, (double)atomic_load(&h->sum_ns) * 1e-9));
    put_source(w, "vigil_stage_seconds_count", source, channel);
    PUT(w, ",stage=\"%s\"} %" PRIu64 "\n", stream_stage_name(stage), n);
}

static void put_histograms(writer *w, const stream_stats *s)
{
    char name[STREAM_NAME_BYTES];
    put_head(w, "vigil_stage_seconds", "histogram",
             "time of a frame in each stage; latency is from its packet's arrival to the result");
    for (int i = 0; i < s->n_channels; i++)
        if (stream_channel_name(name, &s->channels[i]))
            for (int k = 0; k < STREAM_N_STAGES; k++)
                put_histogram(w, &s->channels[i], name, i, (stream_stage)k);
}

/* ---- sinks, memory, process ---- */

typedef struct sink_metric {
    const char *name, *type, *help;
} sink_metric;

static uint64_t sink_value(const stream_sink_stats *k, int which)
{
    switch (which) {
    case 0:
        return k->n_written;
    case 1:
        return k->n_dropped;
    case 2:
        return k->n_failed;
    case 3:
        return (uint64_t)k->n_waiting;
    case 4:
        return (uint64_t)k->capacity;
    default:
        return k->is_failing;
    }
}

static void put_sinks(writer *w, const stream_stats *s)
{
    static const sink_metric metrics[] = {
        {"vigil_sink_written_total", "counter", "results that a sink has taken"},
        {"vigil_sink_dropped_total", "counter", "results dropped from a sink's full queue"},
        {"vigil_sink_failed_total", "counter", "failures of a sink"},
        {"vigil_queue_depth", "gauge", "results that wait for a sink"},
        {"vigil_queue_capacity", "gauge", "results that a sink's queue can hold"},
        {"vigil_sink_failing", "gauge", "1 while a sink's last write failed"}};
    for (int k = 0; k < (int)(sizeof metrics / sizeof *metrics); k++) {
        put_head(w, metrics[k].name, metrics[k].type, metrics[k].help);
        for (int i = 0; i < s->n_sinks && i < STREAM_MOST_SINKS; i++)
            if (s->sinks[i].name != NULL)
                PUT(w, "%s{sink=\"%s\"} %" PRIu64 "\n", metrics[k].name, s->sinks[i].name,
                    sink_value(&s->sinks[i], k));
    }
}

static void put_memory(writer *w, const stream_stats *s)
{
    put_head(w, "vigil_memory_bytes", "gauge", "bytes in use by account");
    for (int i = 0; i < s->n_accounts; i++)
        PUT(w, "vigil_memory_bytes{account=\"%s\"} %zu\n", s->accounts[i].tag,
            atomic_load(&s->accounts[i].in_use_bytes));
    put_head(w, "vigil_memory_peak_bytes", "gauge", "most bytes in use by account");
    for (int i = 0; i < s->n_accounts; i++)
        PUT(w, "vigil_memory_peak_bytes{account=\"%s\"} %zu\n", s->accounts[i].tag,
            atomic_load(&s->accounts[i].peak_bytes));
}

static void put_process(writer *w, const stream_moment *m)
{
    const stream_stats *s = m->stats;
    put_head(w, "vigil_build_info", "gauge", "the program; always 1");
    PUT(w, "vigil_build_info{version=\"%s\"} 1\n", stream_version());
    put_one(w, "vigil_healthy", "gauge", "1 when /healthz answers 200", m->is_healthy);
    put_one(w, "vigil_uptime_seconds", "gauge", "since the job began",
            (double)(m->now_ns - s->started_ns) * 1e-9);
    put_one(w, "vigil_batches_total", "counter", "runs of the network", (double)s->n_batches);
    put_one(w, "vigil_batched_frames_total", "counter", "frames in them", (double)s->n_batched);
    if (s->has_tracks)
        put_one(w, "vigil_tracks_refused_total", "counter",
                "tracks not begun because most_tracks were there", (double)s->n_tracks_refused);
    put_one(w, "process_cpu_seconds_total", "counter", "CPU time of the process",
            (double)base_process_cpu_ns() * 1e-9);
    put_one(w, "process_resident_memory_bytes", "gauge", "resident memory of the process",
            (double)base_mem_resident_bytes());
    const int fds = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    if (fds >= 0) /* less the one it was counted with */
        put_one(w, "process_open_fds", "gauge", "open file descriptors", fds - 1);
    if (threads >= 0)
        put_one(w, "process_threads", "gauge", "threads", threads);
}

static void put_fleet(writer *w, const stream_fleet_stats *f)
{
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"vigil_fleet_cameras", "gauge", "cameras of the whole list", f->n_cameras},
        {"vigil_fleet_cameras_held", "gauge", "cameras that this shard has the lease of",
         base_boot_ns() < f->until_ns ? f->n_held : 0},
        {"vigil_fleet_cameras_most", "gauge", "cameras that this shard has places for", f->most},
        {"vigil_fleet_cameras_unread", "gauge", "cameras that no shard reads, as seen from here",
         f->n_unread},
        {"vigil_fleet_cameras_refused", "gauge", "of these, that no shard has a place for",
         f->n_refused},
        {"vigil_fleet_shards", "gauge", "shards that live, as seen from here", f->n_shards},
        {"vigil_fleet_shards_planned", "gauge", "N of shard=I/N", f->n_shards_planned},
        {"vigil_fleet_shard", "gauge", "I of shard=I/N", f->shard},
        {"vigil_fleet_beats_total", "counter", "times that this shard's lease was renewed",
         (double)f->n_beats},
        {"vigil_fleet_failures_total", "counter", "times that the leases were not reached",
         (double)f->n_failures},
        {"vigil_fleet_taken_total", "counter", "free cameras taken", (double)f->n_taken},
        {"vigil_fleet_taken_over_total", "counter", "cameras of dead shards taken over",
         (double)f->n_taken_over},
        {"vigil_fleet_released_total", "counter", "cameras handed over to another shard",
         (double)f->n_released},
        {"vigil_fleet_lost_total", "counter",
         "cameras let go because the leases were not reached in time", (double)f->n_lost}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_one(w, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
}

vg_status stream_metrics(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err)
{
    writer w = {.out = out, .mem = mem, .err = err};
    put_process(&w, m);
    if (m->stats->fleet.is_on)
        put_fleet(&w, &m->stats->fleet);
    put_states(&w, m->stats);
    put_gauge(&w, m, "vigil_fps", "results a second, smoothed over five seconds", fps_of);
    put_gauge(&w, m, "vigil_last_frame_age_seconds", "since the newest frame", age_of);
    put_gauge(&w, m, "vigil_width_pixels", "width of the newest frame", width_of);
    put_gauge(&w, m, "vigil_height_pixels", "height of the newest frame", height_of);
    put_counters(&w, m->stats);
    put_faults(&w, m->stats);
    put_histograms(&w, m->stats);
    put_sinks(&w, m->stats);
    put_memory(&w, m->stats);
    return w.st;
}

/* ---- health ---- */

static void put_source_health(writer *w, const stream_moment *m, int i, bool is_first)
{
    const stream_channel_stats *c = &m->stats->channels[i];
    char name[STREAM_NAME_BYTES], escaped[6 * STREAM_NAME_BYTES + 1], fps[32], age[32];
    const int state = c->state, fault = c->last_fault;
    const double age_s = age_of(m, i);
    if (!stream_channel_name(name, c))
        return;
    base_json_escape(escaped, sizeof escaped, name);
    PUT(w,
        "%s{\"source\":\"%s\",\"channel\":%d,\"state\":\"%s\",\"last_fault\":", is_first ? "" : ",",
        escaped, i, stream_state_name((stream_state)state));
    if (fault >= 0 && fault < VIDEO_N_FAULTS)
        PUT(w, "\"%s\"", video_fault_name((video_fault)fault));
    else
        PUT(w, "null");
    PUT(w,
        ",\"last_frame_age_s\":%s,\"fps\":%s,\"results\":%" PRIu64 ",\"dropped\":%" PRIu64
        ",\"reconnects\":%" PRIu64 "}",
        isnan(age_s) ? "null" : number(age, age_s), number(fps, fps_of(m, i)),
        atomic_load(&c->n_results), atomic_load(&c->n_dropped), atomic_load(&c->n_reconnects));
}

static const char *word_of(const stream_moment *m)
{
    return m->is_healthy ? "ok" : "failing";
}

vg_status stream_health_word(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err)
{
    writer w = {.out = out, .mem = mem, .err = err};
    PUT(&w, "{\"status\":\"%s\"}\n", word_of(m));
    return w.st;
}

vg_status stream_health_json(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err)
{
    writer w = {.out = out, .mem = mem, .err = err};
    const stream_stats *s = m->stats;
    char text[32];
    bool is_first = true;
    PUT(&w, "{\"status\":\"%s\",\"version\":\"%s\",\"uptime_s\":%s,\"sources\":[", word_of(m),
        stream_version(), number(text, round((double)(m->now_ns - s->started_ns) * 1e-6) / 1000));
    for (int i = 0; i < s->n_channels; i++)
        if (s->channels[i].state != STREAM_EMPTY) {
            put_source_health(&w, m, i, is_first);
            is_first = false;
        }
    PUT(&w, "],\"sinks\":[");
    is_first = true;
    for (int i = 0; i < s->n_sinks && i < STREAM_MOST_SINKS; i++)
        if (s->sinks[i].name != NULL) {
            PUT(&w, "%s{\"sink\":\"%s\",\"failing\":%s,\"waiting\":%d,\"dropped\":%" PRIu64 "}",
                is_first ? "" : ",", s->sinks[i].name, s->sinks[i].is_failing ? "true" : "false",
                atomic_load(&s->sinks[i].n_waiting), atomic_load(&s->sinks[i].n_dropped));
            is_first = false;
        }
    PUT(&w, "]}\n");
    return w.st;
}
