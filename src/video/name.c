/* name.c: what a source's text means, and how it may be shown. */
#include "name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "url/url.h"
#include "video.h"

static const char *const SCHEMES[] = {"rtsp", "rtsps", "rtmp", "rtmps", "http", "https",
                                      "hls",  "udp",   "tcp",  "srt",   "rtp",  NULL};
static const char *const SUFFIXES[] = {
    ".mp4", ".m4v",  ".mov", ".mkv", ".webm", ".avi",   ".ts",   ".mts", ".m2ts",
    ".mpg", ".mpeg", ".vob", ".wmv", ".asf",  ".flv",   ".f4v",  ".3gp", ".3g2",
    ".ogv", ".mxf",  ".nut", ".dv",  ".mjpg", ".mjpeg", ".h264", ".264", ".h265",
    ".265", ".hevc", ".ivf", ".y4m", ".obu",  ".m3u8",  NULL};

/* ---- what it means ---- */

bool video_is_video_name(const char *path)
{
    const char *suffix = base_path_suffix(path);
    for (size_t i = 0; SUFFIXES[i] != NULL; i++)
        if (base_equal_nocase(suffix, SUFFIXES[i]))
            return true;
    return false;
}

bool video_is_live(video_kind kind)
{
    return kind == VIDEO_NETWORK || kind == VIDEO_CAMERA;
}

static bool is_number(const char *s, size_t most_digits)
{
    size_t n = strspn(s, "0123456789");
    return n > 0 && n <= most_digits && s[n] == '\0';
}

static bool has_network_scheme(const char *text)
{
    const char *colon = strstr(text, "://");
    for (size_t i = 0; colon != NULL && SCHEMES[i] != NULL; i++)
        if (strlen(SCHEMES[i]) == (size_t)(colon - text) &&
            strncasecmp(text, SCHEMES[i], (size_t)(colon - text)) == 0)
            return true;
    return false;
}

static bool has_at(const uint8_t *bytes, size_t n, size_t at, const char *what, size_t n_what)
{
    return at + n_what <= n && memcmp(bytes + at, what, n_what) == 0;
}

/* The heads of the containers that people keep videos in. */
static bool is_video_head(const uint8_t *b, size_t n)
{
    return has_at(b, n, 4, "ftyp", 4) || has_at(b, n, 0, "\x1a\x45\xdf\xa3", 4) || /* Matroska */
           (has_at(b, n, 0, "RIFF", 4) && has_at(b, n, 8, "AVI ", 4)) ||
           has_at(b, n, 0, "FLV\x01", 4) || has_at(b, n, 0, "\0\0\1\xba", 4) || /* MPEG-PS */
           has_at(b, n, 0, "\0\0\1\xb3", 4) || has_at(b, n, 0, "DKIF", 4) ||
           has_at(b, n, 0, "YUV4MPEG2 ", 10) || has_at(b, n, 0, "OggS", 4) ||
           has_at(b, n, 0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", 8) || /* ASF */
           (has_at(b, n, 0, "\x47", 1) && has_at(b, n, 188, "\x47", 1) &&
            has_at(b, n, 376, "\x47", 1)); /* MPEG-TS */
}

static bool is_video_file(const char *path)
{
    uint8_t head[512];
    struct stat info;
    if (stat(path, &info) != 0)
        return video_is_video_name(path); /* so that its absence is told */
    if (S_ISDIR(info.st_mode) || S_ISBLK(info.st_mode) || S_ISSOCK(info.st_mode))
        return false;
    if (video_is_video_name(path))
        return true;
    if (!S_ISREG(info.st_mode) || image_is_picture_name(path))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;
    if (fd >= 0)
        close(fd);
    return n > 0 && is_video_head(head, (size_t)n);
}

video_kind video_kind_of(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return VIDEO_NONE;
    if (strcmp(text, "-") == 0)
        return VIDEO_PIPE;
    if (is_number(text, 3) ||
        (base_starts_with(text, "/dev/video") && is_number(text + strlen("/dev/video"), 3)) ||
        base_starts_with(text, "/dev/v4l/by-"))
        return VIDEO_CAMERA;
    if (base_starts_with(text, "lavfi:"))
        return VIDEO_DRAWN;
    if (base_starts_with(text, "push:"))
        return VIDEO_PUSHED;
    if (has_network_scheme(text))
        return VIDEO_NETWORK;
    return is_video_file(text) ? VIDEO_FILE : VIDEO_NONE;
}

/* Without a host some only listen, and of udp://@:5000 everybody writes the @. */
vg_status video_check_address(const char *text, vg_error *err)
{
    static const char *const listeners[] = {"udp:", "rtp:", "tcp:", "srt:"};
    url_parts parts;
    bool listens = false;
    if (video_kind_of(text) != VIDEO_NETWORK)
        return VG_OK;
    for (size_t i = 0; i < sizeof listeners / sizeof *listeners; i++)
        listens = listens || strncasecmp(text, listeners[i], 4) == 0;
    return url_parse(&parts, text, listens, "", err);
}

/* ---- how it may be shown ---- */

/* A text in a fixed buffer; what does not fit is cut. */
typedef struct sink {
    char *at, *end; /* end: room for the terminator is behind it */
} sink;

static void put(sink *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n && to->at < to->end; i++) {
        unsigned char c = (unsigned char)from[i];
        *to->at++ = c < 0x20 || c == 0x7f ? '?' : (char)c; /* a line of a log stays one line */
    }
}

