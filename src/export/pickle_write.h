/* pickle_write.h: values as a Python pickle of protocol 2, what torch.save writes. Internal to
 * export.
 *
 * Opcodes go straight into an entry of the zip: nothing is kept but which classes were named, for
 * their second mention is a number. Source: the opcodes' descriptions in Python's pickletools
 * documentation. */
#ifndef EXPORT_PICKLE_WRITE_H
#define EXPORT_PICKLE_WRITE_H

#include "weights/weights.h"
#include "zip_write.h"

/* Every class that a checkpoint names, whatever its task. */
#define PKL_CLASSES(X)                                                                             \
    X(ORDERED_DICT, "collections", "OrderedDict")                                                  \
    X(SET, "__builtin__", "set")                                                                   \
    X(REBUILD_TENSOR, "torch._utils", "_rebuild_tensor_v2")                                        \
    X(REBUILD_PARAMETER, "torch._utils", "_rebuild_parameter")                                     \
    X(FLOAT_STORAGE, "torch", "FloatStorage")                                                      \
    X(HALF_STORAGE, "torch", "HalfStorage")                                                        \
    X(LONG_STORAGE, "torch", "LongStorage")                                                        \
    X(SEQUENTIAL, "torch.nn.modules.container", "Sequential")                                      \
    X(MODULE_LIST, "torch.nn.modules.container", "ModuleList")                                     \
    X(CONV2D, "torch.nn.modules.conv", "Conv2d")                                                   \
    X(BATCH_NORM, "torch.nn.modules.batchnorm", "BatchNorm2d")                                     \
    X(SILU, "torch.nn.modules.activation", "SiLU")                                                 \
    X(IDENTITY, "torch.nn.modules.linear", "Identity")                                             \
    X(MAX_POOL, "torch.nn.modules.pooling", "MaxPool2d")                                           \
    X(UPSAMPLE, "torch.nn.modules.upsampling", "Upsample")                                         \
    X(CONV, "ultralytics.nn.modules.conv", "Conv")                                                 \
    X(DW_CONV, "ultralytics.nn.modules.conv", "DWConv")                                            \
    X(CONCAT, "ultralytics.nn.modules.conv", "Concat")                                             \
    X(C2F, "ultralytics.nn.modules.block", "C2f")                                                  \
    X(C3, "ultralytics.nn.modules.block", "C3")                                                    \
    X(C3K, "ultralytics.nn.modules.block", "C3k")                                                  \
    X(C3K2, "ultralytics.nn.modules.block", "C3k2")                                                \
    X(BOTTLENECK, "ultralytics.nn.modules.block", "Bottleneck")                                    \
    X(SPPF, "ultralytics.nn.modules.block", "SPPF")                                                \
    X(C2PSA, "ultralytics.nn.modules.block", "C2PSA")                                              \
    X(PSA_BLOCK, "ultralytics.nn.modules.block", "PSABlock")                                       \
    X(ATTENTION, "ultralytics.nn.modules.block", "Attention")                                      \
    X(DFL, "ultralytics.nn.modules.block", "DFL")                                                  \
    X(PROTO, "ultralytics.nn.modules.block", "Proto")                                              \
    X(CONV_TRANSPOSE, "torch.nn.modules.conv", "ConvTranspose2d")                                  \
    X(LINEAR, "torch.nn.modules.linear", "Linear")                                                 \
    X(MEAN_POOL, "torch.nn.modules.pooling", "AdaptiveAvgPool2d")                                  \
    X(DROPOUT, "torch.nn.modules.dropout", "Dropout")                                              \
    X(DETECT, "ultralytics.nn.modules.head", "Detect")                                             \
    X(SEGMENT, "ultralytics.nn.modules.head", "Segment")                                           \
    X(POSE, "ultralytics.nn.modules.head", "Pose")                                                 \
    X(OBB, "ultralytics.nn.modules.head", "OBB")                                                   \
    X(CLASSIFY, "ultralytics.nn.modules.head", "Classify")                                         \
    X(DETECTION_MODEL, "ultralytics.nn.tasks", "DetectionModel")                                   \
    X(SEGMENTATION_MODEL, "ultralytics.nn.tasks", "SegmentationModel")                             \
    X(POSE_MODEL, "ultralytics.nn.tasks", "PoseModel")                                             \
    X(OBB_MODEL, "ultralytics.nn.tasks", "OBBModel")                                               \
    X(CLASSIFICATION_MODEL, "ultralytics.nn.tasks", "ClassificationModel")

typedef enum pkl_class {
#define X(name, module, text) PKL_##name,
    PKL_CLASSES(X)
#undef X
        PKL_N_CLASSES
} pkl_class;

typedef struct pkl_writer {
    zip_writer *zip;
    bool was_named[PKL_N_CLASSES];
} pkl_writer;

/* "ultralytics.nn.modules.conv.Conv" into buf; returns buf. */
const char *pkl_class_name(char *buf, size_t n, pkl_class c);

void pkl_begin(pkl_writer *p);
void pkl_end(pkl_writer *p);

void pkl_put_none(pkl_writer *p);
void pkl_bool(pkl_writer *p, bool value);
void pkl_int(pkl_writer *p, int64_t value);
void pkl_real(pkl_writer *p, double value);
void pkl_text(pkl_writer *p, const char *text);
/* Between begin and end: items, or keys and values in turn. */
void pkl_dict_begin(pkl_writer *p);
void pkl_dict_end(pkl_writer *p);
void pkl_list_begin(pkl_writer *p);
void pkl_list_end(pkl_writer *p);
void pkl_tuple_begin(pkl_writer *p);
void pkl_tuple_end(pkl_writer *p);
void pkl_ints(pkl_writer *p, int n, const int64_t *values); /* a tuple */
void pkl_name_class(pkl_writer *p, pkl_class c);
/* After a class and a tuple: it is called with them. */
void pkl_call(pkl_writer *p);
/* An object of the class, whose state, a dict, follows; then the end. */
void pkl_object_begin(pkl_writer *p, pkl_class c);
void pkl_object_end(pkl_writer *p);
/* Between begin and end as a dict, which it is in all but its class. */
void pkl_ordered_begin(pkl_writer *p);
void pkl_ordered_end(pkl_writer *p);
void pkl_empty_set(pkl_writer *p);

/* A contiguous tensor whose bytes are the entry data/KEY. */
void pkl_tensor(pkl_writer *p, pkl_class storage, size_t key, int n_dims, const int64_t *shape);

/* "key": value, in a dict. */
void pkl_set_none(pkl_writer *p, const char *key);
void pkl_set_bool(pkl_writer *p, const char *key, bool value);
void pkl_set_int(pkl_writer *p, const char *key, int64_t value);
void pkl_set_real(pkl_writer *p, const char *key, double value);
void pkl_set_text(pkl_writer *p, const char *key, const char *text);
void pkl_set_pair(pkl_writer *p, const char *key, int64_t a, int64_t b);

#endif
