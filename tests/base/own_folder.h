/* own_folder.h: the one folder of a test program: setup and teardown of its group, and small files
 * in it. */
#ifndef TESTS_BASE_OWN_FOLDER_H
#define TESTS_BASE_OWN_FOLDER_H

#include "base/base.h"
#include "base/folder.h"
#include "support/test.h"

static char folder[256];

static inline int own_folder_setup(void **state)
{
    (void)state;
    return folder_make(folder, sizeof folder);
}

static inline int own_folder_teardown(void **state)
{
    (void)state;
    return folder_remove(folder);
}

/* folder/dir/name holds the text. */
static inline void own_folder_put(const char *dir, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, dir);
    assert_int_equal(base_make_dirs(path, NULL), VG_OK);
    snprintf(path, sizeof path, "%s/%s/%s", folder, dir, name);
    assert_int_equal(base_file_replace(path, text, strlen(text), NULL), VG_OK);
}

#endif
