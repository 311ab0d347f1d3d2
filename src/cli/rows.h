/* rows.h: options that several commands have: what their rows have in common. A command adds the
 * offset, and a help of its own where the row here has none. Macros, because a table's rows are
 * constants. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "options.h"

#define CLI_ROW_WEIGHTS                                                                            \
    .name = "weights", .alias = "model", .kind = VG_OPTION_STRING, .value = "FILE",                \
    .is_required = true, .help = ".pt (Ultralytics; nothing in it is executed) or .safetensors"
#define CLI_ROW_IMGSZ                                                                              \
    .name = "imgsz", .alias = "img-size", .kind = VG_OPTION_SIZE, .value = "N", .least = 32,       \
    .most = 8192, .zero = "as the weights were trained, else 640"
#define CLI_ROW_CONF                                                                               \
    .name = "conf", .alias = "conf-thres", .kind = VG_OPTION_FLOAT, .value = "P", .least = 0,      \
    .most = 1
#define CLI_ROW_IOU                                                                                \
    .name = "iou", .alias = "iou-thres", .kind = VG_OPTION_FLOAT, .value = "P", .least = 0,        \
    .most = 1,                                                                                     \
    .help = "of two boxes of a class that overlap by more than this, the weaker one goes"
#define CLI_ROW_MAX_DET                                                                            \
    .name = "max-det", .kind = VG_OPTION_INT, .value = "N", .least = 1, .most = 1000,              \
    .help = "most boxes in a picture"
#define CLI_ROW_AGNOSTIC_NMS                                                                       \
    .name = "agnostic-nms", .kind = VG_OPTION_BOOL,                                                \
    .help = "boxes of different classes compete, too"
#define CLI_ROW_CFG                                                                                \
    .name = "cfg", .kind = VG_OPTION_STRING, .value = "FILE",                                      \
    .help = "file of arguments, such as the args.yaml of a training; what is typed wins"
#define CLI_ROW_AUGMENT                                                                            \
    .name = "augment", .kind = VG_OPTION_BOOL,                                                     \
    .help = "test-time augmentation: each picture is seen three times, at scales 1, 0.83 "         \
            "(mirrored) and 0.67, and the boxes of all compete"
#define CLI_ROW_BATCH                                                                              \
    .name = "batch", .alias = "batch-size", .kind = VG_OPTION_INT, .value = "N", .least = 1,       \
    .most = 1024
#define CLI_ROW_THREADS                                                                            \
    .name = "threads", .kind = VG_OPTION_INT, .value = "N", .least = 0, .most = 1024,              \
    .zero = "one for each processor"
#define CLI_ROW_DEVICE                                                                             \
    .name = "device", .kind = VG_OPTION_STRING, .value = "NAME",                                   \
    .help = "where the network computes: auto (a GPU where there is one), cpu, gpu, or a name "    \
            "that vigil devices lists"
#define CLI_TASKS "any|detect|segment|pose|obb|classify"
#define CLI_ROW_TASK                                                                               \
    .name = "task", .kind = VG_OPTION_STRING, .value = "TASK", .choices = CLI_TASKS,               \
    .only = "there is no such task",                                                               \
    .help = "what the weights must be made for; else it is an error: " CLI_TASKS,                  \
    .zero = "whatever they are made for"
#define CLI_ROW_HALF                                                                               \
    .name = "half", .kind = VG_OPTION_BOOL,                                                        \
    .help = "on a GPU: weights and feature maps of 16 bits, in half its memory, and sums of "      \
            "floats; a CPU computes in floats"
/* Where it turns out that the network computes on the CPU. */
#define CLI_HALF_NOTE "note: half=True has no effect here: a CPU computes in float32\n"
#define CLI_ROW_GPU_MEMORY_LIMIT                                                                   \
    .name = "gpu-memory-limit", .kind = VG_OPTION_BYTES, .most = 1e18,                             \
    .help = "refuse to start, with the sum shown, when more of the GPU's memory is planned",       \
    .zero = "none"
#define CLI_ROW_PROJECT                                                                            \
    .name = "project", .kind = VG_OPTION_STRING, .value = "DIR", .help = "folder of runs"
#define CLI_ROW_NAME                                                                               \
    .name = "name", .kind = VG_OPTION_STRING, .value = "NAME",                                     \
    .help = "this run's folder in it; NAME2, NAME3 and so on when it is taken"
#define CLI_ROW_EXIST_OK                                                                           \
    .name = "exist-ok", .kind = VG_OPTION_BOOL, .help = "use the folder even if it is taken"

#endif
