/* yolo.c: options of YOLO's own commands that the ones here have no use for, a row each. */
#include <stddef.h>

#include "vigil/option.h"

typedef struct yolo_row {
    unsigned at; /* VG_AT_PREDICT and so on: where it has no use */
    vg_option o; /* its preset asks for nothing; a BOOL may stand without a value */
} yolo_row;

#define P   VG_AT_PREDICT
#define V   VG_AT_VAL
#define T   VG_AT_TRAIN
#define E   VG_AT_EXPORT
#define ALL (P | V | T | E)

#define IDLE(at_, name_, kind_, preset_, why_)                                                     \
    {                                                                                              \
        at_,                                                                                       \
        {                                                                                          \
            .name = name_, .kind = VG_OPTION_##kind_, .preset = preset_, .stands = VG_OPTION_IDLE, \
            .why = why_                                                                            \
        }                                                                                          \
    }
#define REFUSED(at_, name_, kind_, preset_, why_, instead_)                                        \
    {                                                                                              \
        at_,                                                                                       \
        {                                                                                          \
            .name = name_, .kind = VG_OPTION_##kind_, .preset = preset_,                           \
            .stands = VG_OPTION_REFUSED, .why = why_, .instead = instead_                          \
        }                                                                                          \
    }

#define FLOAT32 "a CPU computes in float32"
#define SEGMENT "it belongs to the training of masks"
#define SORTING "it belongs to the training of classifiers"
#define POSING  "it belongs to the training of keypoints"
#define TURNED  "turned boxes are learnt by their overlap alone"
#define DEPTH   "it is for depth models, and vigil detects objects"
#define EXPORT  "it belongs to vigil export"
#define OTHER   "it is for formats that vigil does not write"
#define SAVING  "a validation writes plots and, where asked, what it found"
#define FILE_   "nothing is computed, a file is written"
#define VIDEO   "it is for videos"
#define OUT     "leave it out"
#define LEARNS  "it belongs to training"
#define RENAMED "it has another name here"

