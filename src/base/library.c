/* library.c: dlopen and dlsym with errors for people. */
#define BASE_IMPLEMENTATION
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "status.h"

vg_status base_library_open(void **out, const char *soname, const char *purpose, const char *mend,
                            vg_error *err)
{
    *out = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (*out != NULL)
        return VG_OK;
    const char *why = dlerror();
    /* The loader keeps no errno: that it met a limit is in its words. */
    if (strstr(why, "failed to map") != NULL || strstr(why, strerror(ENOMEM)) != NULL)
        mend = "raise the limit of memory (ulimit -v), or close other programs";
    else if (strstr(why, strerror(EMFILE)) != NULL)
        mend = "raise the limit of open files (ulimit -n)";
    return base_fail(err, VG_ERR_UNSUPPORTED, soname, mend, "%s, which does not load: %s", purpose,
                     why);
}

/* ISO C has no cast from data to function; copying is what POSIX means. */
vg_status base_library_find(void *target, void *library, const char *symbol, vg_error *err)
{
    void *address = dlsym(library, symbol);
    if (address == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, symbol,
                         "install the distribution's own version of the library again",
                         "the library has no function %s", symbol);
    _Static_assert(sizeof(address) == sizeof(void (*)(void)), "POSIX");
    memcpy(target, &address, sizeof(address));
    return VG_OK;
}

void base_library_close(void **library)
{
    if (*library != NULL)
        dlclose(*library);
    *library = NULL;
}
