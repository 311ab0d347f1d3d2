/* status.c: the words of an error, made in fixed buffers. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *vg_status_name(vg_status status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return #name;
        VG_STATUS_LIST(X)
#undef X
    }
    return "VG_ERR_?";
}

const char *vg_status_text(vg_status status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return text;
        VG_STATUS_LIST(X)
#undef X
    }
    return "a status that this version does not know";
}

/* Fills a copy first: where, mend and the arguments of what may lie in *err itself. */
static void fill(vg_error *err, vg_status status, const char *where, const char *mend,
                 const char *tail, const char *what, va_list args)
{
    vg_error made = {.status = status};
    int n = vsnprintf(made.what, sizeof made.what, what, args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (tail && used < sizeof made.what)
        snprintf(made.what + used, sizeof made.what - used, ": %s", tail);
    snprintf(made.where, sizeof made.where, "%s", where ? where : "");
    snprintf(made.mend, sizeof made.mend, "%s", mend ? mend : "");
    *err = made;
}

vg_status base_fail(vg_error *err, vg_status status, const char *where, const char *mend,
                    const char *what, ...)
{
    if (!err)
        return status;
    int kept = errno;
    va_list args;
    va_start(args, what);
    fill(err, status, where, mend, NULL, what, args);
    va_end(args);
    errno = kept;
    return status;
}

vg_status base_fail_errno(vg_error *err, vg_status status, const char *where, const char *mend,
                          const char *what, ...)
{
    if (!err)
        return status;
    int kept = errno;
    char buf[128];
    const char *reason = strerror_r(kept, buf, sizeof buf);
    va_list args;
    va_start(args, what);
    fill(err, status, where, mend, reason, what, args);
    va_end(args);
    errno = kept;
    return status;
}

base_text base_text_make(const char *format, ...)
{
    base_text t = {{0}};
    int kept = errno;
    va_list args;
    va_start(args, format);
    vsnprintf(t.text, sizeof t.text, format, args);
    va_end(args);
    errno = kept;
    return t;
}

void base_error_prefix_where(vg_error *err, const char *prefix)
{
    if (!err)
        return;
    base_text old = base_text_make("%s", err->where);
    snprintf(err->where, sizeof err->where, old.text[0] ? "%s: %s" : "%s%s", prefix, old.text);
}
