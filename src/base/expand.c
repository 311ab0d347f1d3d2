/* expand.c: ${NAME} in a text: of the environment, or the first line of a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "option.h"

/* The first line of a file, such as a secret that Kubernetes or systemd put there. */
static vg_status first_line(char *out, size_t n, const char *path, vg_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && length + 1 < n) {
        got = read(fd, out + length, n - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    const int why = errno;
    char more;
    const bool fits = got <= 0 || memchr(out, '\n', length) != NULL || read(fd, &more, 1) == 0;
    if (fd >= 0)
        close(fd);
    errno = why;
    out[length] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (got < 0)
        return base_fail_errno(err, VG_ERR_IO, path, "check the file and its permissions",
                               "${file:...} cannot be read");
    if (!fits)
        return base_fail(err, VG_ERR_ARGUMENT, path, "put the value alone into its first line",
                         "a first line of more than %zu characters", n - 1);
    return VG_OK;
}

/* What stands between ${ and }: appended to out, which holds *length. */
static vg_status expand_one(char *out, size_t n, size_t *length, const char *what, vg_error *err)
{
    const bool is_file = base_starts_with(what, "file:");
    if (is_file) {
        const vg_status st = first_line(out + *length, n - *length, what + 5, err);
        *length += st == VG_OK ? strlen(out + *length) : 0;
        return st;
    }
    const char *value = getenv(what);
    if (value == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("${%.100s}", what),
                         "export it, or write $${ for a real ${", "the environment has no %.100s",
                         what);
    if (strlen(value) >= n - *length)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("${%.100s}", what), "use a shorter value",
                         "a value that does not fit into %zu characters", n - 1);
    memcpy(out + *length, value, strlen(value) + 1);
    *length += strlen(value);
    return VG_OK;
}

vg_status base_text_expand(char *out, size_t n, const char *text, vg_error *err)
{
    size_t length = 0;
    while (*text != '\0') {
        char name[512];
        if (base_starts_with(text, "${")) {
            const size_t k = strcspn(text + 2, "}");
            if (text[2 + k] == '\0' || k == 0 || k >= sizeof name)
                return base_fail(err, VG_ERR_ARGUMENT, NULL,
                                 "write ${NAME} or ${file:PATH}, or $${ for a real ${",
                                 "a ${ without its name and }");
            memcpy(name, text + 2, k);
            name[k] = '\0';
            const vg_status st = expand_one(out, n, &length, name, err);
            if (st != VG_OK)
                return st;
            text += k + 3;
            continue;
        }
        text += base_starts_with(text, "$${"); /* the next two are themselves */
        const size_t k = base_starts_with(text, "${") ? 2 : 1;
        if (length + k >= n)
            return base_fail(err, VG_ERR_ARGUMENT, NULL, base_mend("use at most %zu", n - 1),
                             "more than %zu characters", n - 1);
        memcpy(out + length, text, k);
        length += k;
        text += k;
    }
    out[length] = '\0';
    return VG_OK;
}
