/* ffmpeg_load.c: opened by the soname that the headers say, looked up by the list. */
#include "ffmpeg_load.h"

#define STRING(x)            #x
#define SONAME(name, major)  "lib" name ".so." STRING(major)
#define PACKAGE(name, major) "lib" name STRING(major)

static vg_status open_library(void **out, const char *soname, const char *package, vg_error *err)
{
    return base_library_open(out, soname, "pictures other than JPEG need FFmpeg",
                             base_mend("install %s, or convert the picture to JPEG", package), err);
}

vg_status image_ffmpeg_load(image_ffmpeg *out, const image_ffmpeg_names *names, vg_error *err)
{
    static const image_ffmpeg_names OURS = {.avcodec = SONAME("avcodec", LIBAVCODEC_VERSION_MAJOR),
                                            .avutil = SONAME("avutil", LIBAVUTIL_VERSION_MAJOR)};
    if (out->avcodec != NULL)
        return VG_OK;
    if (names == NULL)
        names = &OURS;
    image_ffmpeg f = {0};
    vg_status st =
        open_library(&f.avutil, names->avutil, PACKAGE("avutil", LIBAVUTIL_VERSION_MAJOR), err);
    if (st == VG_OK)
        st = open_library(&f.avcodec, names->avcodec, PACKAGE("avcodec", LIBAVCODEC_VERSION_MAJOR),
                          err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&f.name, f.avcodec, #name, err);
    IMAGE_AVCODEC_LIST(X)
#undef X
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&f.name, f.avutil, #name, err);
    IMAGE_AVUTIL_LIST(X)
#undef X
    if (st != VG_OK) {
        image_ffmpeg_unload(&f);
        return st;
    }
    *out = f;
    return VG_OK;
}

void image_ffmpeg_unload(image_ffmpeg *f)
{
    base_library_close(&f->avcodec);
    base_library_close(&f->avutil);
    *f = (image_ffmpeg){0};
}
