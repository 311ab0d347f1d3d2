/* tensorboard.c: events as protobuf messages in TFRecord frames.
 *
 * A frame: length (8 bytes), masked CRC-32C of these, the message, masked CRC-32C of it; all little
 * endian. The message is built on the stack from borrowed parts and packed piece by piece into one
 * fixed buffer, which goes to the file whenever it is full; its checksum is taken on the way. So a
 * scalar costs no allocation, and a picture of many megabytes no copy. The file's length up to the
 * last whole record is known: when the disk says no, the file is cut there, because a reader stops
 * at half a record for good. */
#include "tensorboard.h"

#include <assert.h>
#include <errno.h>
#include <event.pb-c.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "crc32c.h"
#include "number.h"

enum { MOST_TAG_BYTES = 512, MOST_ENCODED_BYTES = 1 << 30, RGB = 3 };

struct report_events {
    int fd;
    int64_t n_file_bytes;  /* of whole records */
    int64_t flushed_at_ns; /* monotonic */
    size_t n_waiting;      /* bytes in buffer */
    uint32_t crc;          /* of the message being packed */
    vg_status failed;      /* while it is packed: packing itself cannot fail */
    int why;               /* errno of failed */
    int64_t n_written;     /* bytes in the file, half records included */
    char path[4096];
    uint8_t buffer[REPORT_EVENTS_BUFFER_BYTES];
};

/* ---- bytes ---- */

/* Writes what waits. On failure it is lost, and the record that is being packed will be. */
static void drain(report_events *e)
{
    const uint8_t *p = e->buffer;
    size_t n = e->n_waiting;
    e->n_waiting = 0;
    while (n > 0 && e->failed == VG_OK) {
        ssize_t wrote = pwrite(e->fd, p, n, e->n_written);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            e->failed = VG_ERR_IO;
            e->why = wrote < 0 ? errno : ENOSPC;
            return;
        }
        p += wrote;
        n -= (size_t)wrote;
        e->n_written += wrote;
    }
}

static void put(report_events *e, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n > 0 && e->failed == VG_OK) {
        size_t room = sizeof e->buffer - e->n_waiting, part = n < room ? n : room;
        memcpy(e->buffer + e->n_waiting, p, part);
        e->n_waiting += part;
        p += part;
        n -= part;
        if (e->n_waiting == sizeof e->buffer)
            drain(e);
    }
}

static void put_u32(report_events *e, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};
    put(e, bytes, sizeof bytes);
}

/* All that waits is whole records: after this the file ends with one, whatever happens. */
static vg_status settle(report_events *e, vg_error *err)
{
    drain(e);
    e->flushed_at_ns = base_now_ns();
    if (e->failed == VG_OK) {
        e->n_file_bytes = e->n_written;
        return VG_OK;
    }
    errno = e->why;
    vg_status st = base_fail_errno(err, e->failed, e->path,
                                   e->why == ENOSPC || e->why == EDQUOT ? "free some disk space"
                                                                        : "check the disk",
                                   "cannot write events");
    e->failed = VG_OK;
    e->n_written = e->n_file_bytes;
    if (ftruncate(e->fd, e->n_file_bytes) != 0) {
        /* Then the next record is written over the half one. */
    }
    return st;
}

/* ---- records ---- */

/* protobuf-c packs through this. */
typedef struct packer {
    ProtobufCBuffer base;
    report_events *events;
} packer;

static void pack_part(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
    report_events *e = ((packer *)buffer)->events;
    e->crc = report_crc32c(e->crc, bytes, n);
    put(e, bytes, n);
}

static double wall_time_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static vg_status push(report_events *e, Vigil__Tensorboard__Event *event, vg_error *err)
{
    enum { FRAME_BYTES = 16 };
    event->wall_time = wall_time_s();
    uint64_t n = vigil__tensorboard__event__get_packed_size(event);
    /* A record that fits is never written in halves while it waits: only whole ones lie behind us.
     */
    if (n + FRAME_BYTES >= sizeof e->buffer - e->n_waiting) {
        vg_status st = settle(e, err);
        if (st != VG_OK)
            return st;
    }

    uint8_t length[8];
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (uint8_t)(n >> 8 * i);
    put(e, length, sizeof length);
    put_u32(e, report_crc32c_mask(report_crc32c(0, length, sizeof length)));
    e->crc = 0;
    packer p = {.base = {.append = pack_part}, .events = e};
    vigil__tensorboard__event__pack_to_buffer(event, &p.base);
    put_u32(e, report_crc32c_mask(e->crc));

    bool is_due = base_now_ns() - e->flushed_at_ns >= REPORT_EVENTS_FLUSH_MS * INT64_C(1000000);
    bool is_partly_written = e->failed != VG_OK || e->n_written != e->n_file_bytes;
    return is_due || is_partly_written ? settle(e, err) : VG_OK;
}

static vg_status check_tag(const char *tag, vg_error *err)
{
    size_t n = strlen(tag);
    if (n < 1 || n > MOST_TAG_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, "tag", "give it a name",
                         "a tag of %zu bytes (1..%d)", n, MOST_TAG_BYTES);
    if (!base_is_utf8(tag))
        return base_fail(err, VG_ERR_ARGUMENT, "tag", "use UTF-8", "a tag that is not UTF-8");
    return VG_OK;
}

/* protobuf-c's texts are char *, though packing only reads them. */
static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

