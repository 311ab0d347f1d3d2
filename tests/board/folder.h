/* folder.h: a folder of runs, made by hand. */
#ifndef TESTS_BOARD_FOLDER_H
#define TESTS_BOARD_FOLDER_H

#include "net/programs.h"
#include "support/ok.h"

#include "base/base.h"

static const char HEADER[] =
    "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),"
    "metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,val/cls_loss,"
    "val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n";

static base_mem mem = {.tag = "test"};

static inline void make_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder(name));
    *strrchr(path, '/') = '\0';
    OK(base_make_dirs(path, err));
    /* A new file each time, as training's are; not brought to the disk: there may be thousands. */
    char fresh[520];
    snprintf(fresh, sizeof fresh, "%s/.new", path);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(rename(fresh, in_folder(name)), 0);
}

/* map: of each epoch. */
static inline void make_train(const char *name, const double *map, int n, const char *arguments)
{
    static char text[1 << 16];
    char file[200];
    size_t k = (size_t)snprintf(text, sizeof text, "%s", HEADER);
    for (int i = 0; i < n; i++)
        k += (size_t)snprintf(text + k, sizeof text - k,
                              "%d,%d,%g,2,3,0.5,0.25,%g,%g,4,5,6,0.01,0.02,0.03\n", i + 1,
                              10 * (i + 1), 1.0 / (i + 1), map[i] + 0.1, map[i]);
    snprintf(file, sizeof file, "%s/results.csv", name);
    make_file(file, text);
    snprintf(file, sizeof file, "%s/args.yaml", name);
    make_file(file, arguments);
}

#endif
