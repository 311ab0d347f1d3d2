/* status.c: the words of an error, made in fixed buffers. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "safe.h"
#include "text.h"

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

/* Room for more than a field holds, so that a field is cut between characters and not where this
 * one ended: what is made fit for a line is never shorter than it was. */
enum { ROOM_BYTES = 2 * VG_WHAT_BYTES };

/* Fills a copy first: where, mend and the arguments of what may lie in *err itself. Words of others
 * (names of files, labels, what a server said) are made fit for a line here, where all messages
 * come by, so that no message can forget it. */
static void fill(vg_error *err, vg_status status, const char *where, const char *mend,
                 const char *tail, const char *what, va_list args)
{
    vg_error made = {.status = status};
    char room[ROOM_BYTES];
    int n = vsnprintf(room, sizeof room, what, args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (tail && used < sizeof room)
        snprintf(room + used, sizeof room - used, ": %s", tail);
    base_line_escape(made.what, sizeof made.what, room);
    base_line_escape(made.where, sizeof made.where, where ? where : "");
    base_line_escape(made.mend, sizeof made.mend, mend ? mend : "");
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

/* Where a limit was met, raising it is the remedy, whatever else was thought of. */
static const char *mend_of_limit(int number, const char *mend)
{
    switch (number) {
    case EMFILE:
        return "raise the limit of open files (ulimit -n)";
    case EFBIG:
        return "raise the limit of a file's size (ulimit -f), or choose another file system";
    case ENFILE:
        return "close other programs: the system has no open file to spare";
    case ENOSPC:
    case EDQUOT:
        return mend != NULL ? mend : "make room on that disk";
    default:
        return mend;
    }
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
    fill(err, status, where, mend_of_limit(kept, mend), reason, what, args);
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
    int n = vsnprintf(t.text, sizeof t.text, format, args);
    va_end(args);
    if (n >= (int)sizeof t.text)
        base_utf8_trim(t.text);
    errno = kept;
    return t;
}

void base_error_prefix_where(vg_error *err, const char *prefix)
{
    if (!err)
        return;
    char room[ROOM_BYTES + VG_WHERE_BYTES];
    snprintf(room, sizeof room, err->where[0] ? "%.*s: %s" : "%.*s%s", ROOM_BYTES, prefix,
             err->where);
    base_line_escape(err->where, sizeof err->where, room);
}
