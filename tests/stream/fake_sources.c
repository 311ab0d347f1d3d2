#include "stream/fake_sources.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

atomic_int fake_sources, fake_connected, fake_pictures;

struct video_frame {
    video_frame_info info;
    bool has_picture;
    char file[VIDEO_FILE_BYTES];
};

vg_status video_frame_create(video_frame **out, base_mem *mem, vg_error *err)
{
    *out = base_alloc_zero(mem, 1, sizeof **out, err);
    return *out ? VG_OK : VG_ERR_MEMORY;
}

void video_frame_release(video_frame *f)
{
    if (f->has_picture)
        atomic_fetch_sub(&fake_pictures, 1);
    f->has_picture = false;
}

void video_frame_destroy(video_frame **f)
{
    if (*f)
        video_frame_release(*f);
    base_free(*f);
    *f = NULL;
}

const video_frame_info *video_frame_get(const video_frame *f)
{
    return &f->info;
}

void video_frame_set_file(video_frame *f, const char *name)
{
    base_format(f->file, sizeof f->file, "%s", name);
}

void fake_fill(video_frame *f, int w, int h, int64_t number)
{
    video_frame_release(f);
    f->info = (video_frame_info){.w = w, .h = h, .number = number, .arrived_ns = base_now_ns()};
    f->has_picture = true;
    atomic_fetch_add(&fake_pictures, 1);
}

/* ---- texts ---- */

video_kind video_kind_of(const char *text)
{
    return base_starts_with(text, "live:") ? VIDEO_NETWORK : VIDEO_FILE;
}

bool video_is_live(video_kind kind)
{
    return kind == VIDEO_NETWORK;
}

void video_public_name(char *out, size_t n, const char *text)
{
    base_format(out, n, "public %s", text);
}

const char *video_fault_name(video_fault f)
{
    static const char *const names[] = {
#define X(name, text) text,
        VIDEO_FAULTS(X)
#undef X
    };
    return names[f];
}

/* ---- sources ---- */

struct video_source {
    char text[512];
    const atomic_bool *stop;
    const char *segment;
    int w, h;
    long n_left, number;
    char then;
    bool is_connected;
    video_source_counts counts;
};

vg_status video_source_create(video_source **out, const video_source_options *o,
                              const atomic_bool *stop, base_mem *mem, vg_error *err)
{
    *out = base_alloc_zero(mem, 1, sizeof **out, err);
    if (!*out)
        return VG_ERR_MEMORY;
    assert(o->format && strcmp(o->format, "fake") == 0); /* of the options' copy */
    base_format((*out)->text, sizeof(*out)->text, "%s", o->text);
    (*out)->stop = stop;
    atomic_fetch_add(&fake_sources, 1);
    return VG_OK;
}

void video_source_disconnect(video_source *s)
{
    if (s->is_connected)
        atomic_fetch_sub(&fake_connected, 1);
    s->is_connected = false;
}

void video_source_destroy(video_source **s)
{
    if (!*s)
        return;
    video_source_disconnect(*s);
    atomic_fetch_sub(&fake_sources, 1);
    base_free(*s);
    *s = NULL;
}

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000};
    nanosleep(&t, NULL);
}

static void hang(const video_source *s)
{
    while (!atomic_load(s->stop))
        pause_ms(5);
}

vg_status video_source_connect(video_source *s, video_stream_info *info, video_fault *fault,
                               vg_error *err)
{
    video_source_disconnect(s);
    const char *next = s->segment ? strchr(s->segment, '|') : NULL;
    if (!s->segment) {
        const int got = sscanf(strchr(s->text, ':'), ":%dx%d:", &s->w, &s->h);
        assert(got == 2);
        s->segment = strchr(strchr(s->text, ':') + 1, ':') + 1;
    } else if (next) {
        s->segment = next + 1;
    }
    char *end;
    s->n_left = strtol(s->segment, &end, 10);
    s->number = 0;
    s->then = *end;
    if (s->then == 'C') {
        hang(s);
        return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "interrupted");
    }
    *fault = s->then == 'R' ? VIDEO_FAULT_REFUSED : VIDEO_FAULT_DATA;
    if (s->then == 'U')
        return base_fail(err, VG_ERR_UNSUPPORTED, s->text, NULL, "this FFmpeg cannot");
    if (s->then == 'R' || s->then == 'D')
        return base_fail(err, VG_ERR_IO, s->text, "mend it", "connection failed");
    *info = (video_stream_info){.w = s->w, .h = s->h, .codec = "fake", .frames_per_s = 1000};
    s->is_connected = true;
    atomic_fetch_add(&fake_connected, 1);
    return VG_OK;
}

video_outcome video_source_read(video_source *s, video_frame *f, video_fault *fault, vg_error *err)
{
    if (atomic_load(s->stop))
        return VIDEO_STOPPED;
    if (s->n_left-- > 0) {
        pause_ms(1);
        fake_fill(f, s->w, s->h, s->number++);
        s->counts.bytes += 10;
        s->counts.damaged_packets++;
        return VIDEO_FRAME;
    }
    if (s->then == 'E')
        return VIDEO_END;
    if (s->then == 'H') {
        hang(s);
        return VIDEO_STOPPED;
    }
    *fault = s->then == 'S' ? VIDEO_FAULT_STALL : VIDEO_FAULT_LOST;
    base_fail(err, VG_ERR_IO, s->text, "mend it", "the connection broke");
    return VIDEO_FAILED;
}

void video_source_get_counts(const video_source *s, video_source_counts *out)
{
    *out = s->counts;
}