static const char *last_of(const char *from, size_t n, char c)
{
    for (size_t i = n; i > 0; i--)
        if (from[i - 1] == c)
            return from + i - 1;
    return NULL;
}

static size_t span_without(const char *s, size_t n, const char *stops)
{
    size_t i = 0;
    while (i < n && strchr(stops, s[i]) == NULL)
        i++;
    return i;
}

/* Some cameras take the password in the path (/user=a_password=b_channel=1): what follows a '=' is
 * a value there, too. */
static void put_path(sink *to, const char *s, size_t n)
{
    while (n > 0) {
        size_t segment = span_without(s, n, "/");
        size_t shown = span_without(s, segment, "=");
        put(to, s, shown);
        if (shown < segment)
            put(to, "=***", 4);
        if (segment < n)
            put(to, "/", 1);
        s += segment < n ? segment + 1 : n;
        n -= segment < n ? segment + 1 : n;
    }
}

/* Names stay, values go; one without a name is all value. */
static void put_query(sink *to, const char *s, size_t n)
{
    while (n > 0) {
        size_t pair = span_without(s, n, "&;");
        size_t name = span_without(s, pair, "=");
        if (name < pair) {
            put(to, s, name);
            put(to, "=", 1);
        }
        if (pair > 0)
            put(to, "***", 3);
        if (pair < n)
            put(to, s + pair, 1);
        s += pair < n ? pair + 1 : n;
        n -= pair < n ? pair + 1 : n;
    }
}

/* HOST[:PORT] whose host is a number: what url_parse() calls, whatever follows. */
static bool is_numeric(const char *s, size_t n)
{
    char host[64];
    unsigned char bytes[4];
    return n > 0 && (s[0] == '[' ||
                     (base_format(host, sizeof host, "%.*s", (int)span_without(s, n, ":"), s) &&
                      inet_pton(AF_INET, host, bytes) == 1));
}

/* s: what follows "://". A password may hold '/', '?', '#' and '@' that should have been written as
 * %2F and so on: where there is a colon before an '@', all before the last '@' is taken for it,
 * though the '@' might be a path's. Better a name too short than a password told. Only a host that
 * is a number stays: it is called, and a name that shows another one would mislead. */
static void put_url_rest(sink *to, const char *s, size_t n)
{
    size_t authority = span_without(s, n, "/?#");
    const char *at = last_of(s, authority, '@');
    const char *host = at != NULL ? at + 1 : s;
    if (memchr(s, ':', authority) != NULL && !is_numeric(host, authority - (size_t)(host - s)))
        at = last_of(s, n, '@');
    if (at != NULL) {
        n -= (size_t)(at + 1 - s);
        s = at + 1;
    }
    size_t path = span_without(s, n, "?#");
    put_path(to, s, path);
    if (path < n && s[path] == '?') {
        size_t query = span_without(s + path + 1, n - path - 1, "#");
        put(to, "?", 1);
        put_query(to, s + path + 1, query);
    }
}

static bool is_scheme_char(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '-' || c == '.';
}

/* Copies s; URLs in it reach to the first of `stops`. */
static void put_text(sink *to, const char *s, const char *stops)
{
    const char *mark;
    while ((mark = strstr(s, "://")) != NULL) {
        if (mark == s || !is_scheme_char(mark[-1])) {
            put(to, s, (size_t)(mark + 3 - s));
            s = mark + 3;
            continue;
        }
        put(to, s, (size_t)(mark + 3 - s));
        s = mark + 3;
        size_t n = span_without(s, strlen(s), stops);
        put_url_rest(to, s, n);
        s += n;
    }
    put(to, s, strlen(s));
}

void video_clean_text(char *out, size_t n, const char *text)
{
    if (n == 0)
        return;
    sink to = {.at = out, .end = out + n - 1};
    put_text(&to, text, " \t\r\n'\"");
    *to.at = '\0';
}

void video_public_name(char *out, size_t n, const char *text)
{
    if (n == 0)
        return;
    sink to = {.at = out, .end = out + n - 1};
    put_text(&to, text != NULL ? text : "", "");
    *to.at = '\0';
}