static vg_status push_value(report_events *e, Vigil__Tensorboard__Summary__Value *value,
                            const char *tag, const char *plugin, int64_t step, vg_error *err)
{
    vg_status st = check_tag(tag, err);
    if (st != VG_OK)
        return st;
    Vigil__Tensorboard__SummaryMetadata__PluginData data =
        VIGIL__TENSORBOARD__SUMMARY_METADATA__PLUGIN_DATA__INIT;
    Vigil__Tensorboard__SummaryMetadata metadata = VIGIL__TENSORBOARD__SUMMARY_METADATA__INIT;
    Vigil__Tensorboard__Summary summary = VIGIL__TENSORBOARD__SUMMARY__INIT;
    Vigil__Tensorboard__Event event = VIGIL__TENSORBOARD__EVENT__INIT;
    data.plugin_name = borrowed(plugin);
    metadata.plugin_data = &data;
    value->tag = borrowed(tag);
    value->metadata = &metadata;
    summary.n_value = 1;
    summary.value = &value;
    event.step = step;
    event.what_case = VIGIL__TENSORBOARD__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return push(e, &event, err);
}

vg_status report_events_scalar(report_events *e, const char *tag, int64_t step, double value,
                               vg_error *err)
{
    Vigil__Tensorboard__Summary__Value v = VIGIL__TENSORBOARD__SUMMARY__VALUE__INIT;
    v.value_case = VIGIL__TENSORBOARD__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    v.simple_value = (float)value;
    return push_value(e, &v, tag, "scalars", step, err);
}

vg_status report_events_image(report_events *e, const char *tag, int64_t step, const void *encoded,
                              size_t n_bytes, int w, int h, vg_error *err)
{
    if (n_bytes > MOST_ENCODED_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, tag, "write a smaller picture",
                         "a picture of %zu bytes (up to %d)", n_bytes, MOST_ENCODED_BYTES);
    Vigil__Tensorboard__Summary__Image image = VIGIL__TENSORBOARD__SUMMARY__IMAGE__INIT;
    image.height = h;
    image.width = w;
    image.colorspace = RGB;
    image.encoded_image_string =
        (ProtobufCBinaryData){.len = n_bytes, .data = (uint8_t *)(uintptr_t)encoded};
    Vigil__Tensorboard__Summary__Value v = VIGIL__TENSORBOARD__SUMMARY__VALUE__INIT;
    v.value_case = VIGIL__TENSORBOARD__SUMMARY__VALUE__VALUE_IMAGE;
    v.image = &image;
    return push_value(e, &v, tag, "images", step, err);
}

vg_status report_events_flush(report_events *e, vg_error *err)
{
    return settle(e, err);
}

/* ---- the file ---- */

static vg_status open_file(report_events *e, const char *folder, vg_error *err)
{
    char host[256] = "localhost";
    if (gethostname(host, sizeof host) != 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    host[sizeof host - 1] = '\0';
    for (char *p = host; *p != '\0'; p++)
        if (*p == '/')
            *p = '_';
    for (int n = 0; n < 1000; n++) {
        char name[512];
        if (!base_format(name, sizeof name, "events.out.tfevents.%010lld.%s.%ld.%d",
                         (long long)wall_time_s(), host, (long)getpid(), n) ||
            !base_path_join(e->path, sizeof e->path, folder, name))
            return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path",
                             "a path too long for a file");
        e->fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (e->fd >= 0)
            return VG_OK;
        if (errno != EEXIST)
            break;
    }
    return base_fail_errno(err, VG_ERR_IO, e->path, "check the folder and its permissions",
                           "cannot create the event file");
}

/* The events that every file begins with. */
static vg_status push_head(report_events *e, int64_t restart_step, vg_error *err)
{
    Vigil__Tensorboard__Event version = VIGIL__TENSORBOARD__EVENT__INIT;
    version.what_case = VIGIL__TENSORBOARD__EVENT__WHAT_FILE_VERSION;
    version.file_version = borrowed("brain.Event:2");
    vg_status st = push(e, &version, err);
    if (st != VG_OK || restart_step < 0)
        return st;
    Vigil__Tensorboard__SessionLog log = VIGIL__TENSORBOARD__SESSION_LOG__INIT;
    log.status = VIGIL__TENSORBOARD__SESSION_LOG__SESSION_STATUS__START;
    Vigil__Tensorboard__Event start = VIGIL__TENSORBOARD__EVENT__INIT;
    start.step = restart_step;
    start.what_case = VIGIL__TENSORBOARD__EVENT__WHAT_SESSION_LOG;
    start.session_log = &log;
    return push(e, &start, err);
}

vg_status report_events_open(report_events **out, const char *folder, int64_t restart_step,
                             base_mem *mem, vg_error *err)
{
    *out = NULL;
    report_events *e = base_alloc_zero(mem, 1, sizeof *e, err);
    if (e == NULL)
        return VG_ERR_MEMORY;
    e->fd = -1;
    e->flushed_at_ns = base_now_ns();
    vg_status st = open_file(e, folder, err);
    if (st == VG_OK)
        st = push_head(e, restart_step, err);
    if (st == VG_OK)
        st = report_events_flush(e, err);
    if (st != VG_OK)
        report_events_close(&e, NULL);
    *out = e;
    return st;
}

const char *report_events_path(const report_events *e)
{
    return e->path;
}

vg_status report_events_close(report_events **events, vg_error *err)
{
    report_events *e = *events;
    if (e == NULL)
        return VG_OK;
    vg_status st = VG_OK;
    if (e->fd >= 0) {
        st = settle(e, err);
        if (close(e->fd) != 0 && st == VG_OK)
            st = base_fail_errno(err, VG_ERR_IO, e->path, "check the disk",
                                 "the last events could not be written");
    }
    base_free(e);
    *events = NULL;
    return st;
}