/* clang-format off: a row a line or two reads as the table that it is */
static const yolo_row table[] = {
    /* how it computes */
    IDLE(P | V, "amp", BOOL, "false", FLOAT32),
    IDLE(E, "amp", BOOL, "false", FILE_),
    IDLE(P | V | T, "int8", BOOL, "false", FLOAT32),
    REFUSED(E, "int8", BOOL, "false", "weights are written in 32 or 16 bits",
            "--half; or the tool that runs the ONNX file makes 8 bits of it"),
    IDLE(P | V, "quantize", TEXT, "", FLOAT32),
    REFUSED(T, "quantize", TEXT, "", "weights are trained in float32, whatever they become later",
            OUT "; vigil export --half"),
    IDLE(ALL, "dnn", BOOL, "false",
         "it makes OpenCV run ONNX files, and vigil runs weights itself"),
    IDLE(ALL, "compile", BOOL, "false", "the kernels are compiled already"),
    IDLE(ALL, "channels_last", BOOL, "false", "memory has that order anyway"),
    IDLE(ALL, "profile", BOOL, "false", "it times ONNX and TensorRT, which vigil does not use"),
    IDLE(P | V, "deterministic", BOOL, "true",
         "the same weights and pictures give the same boxes anyway"),
    IDLE(P | V, "seed", TEXT, "0", "nothing in it is random"),
    IDLE(P, "workers", TEXT, "8", "one thread reads and decodes, beside the network"),
    IDLE(E, "workers", TEXT, "8", FILE_),
    IDLE(E, "device", TEXT, "", FILE_),
    IDLE(P, "stream", BOOL, "false", "results are always passed on one by one"),
    IDLE(P, "rect", BOOL, "true", "the network's input has the shape of the picture anyway"),
    IDLE(E, "rect", BOOL, "false", FILE_),
    IDLE(T, "augment", BOOL, "false",
         "training augments anyway, as hsv_h, fliplr, mosaic and others say"),
    REFUSED(P | V, "visualize", BOOL, "false", "feature maps are not drawn",
            OUT "; vigil info FILE lists the layers"),
    REFUSED(T | E, "visualize", BOOL, "false", "feature maps are not drawn", OUT),
    REFUSED(ALL, "embed", TEXT, "", "feature vectors are not available", OUT),
    REFUSED(P | V, "nms", BOOL, "false", "nms=True builds suppression into an exported model",
            OUT ": overlapping boxes are always suppressed, by --iou and --agnostic-nms"),
    REFUSED(T, "nms", BOOL, "false", "it belongs to vigil export", "vigil export --nms"),

    /* what is drawn, written and shown */
    IDLE(P, "verbose", BOOL, "true", "each picture, and each frame of a file, has its line anyway"),
    IDLE(V | T | E, "verbose", BOOL, "true", "it does not change what is printed"),
    IDLE(P, "plots", BOOL, "true", "plots are made by training and validation"),
    IDLE(E, "plots", BOOL, "true", FILE_),
    IDLE(P, "vid_stride", TEXT, "1", "every picture is read; of videos it takes each N-th frame"),
    IDLE(V | E, "vid_stride", TEXT, "1", VIDEO),
    IDLE(P, "tracker", TEXT, "botsort.yaml", "pictures have no tracks"),
    IDLE(V | T | E, "tracker", TEXT, "botsort.yaml", VIDEO),
    IDLE(P, "stream_buffer", BOOL, "false", "every picture is read"),
    IDLE(V | T | E, "stream_buffer", BOOL, "false", VIDEO),
    REFUSED(P, "save_frames", BOOL, "false", "frames of a video are not written as pictures",
            "--save, which writes the video, then ffmpeg -i VIDEO frame%05d.jpg"),
    IDLE(V | T | E, "save_frames", BOOL, "false", VIDEO),
    IDLE(V | T, "show_labels", BOOL, "true", "plots have one look"),
    IDLE(V | T, "show_conf", BOOL, "true", "plots have one look"),
    IDLE(V | T, "show_boxes", BOOL, "true", "plots have one look"),
    IDLE(V | T, "line_width", TEXT, "", "plots have one look"),
    REFUSED(V | T, "show", BOOL, "false", "a window is for videos and cameras",
            "vigil predict --show"),
    IDLE(V, "save", BOOL, "true", SAVING),
    REFUSED(T, "save_txt", BOOL, "false", SAVING, "vigil val --save-txt"),
    REFUSED(T, "save_conf", BOOL, "false", SAVING, "vigil val --save-txt --save-conf"),
    REFUSED(V | T, "save_crop", BOOL, "false", SAVING, "vigil predict --save-crop"),
    REFUSED(ALL, "save_hybrid", BOOL, "false", "labels and boxes are not mixed",
            OUT "; vigil predict --save-txt"),

    /* what is detected and trained */
    IDLE(P | V | E, "pretrained", BOOL, "true", "the weights are those that are given"),
    REFUSED(P, "single_cls", BOOL, "false", "it belongs to training and validation",
            "--agnostic-nms, or weights that were trained with --single-cls"),
    REFUSED(V, "classes", TEXT, "", "a validation is over all classes",
            OUT ": the table has a row for each class"),
    REFUSED(T, "cutmix", TEXT, "0", "parts of pictures are not pasted into others",
            "--mixup P, which blends two"),
    IDLE(ALL, "cls_remap", BOOL, "true", "weights are taken over by matching names and shapes"),
    REFUSED(T, "distill_model", TEXT, "", "there is no teacher in training",
            OUT ", or train the larger model"),
    IDLE(ALL, "dis", TEXT, "6", "it weighs distillation, which there is none of"),
    REFUSED(T, "cls_pw", TEXT, "0", "classes are not weighed by how rare they are",
            OUT ", or list pictures of rare classes several times in the dataset's .txt"),
    IDLE(P | V | E, "distill_model", TEXT, "", LEARNS),
    IDLE(P | V | E, "cutmix", TEXT, "0", LEARNS),
    IDLE(P | V | E, "cls_pw", TEXT, "0", LEARNS),
    IDLE(E, "augment", BOOL, "false", FILE_),
    IDLE(V | T | E, "retina_masks", BOOL, "false", "it is of prediction"),
    IDLE(P | V | E, "overlap_mask", BOOL, "true", SEGMENT),
    IDLE(P | V | E, "mask_ratio", TEXT, "4", SEGMENT),
    IDLE(P | V | E, "copy_paste_mode", TEXT, "flip", SEGMENT),
    IDLE(P | V | E, "pose", TEXT, "12", POSING),
    IDLE(P | V | E, "kobj", TEXT, "1", POSING),
    IDLE(ALL, "rle", TEXT, "1", "the keypoint loss has no such part"),
    IDLE(ALL, "angle", TEXT, "1", TURNED),
    IDLE(ALL, "dlog", TEXT, "1", DEPTH),
    IDLE(ALL, "dgrad", TEXT, "0.5", DEPTH),
    IDLE(ALL, "dlam", TEXT, "1", DEPTH),
    IDLE(P | V | E, "dropout", TEXT, "0", SORTING),
    REFUSED(T, "dropout", TEXT, "0", "no layer of a classifier leaves numbers out", OUT),
    IDLE(P | V | E, "erasing", TEXT, "0.4", SORTING),
    IDLE(ALL, "crop_fraction", TEXT, "1", "a classifier sees the whole middle of a picture"),
    IDLE(P | V | E, "auto_augment", TEXT, "randaugment", SORTING),

    /* of export */
    IDLE(P | V | T, "format", TEXT, "torchscript", EXPORT),
    IDLE(P | V | T, "keras", BOOL, "false", EXPORT),
    IDLE(P | V | T, "optimize", BOOL, "false", EXPORT),
    IDLE(P | V | T, "dynamic", BOOL, "false", EXPORT),
    IDLE(P | V | T, "simplify", BOOL, "true", EXPORT),
    IDLE(P | V | T, "opset", TEXT, "", EXPORT),
    IDLE(P | V | T, "workspace", TEXT, "4", EXPORT),
    IDLE(E, "keras", BOOL, "false", OTHER),
    IDLE(E, "optimize", BOOL, "false", OTHER),
    IDLE(E, "simplify", BOOL, "false", "the graph is written without anything to take out"),
    IDLE(E, "workspace", TEXT, "4", OTHER),

    /* names of older versions */
    REFUSED(P | V | T, "img", TEXT, "", RENAMED, "--imgsz"),
    REFUSED(P | V | T, "nosave", BOOL, "false", RENAMED, "--no-save"),
    REFUSED(V | T, "noplots", BOOL, "false", RENAMED, "--no-plots"),
    REFUSED(T, "noval", BOOL, "false", RENAMED, "--no-val"),
    REFUSED(P, "view_img", BOOL, "false", RENAMED, "--show"),
    REFUSED(T, "hyp", TEXT, "", "there is no file of hyperparameters",
            "its values one by one: lr0=0.01 momentum=0.937"),
    REFUSED(T, "evolve", TEXT, "", "hyperparameters are not searched",
            "vigil train in a loop over lr0=... and others"),
};
/* clang-format on */

const vg_option *vg_option_of_yolo(const char *name, unsigned at)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((table[i].at & at) != 0 && vg_name_equal(table[i].o.name, name))
            return &table[i].o;
    return NULL;
}
