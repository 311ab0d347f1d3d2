/* camera_rtsp.c: see camera_rtsp.h. */
#include "camera_rtsp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"

enum { PAYLOAD = 1400, TEXT = 4096, RTP = 12, TYPE = 96, FU_A = 28 };

/* ---- words ---- */

static void base64(char *out, const uint8_t *in, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) |
                           (i + 2 < n ? in[i + 2] : 0);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digits[v & 63] : '=';
    }
    *out = '\0';
}

/* The first SPS and the first PPS of the record. */
static void describe(char *sdp, size_t room, const uint8_t *avcc, size_t n)
{
    char sps[1024] = "", pps[1024] = "";
    const size_t sps_n = n > 8 ? (size_t)avcc[6] << 8 | avcc[7] : 0, at = 8 + sps_n + 1,
                 pps_n = n > at + 2 ? (size_t)avcc[at] << 8 | avcc[at + 1] : 0;
    if (sps_n < 700 && pps_n < 700 && at + 2 + pps_n <= n) {
        base64(sps, avcc + 8, sps_n);
        base64(pps, avcc + at + 2, pps_n);
    }
    base_format(sdp, room,
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP %d\r\na=rtpmap:%d H264/90000\r\n"
                "a=fmtp:%d packetization-mode=1;sprop-parameter-sets=%s,%s\r\na=control:video\r\n",
                TYPE, TYPE, TYPE, sps, pps);
}

static bool read_request(int fd, char *text)
{
    size_t n = 0;
    text[0] = '\0';
    while (strstr(text, "\r\n\r\n") == NULL && n + 1 < TEXT) {
        const ssize_t got = recv(fd, text + n, TEXT - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        text[n] = '\0';
    }
    return true;
}

static void answer(int fd, const char *request, const char *fields, const char *body)
{
    char text[2 * TEXT];
    const char *number = strcasestr(request, "CSeq:");
    base_format(text, sizeof text,
                "RTSP/1.0 200 OK\r\nCSeq: %ld\r\n%sContent-Length: %zu\r\n\r\n%s",
                number != NULL ? strtol(number + 5, NULL, 10) : 0, fields, strlen(body), body);
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        _exit(0);
}

void camera_rtsp_greet(int fd, const uint8_t *avcc, size_t n)
{
    char request[TEXT], sdp[TEXT];
    describe(sdp, sizeof sdp, avcc, n);
    for (bool plays = false; !plays;) {
        if (!read_request(fd, request))
            _exit(0);
        plays = strncmp(request, "PLAY", 4) == 0;
        if (strncmp(request, "DESCRIBE", 8) == 0)
            answer(fd, request, "Content-Type: application/sdp\r\n", sdp);
        else if (strncmp(request, "SETUP", 5) == 0)
            answer(fd, request,
                   "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=3600\r\n",
                   "");
        else
            answer(fd, request,
                   "Session: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n", "");
    }
}

/* ---- pictures ---- */

typedef struct writer {
    uint8_t *out;
    size_t n, room;
    uint32_t ticks;
} writer;

static void put_packet(writer *w, const uint8_t *head, size_t head_n, const uint8_t *bytes,
                       size_t n, bool is_last)
{
    static uint16_t number;
    const size_t length = RTP + head_n + n;
    uint8_t *p = w->out + w->n;
    if (w->n + 4 + length > w->room)
        return;
    number++;
    const uint8_t start[4 + RTP] = {'$',
                                    0,
                                    (uint8_t)(length >> 8),
                                    (uint8_t)length,
                                    0x80,
                                    (uint8_t)(TYPE | (is_last ? 0x80 : 0)),
                                    (uint8_t)(number >> 8),
                                    (uint8_t)number,
                                    (uint8_t)(w->ticks >> 24),
                                    (uint8_t)(w->ticks >> 16),
                                    (uint8_t)(w->ticks >> 8),
                                    (uint8_t)w->ticks,
                                    0,
                                    0,
                                    0,
                                    1};
    memcpy(p, start, sizeof start);
    if (head_n > 0)
        memcpy(p + sizeof start, head, head_n);
    memcpy(p + sizeof start + head_n, bytes, n);
    w->n += 4 + length;
}

/* Whole, or in fragments. */
static void put_unit(writer *w, const uint8_t *unit, size_t n, bool is_last)
{
    if (n <= PAYLOAD) {
        put_packet(w, NULL, 0, unit, n, is_last);
        return;
    }
    for (size_t at = 1; at < n; at += PAYLOAD) {
        const size_t part = n - at < PAYLOAD ? n - at : PAYLOAD;
        const bool begins = at == 1, ends = at + part == n;
        const uint8_t head[2] = {
            (uint8_t)((unit[0] & 0xE0) | FU_A),
            (uint8_t)((begins ? 0x80 : 0) | (ends ? 0x40 : 0) | (unit[0] & 0x1F))};
        put_packet(w, head, sizeof head, unit + at, part, is_last && ends);
    }
}

size_t camera_rtsp_pack(uint8_t *out, size_t room, const uint8_t *frame, size_t n, uint32_t ticks)
{
    writer w = {.out = out, .room = room, .ticks = ticks};
    for (size_t at = 0; at + 4 < n;) {
        const size_t unit = (size_t)frame[at] << 24 | (size_t)frame[at + 1] << 16 |
                            (size_t)frame[at + 2] << 8 | frame[at + 3];
        if (unit == 0 || unit > n - at - 4)
            break;
        put_unit(&w, frame + at + 4, unit, at + 4 + unit == n);
        at += 4 + unit;
    }
    return w.n;
}
