/* probe.h: what ffprobe and ffmpeg say of a recording. They come with the package ffmpeg
 * (setup.sh --tests). Include it before base, which poisons what it needs. */
#ifndef TESTS_VIDEO_PROBE_H
#define TESTS_VIDEO_PROBE_H

#include "support/test.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBE_MOST = 4096 };

typedef struct probe {
    int n; /* packets, which ffprobe decoded as frames, too */
    int n_frames;
    double times[PROBE_MOST];
    bool keys[PROBE_MOST];
    int w, h;
    double duration_s;
    char codec[32];
} probe;

/* The command's standard output into out (NULL: not wanted); fails the test when it says anything
 * on standard error or ends badly. */
static inline void probe_run(char *out, size_t n, const char *command, const char *path)
{
    char line[4096], errors[512] = "", name[] = "/tmp/vigil-probe-XXXXXX";
    const int fd = mkstemp(name);
    snprintf(line, sizeof line, "exec 2>%s; %s", name, command);
    char full[8192];
    snprintf(full, sizeof full, line, path);
    FILE *f = popen(full, "r");
    assert_non_null(f);
    size_t got = 0, step = 1;
    while (step > 0 && out != NULL && got + 1 < n) {
        step = fread(out + got, 1, n - 1 - got, f);
        got += step;
    }
    if (out != NULL)
        out[got] = '\0';
    const int status = pclose(f);
    const ssize_t said = pread(fd, errors, sizeof errors - 1, 0);
    close(fd);
    unlink(name);
    if (status != 0 || said > 0)
        fail_msg("%s: status %d: %s (is the package ffmpeg there?)", full, status, errors);
}

static inline probe *probe_open(const char *path)
{
    static char text[1 << 20];
    probe *p = calloc(1, sizeof *p);
    probe_run(text, sizeof text,
              "ffprobe -v error -of csv=nk=0 -count_frames -show_entries "
              "packet=pts_time,flags:stream=codec_name,width,height,nb_read_frames:"
              "format=duration '%s'",
              path);
    for (char *at = text; at != NULL && *at != '\0';
         at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        char *end = strchr(at, '\n');
        if (strncmp(at, "packet,", 7) == 0) {
            char *time = strstr(at, "pts_time="), *flags = strstr(at, "flags=");
            assert_true(p->n < PROBE_MOST && time != NULL && flags != NULL);
            p->times[p->n] = strtod(time + 9, NULL);
            p->keys[p->n++] = flags[6] == 'K';
        } else if (strncmp(at, "stream,", 7) == 0) {
            char *frames = strstr(at, "nb_read_frames=");
            assert_int_equal(3, sscanf(at, "stream,codec_name=%31[^,],width=%d,height=%d", p->codec,
                                       &p->w, &p->h));
            p->n_frames = frames != NULL ? (int)strtol(frames + 15, NULL, 10) : -1;
        } else if (strncmp(at, "format,duration=", 16) == 0) {
            p->duration_s = strtod(at + 16, NULL);
        }
        if (end == NULL)
            break;
    }
    return p;
}

/* Every packet is a frame, and time begins at 0: the whole file is playable. Returns their number.
 */
static inline int probe_whole(const char *path)
{
    probe *p = probe_open(path);
    const int n = p->n;
    if (n < 1 || p->n_frames != n || !p->keys[0] || p->times[0] > 1e-9)
        fail_msg("%s: %d packets, %d frames, first at %g, key %d", path, n, p->n_frames,
                 p->times[0], p->keys[0]);
    free(p);
    return n;
}

/* Frame `index` as RGB, w x h x 3; the caller's to free. */
static inline uint8_t *probe_pixels(const char *path, int index, int w, int h)
{
    const size_t bytes = (size_t)w * (size_t)h * 3;
    char command[512];
    uint8_t *rgb = calloc(1, bytes);
    snprintf(
        command, sizeof command,
        "ffmpeg -v error -i '%s' -vf 'select=eq(n\\,%d)' -frames:v 1 -f rawvideo -pix_fmt rgb24 "
        "-sws_flags accurate_rnd+full_chroma_int -",
        path, index);
    FILE *f = popen(command, "r");
    assert_int_equal(bytes, fread(rgb, 1, bytes, f));
    assert_int_equal(0, pclose(f));
    return rgb;
}

typedef struct probe_list {
    int n;
    char paths[512][512];
} probe_list;

static inline int probe_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The files of a folder whose names begin with prefix and end with suffix, in order. */
static inline probe_list *probe_files(const char *folder, const char *prefix, const char *suffix)
{
    probe_list *l = calloc(1, sizeof *l);
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        const size_t n = strlen(e->d_name), k = strlen(suffix);
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || n < k ||
            strcmp(e->d_name + n - k, suffix) != 0)
            continue;
        assert_true(l->n < 512);
        snprintf(l->paths[l->n++], sizeof l->paths[0], "%s/%s", folder, e->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    qsort(l->paths, (size_t)l->n, sizeof l->paths[0], probe_compare);
    return l;
}

static inline long probe_bytes(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 ? (long)s.st_size : -1;
}

#endif
