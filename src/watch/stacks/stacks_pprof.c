/* stacks_pprof.c: the stacks as pprof reads them: a gzipped protobuf message. Messages that stand
 * one behind the other are read as one merged (the encoding's own rule), so each sample, location
 * and function is written as a Profile of its own with that one entry: no list is built.
 * Values of a sample: blocks, live bytes, bytes grown. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <profile.pb-c.h>

#include "stacks_named.h"

enum { MOST_PART_BYTES = 8192, N_VALUES = 3 };

typedef struct writer {
    gzFile to;
    int64_t n_strings;
    bool failed;
} writer;

static void put(writer *w, const Vigil__Profile *p)
{
    uint8_t bytes[MOST_PART_BYTES];
    const size_t n = vigil__profile__get_packed_size(p);
    if (n == 0 || w->failed)
        return;
    w->failed = n > sizeof bytes;
    if (!w->failed) {
        vigil__profile__pack(p, bytes);
        w->failed = gzwrite(w->to, bytes, (unsigned)n) != (int)n;
    }
}

/* Its number in the table. */
static int64_t put_string(writer *w, const char *text)
{
    char room[512];
    uint8_t bytes[sizeof room + 16];
    base_format(room, sizeof room, "%s", text);
    char *one = room;
    Vigil__Profile p = VIGIL__PROFILE__INIT;
    if (room[0] == '\0') { /* an empty one alone would be dropped by no writer: tag 6, length 0 */
        bytes[0] = 6 << 3 | 2;
        bytes[1] = 0;
        w->failed = w->failed || gzwrite(w->to, bytes, 2) != 2;
        return w->n_strings++;
    }
    p.n_string_table = 1;
    p.string_table = &one;
    put(w, &p);
    return w->n_strings++;
}

static void put_types(writer *w, const watch_named *n, int64_t wall_ns)
{
    static const char *const names[N_VALUES][2] = {
        {"inuse_objects", "count"}, {"inuse_space", "bytes"}, {"growth_space", "bytes"}};
    int64_t space = 0, bytes = 0;
    for (int i = 0; i < N_VALUES; i++) {
        Vigil__ValueType t = VIGIL__VALUE_TYPE__INIT, *one = &t;
        Vigil__Profile p = VIGIL__PROFILE__INIT;
        t.type = put_string(w, names[i][0]);
        t.unit = put_string(w, names[i][1]);
        p.n_sample_type = 1;
        p.sample_type = &one;
        put(w, &p);
        space = i == 1 ? t.type : space;
        bytes = i == 1 ? t.unit : bytes;
    }
    Vigil__ValueType period = VIGIL__VALUE_TYPE__INIT;
    Vigil__Profile p = VIGIL__PROFILE__INIT;
    period.type = space;
    period.unit = bytes;
    p.period_type = &period;
    p.period = (int64_t)n->facts.rate_bytes;
    p.time_nanos = wall_ns;
    p.duration_nanos = (int64_t)((n->facts.last_s - n->facts.first_s) * 1e9);
    p.default_sample_type = space;
    put(w, &p);
}

/* Location and function numbers are those of frames and lines, from 1. */
static void put_frame(writer *w, const watch_named *n, size_t f)
{
    const watch_named_frame *frame = &n->frames[f];
    Vigil__Line lines[16], *line_at[16];
    Vigil__Location location = VIGIL__LOCATION__INIT, *one = &location;
    const uint32_t n_lines = frame->n < 16 ? frame->n : 16;
    for (uint32_t i = 0; i < n_lines; i++) {
        const watch_named_line *l = &n->lines[frame->first + i];
        Vigil__Function function = VIGIL__FUNCTION__INIT, *function_at = &function;
        Vigil__Profile p = VIGIL__PROFILE__INIT;
        function.id = frame->first + i + 1;
        function.name = function.system_name = put_string(w, watch_named_text(n, l->function));
        function.filename = l->file != 0 ? put_string(w, watch_named_text(n, l->file)) : 0;
        p.n_function = 1;
        p.function = &function_at;
        put(w, &p);
        lines[i] = (Vigil__Line)VIGIL__LINE__INIT;
        lines[i].function_id = function.id;
        lines[i].line = l->line;
        line_at[i] = &lines[i];
    }
    Vigil__Profile p = VIGIL__PROFILE__INIT;
    location.id = f + 1;
    location.mapping_id = 1;
    location.address = frame->frame >> 48 == STACKS_PYTHON ? 0 : frame->frame & STACKS_LOW;
    location.n_line = n_lines;
    location.line = line_at;
    p.n_location = 1;
    p.location = &one;
    put(w, &p);
}

static void put_sample(writer *w, const watch_named *n, const watch_stack *k)
{
    uint64_t ids[STACKS_MOST_FRAMES];
    int64_t values[N_VALUES] = {llround(k->count), llround(k->bytes),
                                k->grows ? llround(k->growth_bytes) : 0};
    Vigil__Sample sample = VIGIL__SAMPLE__INIT, *one = &sample;
    Vigil__Profile p = VIGIL__PROFILE__INIT;
    for (uint32_t f = 0; f < k->n_frames; f++) {
        const watch_named_frame *frame = watch_named_find(n, k->frame[f]);
        if (frame != NULL)
            ids[sample.n_location_id++] = (uint64_t)(frame - n->frames) + 1;
    }
    sample.location_id = ids;
    sample.n_value = N_VALUES;
    sample.value = values;
    p.n_sample = 1;
    p.sample = &one;
    put(w, &p);
}

vg_status watch_stacks_pprof(const watch_named *n, const char *path, int64_t wall_ns, base_mem *mem,
                             vg_error *err)
{
    base_file f = BASE_FILE_NONE;
    writer w = {0};
    (void)mem; /* zlib's is its own, for the length of this call */
    vg_status st = base_file_create_beside(&f, path, err);
    if (st != VG_OK)
        return st;
    const int fd = fcntl(f.fd, F_DUPFD_CLOEXEC, 0); /* gzclose closes its own */
    w.to = fd >= 0 ? gzdopen(fd, "wb6") : NULL;
    if (w.to == NULL) {
        if (fd >= 0)
            close(fd);
        st = base_fail_errno(err, VG_ERR_IO, path, NULL, "cannot write the profile");
        goto done;
    }
    put_string(&w, "");
    put_types(&w, n, wall_ns);
    Vigil__Mapping mapping = VIGIL__MAPPING__INIT, *one = &mapping;
    Vigil__Profile p = VIGIL__PROFILE__INIT;
    mapping.id = 1; /* one for all: pprof is to ask for no symbols, they are here */
    mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers =
        mapping.has_inline_frames = 1;
    p.n_mapping = 1;
    p.mapping = &one;
    put(&w, &p);
    for (size_t i = 0; i < n->n_frames; i++)
        put_frame(&w, n, i);
    for (size_t i = 0; i < n->n_stacks; i++)
        put_sample(&w, n, n->stacks[i]);
    if (gzclose(w.to) != Z_OK || w.failed)
        st = base_fail(err, VG_ERR_IO, path, "make room", "cannot write the profile");
    else
        st = base_file_publish(&f, path, err);
done:
    base_file_discard(&f);
    return st;
}
