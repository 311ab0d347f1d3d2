/* fault.c: one table from codes to faults, one from faults to words. */
#include "fault.h"

static const char *const NAMES[] = {
#define X(name, text) text,
    VIDEO_FAULTS(X)
#undef X
};

const char *video_fault_name(video_fault f)
{
    return (unsigned)f < VIDEO_N_FAULTS ? NAMES[f] : "none";
}

/* What a code means while connecting, and once frames have come: a camera that is "no such device"
 * then was unplugged. */
static const struct {
    int code;
    video_fault connecting, reading;
} ROWS[] = {
    {AVERROR(ECONNREFUSED), VIDEO_FAULT_REFUSED, VIDEO_FAULT_REFUSED},
    {AVERROR(ENETUNREACH), VIDEO_FAULT_REFUSED, VIDEO_FAULT_LOST},
    {AVERROR(EHOSTUNREACH), VIDEO_FAULT_REFUSED, VIDEO_FAULT_LOST},
    {AVERROR(ENETDOWN), VIDEO_FAULT_REFUSED, VIDEO_FAULT_LOST},
    {AVERROR(EADDRNOTAVAIL), VIDEO_FAULT_REFUSED, VIDEO_FAULT_LOST},
    {AVERROR_HTTP_UNAUTHORIZED, VIDEO_FAULT_DENIED, VIDEO_FAULT_DENIED},
    {AVERROR_HTTP_FORBIDDEN, VIDEO_FAULT_DENIED, VIDEO_FAULT_DENIED},
    {AVERROR(EACCES), VIDEO_FAULT_DENIED, VIDEO_FAULT_DENIED},
    {AVERROR(EPERM), VIDEO_FAULT_DENIED, VIDEO_FAULT_DENIED},
    {AVERROR(EBUSY), VIDEO_FAULT_DENIED, VIDEO_FAULT_LOST},
    {AVERROR_HTTP_NOT_FOUND, VIDEO_FAULT_ABSENT, VIDEO_FAULT_ABSENT},
    {AVERROR(ENOENT), VIDEO_FAULT_ABSENT, VIDEO_FAULT_LOST},
    {AVERROR(ENODEV), VIDEO_FAULT_ABSENT, VIDEO_FAULT_LOST},
    {AVERROR(ENXIO), VIDEO_FAULT_ABSENT, VIDEO_FAULT_LOST},
    {AVERROR(ENOTDIR), VIDEO_FAULT_ABSENT, VIDEO_FAULT_LOST},
    {AVERROR(ETIMEDOUT), VIDEO_FAULT_TIMEOUT, VIDEO_FAULT_LOST},
    {AVERROR(ECONNRESET), VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR(ECONNABORTED), VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR(ENOTCONN), VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR(EPIPE), VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR(EIO), VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR_EOF, VIDEO_FAULT_LOST, VIDEO_FAULT_LOST},
    {AVERROR_INVALIDDATA, VIDEO_FAULT_DATA, VIDEO_FAULT_DATA},
    {AVERROR_STREAM_NOT_FOUND, VIDEO_FAULT_DATA, VIDEO_FAULT_DATA},
    {AVERROR_DECODER_NOT_FOUND, VIDEO_FAULT_DATA, VIDEO_FAULT_DATA},
    {AVERROR_DEMUXER_NOT_FOUND, VIDEO_FAULT_DATA, VIDEO_FAULT_DATA},
    {AVERROR_PATCHWELCOME, VIDEO_FAULT_DATA, VIDEO_FAULT_DATA},
};

video_fault video_fault_of(int code, bool is_connecting)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (ROWS[i].code == code)
            return is_connecting ? ROWS[i].connecting : ROWS[i].reading;
    return VIDEO_FAULT_OTHER;
}

static const struct {
    const char *what, *mend;
} WORDS[VIDEO_N_FAULTS] = {
    [VIDEO_FAULT_REFUSED] = {"nobody answers at this address",
                             "start the camera or server, or correct address and port"},
    [VIDEO_FAULT_NAME] = {"this host name has no address",
                          "correct the name, or check the name server"},
    [VIDEO_FAULT_DENIED] = {"access is denied",
                            "give user and password (rtsp://user:password@host/...); for a local "
                            "camera, join the group video, or close what uses it"},
    [VIDEO_FAULT_ABSENT] = {"there is no such stream, file or device", "correct the path"},
    [VIDEO_FAULT_TIMEOUT] = {"no stream within the time to connect",
                             "look at the network, or allow more time"},
    [VIDEO_FAULT_STALL] = {"the stream stalled: no packet came for too long",
                           "look at the camera and the network"},
    [VIDEO_FAULT_LOST] = {"the connection was lost", "look at the camera and the network"},
    [VIDEO_FAULT_DATA] = {"no video that can be decoded",
                          "try `ffprobe` on it; a raw stream needs its format and size"},
    [VIDEO_FAULT_OTHER] = {"the source failed", "try `ffprobe` on it"},
};

static vg_status status_of(video_fault fault, int code)
{
    switch (code) {
    case AVERROR(ENOMEM):
        return VG_ERR_MEMORY;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
    case AVERROR(ENOSYS):
        return VG_ERR_UNSUPPORTED;
    default:
        return fault == VIDEO_FAULT_DATA ? VG_ERR_FORMAT : VG_ERR_IO;
    }
}

vg_status video_fault_tell(video_fault fault, int code, const char *name, const char *detail,
                           vg_error *err)
{
    return base_fail(err, status_of(fault, code), name, WORDS[fault].mend, "%s: %s",
                     WORDS[fault].what, detail);
}
