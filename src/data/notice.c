/* notice.c: a dataset that is not what its owner thinks is seldom an error by itself: pictures
 * without labels are background, lists may name too much. So it is said, with the place where
 * labels were looked for, and the user judges. */
#include "notice.h"

#include "kind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

VG_PRINTF(2, 3) static void add(notices *out, const char *format, ...)
{
    va_list args;
    if (out->n == NOTICE_MOST)
        return;
    va_start(args, format);
    vsnprintf(out->text[out->n++], NOTICE_BYTES, format, args);
    va_end(args);
}

/* The first picture of the list in this state; list->n: none. */
static size_t find_first(const label_table *t, label_state state)
{
    for (size_t i = 0; i < t->n_entries; i++)
        if (t->entries[i].state == state)
            return i;
    return t->n_entries;
}

/* "a.txt, which is not there", and what is beside the picture instead. */
static void describe_place(char *out, size_t n, const char *picture)
{
    char label[DATA_PATH_BYTES], beside[DATA_PATH_BYTES];
    if (!data_label_path(label, sizeof label, picture)) {
        base_format(out, n, "a path that is too long");
        return;
    }
    const size_t stem = strlen(picture) - strlen(base_path_suffix(picture));
    const bool is_beside = base_format(beside, sizeof beside, "%.*s.txt", (int)stem, picture) &&
                           strcmp(beside, label) != 0 && base_path_exists(beside);
    base_format(out, n, "%.700s%s%.700s", label, is_beside ? "; but there is " : "",
                is_beside ? beside : "");
}

static void tell_labels(notices *out, const data_list *list, const label_table *t,
                        const char *split)
{
    const data_report *r = &t->report;
    const size_t used = (size_t)(r->n_found + r->n_missing + r->n_empty);
    char place[1600] = "", count[64];
    const size_t missing = find_first(t, LABEL_MISSING);
    if (missing < t->n_entries)
        describe_place(place, sizeof place, list->paths[missing]);
    if (r->n_found == 0 && r->n_missing == used && used > 0)
        add(out,
            "NO LABELS: the %s split has %s and not one label file; the first was looked for at %s",
            split, base_count(count, sizeof count, used, "picture"), place);
    else if (r->n_found == 0 && used > 0)
        add(out,
            "NO LABELS: the %s split has %s: %zu with an empty label file, %zu without one%s%s",
            split, base_count(count, sizeof count, used, "picture"), (size_t)r->n_empty,
            (size_t)r->n_missing, place[0] ? "; the first was looked for at " : "", place);
    else if (2 * r->n_missing > used)
        add(out,
            "few labels: %zu of the %zu pictures of the %s split have no label file and count as "
            "pictures without objects; the first was looked for at %s",
            (size_t)r->n_missing, used, split, place);
}

void notices_of_table(notices *out, const data_list *list, const label_table *t,
                      const data_kind *kind, data_split split)
{
    const data_report *r = &t->report;
    const char *name = data_split_name(split);
    if (!kind->is_folders)
        tell_labels(out, list, t, name);
    if (r->n_absent > 0)
        add(out, "%zu of the %zu pictures that the %s split names %s not there; the first is %s",
            (size_t)r->n_absent, list->n, name, r->n_absent == 1 ? "is" : "are",
            list->paths[find_first(t, LABEL_ABSENT)]);
    if (list->n_others > 0)
        add(out, "%zu line%s of the %s split's list name%s no picture; the first is %s",
            list->n_others, list->n_others == 1 ? "" : "s", name, list->n_others == 1 ? "s" : "",
            list->other.text);
    char count[64];
    if (list->n_unread > 0)
        add(out, "%s of the %s split left out, of kinds that vigil does not read; the first is %s",
            base_count(count, sizeof count, list->n_unread, "picture"), name, list->unread.text);
    if (list->n_classless > 0)
        add(out, "%s of the %s split left out, in no folder of a class; the first is %s",
            base_count(count, sizeof count, list->n_classless, "picture"), name,
            list->classless.text);
    if (list->outside.text[0])
        add(out, "%s split: %s", name, list->outside.text);
    if (r->n_mixed > 0)
        add(out,
            "boxes among polygons: rows of 5 columns are read as %s, in %zu file%s of the %s "
            "split; the first is at %s",
            kind->n_outline > 0 ? "outlines of two points" : "boxes", (size_t)r->n_mixed,
            r->n_mixed == 1 ? "" : "s", name, r->mixed_where);
}

void notices_of_keypoints(notices *out, bool has_flip_idx, data_split split)
{
    if (split == DATA_TRAIN && !has_flip_idx)
        add(out,
            "no flip_idx in the dataset's file says which keypoints change places in a mirror: "
            "pictures are not mirrored left to right (fliplr counts as 0)");
}

void notices_of_classes(notices *out, size_t n_before, size_t n_after, data_split split)
{
    char count[64];
    if (n_before > 0 && n_after == 0)
        add(out, "NO LABELS: the %s split has %s, and none is of the classes chosen",
            data_split_name(split), base_count(count, sizeof count, n_before, "object"));
}
