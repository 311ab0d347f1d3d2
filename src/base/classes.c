/* classes.c: classes by their names. */
#include "base.h"
#include "option.h"

typedef struct naming {
    const char *(*name)(const void *context, int class_index);
    const void *context;
} naming;

static const char *name_at(const void *context, size_t i)
{
    const naming *n = context;
    return n->name(n->context, (int)i);
}

/* As it is written, else in any case when only one is meant; -1: none. */
static int find(const naming *n, int nc, const char *word)
{
    int found = -1;
    for (int i = 0; i < nc; i++)
        if (strcmp(name_at(n, (size_t)i), word) == 0)
            return i;
    for (int i = 0; i < nc; i++)
        if (base_equal_nocase(name_at(n, (size_t)i), word)) {
            if (found >= 0)
                return -1;
            found = i;
        }
    return found;
}

vg_status base_classes_choose(uint8_t *wanted, int nc, const char *names,
                              const char *(*name)(const void *context, int class_index),
                              const void *context, const char *where, vg_error *err)
{
    const naming n = {name, context};
    while (*names != '\0') {
        char word[VG_OPTION_TEXT_BYTES];
        const size_t length = strcspn(names, ",");
        base_format(word, sizeof word, "%.*s", (int)length, names);
        const int found = find(&n, nc, word);
        if (found < 0) {
            const char *nearest = vg_name_nearest(word, name_at, &n, (size_t)nc);
            return base_fail(err, VG_ERR_ARGUMENT, where,
                             nearest != NULL
                                 ? nearest
                                 : base_mend("use a number from 0 to %d; the first class is %.60s",
                                             nc - 1, name(context, 0)),
                             "no class is named %.100s", word);
        }
        wanted[found] = 1;
        names += length + (names[length] == ',');
    }
    return VG_OK;
}
