/* fuzz_streams.c: any bytes as a .streams list, as a list of files, and as the `sources` of a
 * configuration: channels whose names are unlike each other and show no password, or an error that
 * says where. Read once more, all of them are the same. The file system that is looked at is a
 * small folder: what could lead a pattern out of it is left out. */
#include <assert.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/in/sources.h"

static char folder[256];
static int home_fd, folder_fd; /* libFuzzer opens files of its own between inputs */

static void write_file(const char *name, const char *head, const uint8_t *data, size_t size,
                       const char *tail)
{
    FILE *f = fopen(name, "wb");
    assert(f != NULL);
    fputs(head, f);
    assert(size == 0 || fwrite(data, 1, size, f) == size);
    fputs(tail, f);
    assert(fclose(f) == 0);
}

static void leave(void)
{
    static const char *const files[] = {"a.mp4",     "b.png",  "s/c.mkv", "list.txt",
                                        "l.streams", "c.yaml", "s",       "another.streams"};
    if (fchdir(folder_fd) != 0)
        return;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(files[i]);
    rmdir(folder);
}

static void enter(void)
{
    const char *above = getenv("TMPDIR");
    base_format(folder, sizeof folder, "%s/fuzz-streams-XXXXXX", above != NULL ? above : "/tmp");
    home_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(home_fd >= 0 && mkdtemp(folder) != NULL && chdir(folder) == 0);
    folder_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(folder_fd >= 0 && mkdir("s", 0700) == 0);
    write_file("a.mp4", "", NULL, 0, "");
    write_file("b.png", "", NULL, 0, "");
    write_file("s/c.mkv", "", NULL, 0, "");
    write_file("another.streams", "0\n", NULL, 0, "");
    atexit(leave);
    clearenv();
    setenv("PASSWORD", "hunter2", 1);
}

/* A pattern that begins elsewhere would walk through the whole machine. */
static bool stays_here(const uint8_t *data, size_t size)
{
    bool has_pattern = false, leads_away = false;
    for (size_t i = 0; i < size; i++) {
        has_pattern |= data[i] == '*' || data[i] == '?' || data[i] == '[' || data[i] == '\\';
        leads_away |= data[i] == '/' && (i == 0 || data[i - 1] < '.');
        leads_away |= data[i] == '.' && i > 0 && data[i - 1] == '.';
        leads_away |= data[i] == '\\' || data[i] == '$';
    }
    return !has_pattern || !leads_away;
}

static void check_source(const stream_source *s)
{
    assert(s->n_texts > 0 && s->kind != VIDEO_NONE);
    for (size_t i = 0; i < s->n_texts; i++)
        assert(s->texts[i][0] != '\0');
    assert(s->video.format != NULL && s->video.size != NULL && s->video.rate != NULL);
    assert(s->name[0] != '\0' && strlen(s->name) < sizeof s->name && s->n_name < sizeof s->name);
    assert(s->stem[0] != '\0' && strlen(s->stem) < sizeof s->stem && s->n_stem < sizeof s->stem);
    assert(s->stem[0] != '.' && strchr(s->stem, '/') == NULL);
    for (const char *c = s->stem; *c != '\0'; c++)
        assert((unsigned char)*c > ' ' && *c != 0x7f);
}

static void check_all(stream_sources *s, const stream_options *o, base_mem *mem)
{
    stream_sources again;
    const stream_source *running[STREAM_MOST_CHANNELS];
    int place[STREAM_MOST_CHANNELS];
    assert(s->n > 0 && s->n <= STREAM_MOST_CHANNELS);
    for (size_t i = 0; i < s->n; i++) {
        check_source(&s->items[i]);
        assert(stream_source_is_same(&s->items[i], &s->items[i]));
        running[i] = &s->items[i];
        for (size_t k = 0; k < i; k++)
            assert(strcmp(s->items[i].name, s->items[k].name) != 0 &&
                   strcmp(s->items[i].stem, s->items[k].stem) != 0);
    }
    assert(stream_sources_open(&again, o, mem, NULL) == VG_OK && again.n == s->n);
    stream_sources_keep_names(&again, running, s->n, place);
    for (size_t i = 0; i < s->n; i++)
        assert(place[i] == (int)i && strcmp(again.items[i].name, s->items[i].name) == 0 &&
               strcmp(again.items[i].stem, s->items[i].stem) == 0);
    stream_sources_close(&again);
}

/* last: what the last text must be; NULL: it is unknown. */
static void read_as(const char *source, const char *config, const char *last)
{
    static stream_options o;
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    stream_sources s;
    stream_options_default(&o);
    base_format(o.source, sizeof o.source, "%s", source);
    base_format(o.config, sizeof o.config, "%s", config);
    const vg_status st = stream_sources_open(&s, &o, &mem, &err);
    assert((st == VG_OK) == (s.n > 0));
    assert(st == VG_OK || (err.status == st && err.what[0] != '\0' && err.where[0] != '\0'));
    if (st == VG_OK) {
        const stream_source *end = &s.items[s.n - 1];
        assert(last == NULL || (strcmp(end->texts[end->n_texts - 1], last) == 0 &&
                                base_starts_with(end->name, "rtsp://last/1")));
        check_all(&s, &o, &mem);
    }
    stream_sources_close(&s);
    assert(mem.in_use_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder[0] == '\0')
        enter();
    if (!stays_here(data, size))
        return 0;
    assert(fchdir(folder_fd) == 0);
    write_file("l.streams", "", data, size, "\nrtsp://u:SECRET@last/1\n");
    read_as("l.streams", "", "rtsp://u:SECRET@last/1");
    write_file("list.txt", "a.mp4\n", data, size, "");
    read_as("list.txt", "", NULL);
    write_file("c.yaml", "sources:\n", data, size, "");
    read_as("", "c.yaml", NULL);
    assert(fchdir(home_fd) == 0);
    return 0;
}
