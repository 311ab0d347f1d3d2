/* group.c: control groups: the tightest bound on the way from this process's group to the root. */
#include "group.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

bool base_group_text(char *buf, size_t n, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, buf, n - 1);
    close(fd);
    buf[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* The tightest bound of group and its parents. In a container the path may be the host's and not
 * exist: its parents end at the mount's root, which is the container's own group. */
static size_t tightest(const char *mount, const char *group, base_group_bound bound)
{
    char folder[4096];
    if (!base_format(folder, sizeof folder, "%s%s", mount, group))
        return 0;
    size_t least = 0;
    for (;;) {
        size_t n = bound(folder);
        if (n > 0 && (least == 0 || n < least))
            least = n;
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + strlen(mount))
            return least;
        *slash = '\0';
    }
}

static bool has_word(const char *list, size_t n, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= n; i++)
        if ((i == 0 || list[i - 1] == ',') && strncmp(list + i, word, length) == 0 &&
            (i + length == n || list[i + length] == ','))
            return true;
    return false;
}

size_t base_group_least(const char *root, const char *membership, const char *controller,
                        base_group_bound v2, base_group_bound v1)
{
    size_t least = 0;
    for (const char *line = membership; *line;) {
        size_t n = strcspn(line, "\n");
        const char *controllers = memchr(line, ':', n);
        const char *group =
            controllers ? memchr(controllers + 1, ':', n - (size_t)(controllers + 1 - line)) : NULL;
        if (group) {
            controllers++;
            size_t n_controllers = (size_t)(group - controllers);
            char path[2048];
            char mount[2048];
            bool fits =
                base_format(path, sizeof path, "%.*s", (int)(line + n - group - 1), group + 1);
            size_t found = 0;
            if (fits && n_controllers == 0 && base_format(mount, sizeof mount, "%s", root)) {
                found = tightest(mount, path, v2);
            } else if (fits && has_word(controllers, n_controllers, controller)) {
                if (base_format(mount, sizeof mount, "%s/%s", root, controller) &&
                    base_path_is_dir(mount))
                    found = tightest(mount, path, v1);
                else if (base_format(mount, sizeof mount, "%s/%.*s", root, (int)n_controllers,
                                     controllers))
                    found = tightest(mount, path, v1);
            }
            if (found > 0 && (least == 0 || found < least))
                least = found;
        }
        line += n + (line[n] == '\n');
    }
    return least;
}
