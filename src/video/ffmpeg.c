/* ffmpeg.c: opened by the sonames that the headers say, looked up by the lists. */
#include "ffmpeg.h"

#include <pthread.h>

#include "name.h"

#define STRING(x)            #x
#define SONAME(name, major)  "lib" name ".so." STRING(major)
#define PACKAGE(name, major) "lib" name STRING(major)

/* A process has one FFmpeg: its log and its devices are the process's, too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static video_ffmpeg process_table;
static bool is_loaded, has_devices;

static vg_status open_library(void **out, const char *soname, const char *package, vg_error *err)
{
    return base_library_open(out, soname, "video needs FFmpeg", base_mend("install %s", package),
                             err);
}

vg_status video_ffmpeg_load(video_ffmpeg *out, const video_ffmpeg_names *names, vg_error *err)
{
    video_ffmpeg f = {0};
    void *avutil = NULL, *avcodec = NULL, *avformat = NULL, *swscale = NULL;
    vg_status st =
        open_library(&avutil, names->avutil, PACKAGE("avutil", LIBAVUTIL_VERSION_MAJOR), err);
    if (st == VG_OK)
        st = open_library(&avcodec, names->avcodec, PACKAGE("avcodec", LIBAVCODEC_VERSION_MAJOR),
                          err);
    if (st == VG_OK)
        st = open_library(&avformat, names->avformat,
                          PACKAGE("avformat", LIBAVFORMAT_VERSION_MAJOR), err);
    if (st == VG_OK)
        st = open_library(&swscale, names->swscale, PACKAGE("swscale", LIBSWSCALE_VERSION_MAJOR),
                          err);
    void *library = avutil;
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&f.name, library, #name, err);
    VIDEO_AVUTIL_LIST(X)
    library = avcodec;
    VIDEO_AVCODEC_LIST(X)
    library = avformat;
    VIDEO_AVFORMAT_LIST(X)
    library = swscale;
    VIDEO_SWSCALE_LIST(X)
#undef X
    /* Opened to stay (base_library_open), so the handles are not needed to keep them. */
    base_library_close(&avutil);
    base_library_close(&avcodec);
    base_library_close(&avformat);
    base_library_close(&swscale);
    if (st == VG_OK)
        *out = f;
    return st;
}

/* FFmpeg's talk, for those who ask for debug lines. Called by any of its threads. Everything above
 * an error is its chatter; what we set aside by log_level_offset (image/decode_still.c) comes out
 * above, too. */
static void on_log(void *of, int level, const char *format, va_list args)
{
    if (level > AV_LOG_ERROR)
        return;
    char line[512], clean[512];
    int prefix = 1;
    process_table.av_log_format_line2(of, level, format, args, line, sizeof line, &prefix);
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0')
        return;
    video_clean_text(clean, sizeof clean, line);
    base_log(BASE_LOG_DEBUG, "ffmpeg", "%s", clean);
}

vg_status video_ffmpeg_get(const video_ffmpeg **out, vg_error *err)
{
    static const video_ffmpeg_names OURS = {
        .avutil = SONAME("avutil", LIBAVUTIL_VERSION_MAJOR),
        .avcodec = SONAME("avcodec", LIBAVCODEC_VERSION_MAJOR),
        .avformat = SONAME("avformat", LIBAVFORMAT_VERSION_MAJOR),
        .swscale = SONAME("swscale", LIBSWSCALE_VERSION_MAJOR),
    };
    vg_status st = VG_OK;
    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        st = video_ffmpeg_load(&process_table, &OURS, err);
        if (st == VG_OK) {
            process_table.av_log_set_callback(on_log);
            process_table.avformat_network_init();
            is_loaded = true;
        }
    }
    pthread_mutex_unlock(&lock);
    *out = st == VG_OK ? &process_table : NULL;
    return st;
}

vg_status video_ffmpeg_open_devices(vg_error *err)
{
    __typeof__(&avdevice_register_all) register_all;
    void *library = NULL;
    vg_status st = VG_OK;
    pthread_mutex_lock(&lock);
    if (!has_devices) {
        st = base_library_open(
            &library, SONAME("avdevice", LIBAVDEVICE_VERSION_MAJOR),
            "cameras and drawn pictures need FFmpeg's libavdevice",
            base_mend("install %s", PACKAGE("avdevice", LIBAVDEVICE_VERSION_MAJOR)), err);
        if (st == VG_OK)
            st = base_library_find(&register_all, library, "avdevice_register_all", err);
        if (st == VG_OK) {
            register_all();
            has_devices = true;
        }
        base_library_close(&library);
    }
    pthread_mutex_unlock(&lock);
    return st;
}

const char *video_ffmpeg_text(const video_ffmpeg *f, char *buf, size_t n, int code)
{
    f->av_strerror(code, buf, n); /* writes "Error number ... occurred" where it knows none */
    return buf;
}
