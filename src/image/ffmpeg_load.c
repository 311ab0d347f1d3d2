/* ffmpeg_load.c: dlopen by the soname that the headers say, dlsym by the list. */
#include "ffmpeg_load.h"

#include <dlfcn.h>
#include <string.h>

#define STRING(x)            #x
#define SONAME(name, major)  "lib" name ".so." STRING(major)
#define PACKAGE(name, major) "lib" name STRING(major)

static vg_status open_library(void **out, const char *soname, const char *package, vg_error *err)
{
    *out = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (*out == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, soname,
                         base_mend("install %s, or convert the picture to JPEG", package),
                         "pictures other than JPEG need FFmpeg, which does not load: %s",
                         dlerror());
    return VG_OK;
}

/* target: a pointer to the function pointer. ISO C has no cast from data to function; copying is
 * what POSIX means. */
static vg_status find(void *target, void *library, const char *symbol, vg_error *err)
{
    void *address = dlsym(library, symbol);
    if (address == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, symbol,
                         base_mend("install the FFmpeg of the distribution again"),
                         "FFmpeg has no function %s", symbol);
    _Static_assert(sizeof(address) == sizeof(void (*)(void)), "POSIX");
    memcpy(target, &address, sizeof(address));
    return VG_OK;
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
        st = find(&f.name, f.avcodec, #name, err);
    IMAGE_AVCODEC_LIST(X)
#undef X
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = find(&f.name, f.avutil, #name, err);
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
    if (f->avcodec != NULL)
        dlclose(f->avcodec);
    if (f->avutil != NULL)
        dlclose(f->avutil);
    *f = (image_ffmpeg){0};
}
