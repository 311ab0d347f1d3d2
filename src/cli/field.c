/* field.c: the table of options of YOLO's own command line that a command here has no use for. */
#include "field.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

#define P   CLI_AT_PREDICT
#define V   CLI_AT_VAL
#define T   CLI_AT_TRAIN
#define ALL (P | V | T)

#define FLAG  true, false
#define ONOFF true, true /* a flag that is on by itself */
#define VALUE false, false

#define FLOAT32 "a CPU computes in float32"
#define SEGMENT "it is for segmentation, and vigil detects objects"
#define SORTING "it is for classification, and vigil detects objects"
#define EXPORT  "it belongs to vigil export"
#define SAVING  "a validation writes plots and, with --save-json, its boxes"
#define OUT     "leave it out"

/* clang-format off: a row a line or two reads as the table that it is */
static const cli_field_option table[] = {
    /* how it computes */
    {"half", P | V, FLAG, NULL, FLOAT32, NULL},
    {"amp", P | V, FLAG, NULL, FLOAT32, NULL},
    {"int8", ALL, FLAG, NULL, FLOAT32, NULL},
    {"dnn", ALL, FLAG, NULL, "it makes OpenCV run ONNX files, and vigil runs weights itself", NULL},
    {"compile", ALL, FLAG, NULL, "the kernels are compiled already", NULL},
    {"profile", ALL, FLAG, NULL, "it times ONNX and TensorRT, which vigil does not use", NULL},
    {"deterministic", P | V, FLAG, "True",
     "the same weights and pictures give the same boxes anyway", NULL},
    {"seed", P | V, VALUE, "0", "nothing in it is random", NULL},
    {"workers", P, VALUE, "8", "one thread reads and decodes, beside the network", NULL},
    {"stream", P, FLAG, NULL, "results are always passed on one by one", NULL},
    {"rect", P | V, ONOFF, "True", "the network's input has the shape of the picture anyway", NULL},
    {"augment", T, FLAG, NULL, "training augments anyway, as hsv_h, fliplr, mosaic and others say",
     NULL},
    {"augment", P | V, FLAG, NULL, "there is no test-time augmentation", OUT ", or raise --imgsz"},
    {"visualize", P | V, FLAG, NULL, "feature maps are not drawn",
     OUT "; vigil info FILE lists the layers"},
    {"visualize", T, FLAG, NULL, "feature maps are not drawn", OUT},
    {"embed", ALL, VALUE, NULL, "feature vectors are not available", OUT},
    {"nms", P | V, FLAG, NULL, "nms=True builds suppression into an exported model",
     OUT ": overlapping boxes are always suppressed, by --iou and --agnostic-nms"},
    {"nms", T, FLAG, NULL, EXPORT, NULL},

    /* what is drawn, written and shown */
    {"verbose", P, FLAG, NULL, "each picture, and each frame of a file, has its line anyway", NULL},
    {"verbose", V | T, FLAG, NULL, "it does not change what is printed", NULL},
    {"plots", P, FLAG, NULL, "plots are made by training and validation", NULL},
    {"vid_stride", P, VALUE, "1", "every picture is read; of videos it takes each N-th frame",
     NULL},
    {"vid_stride", V, VALUE, "1", "it is for videos", NULL},
    {"tracker", P, VALUE, "bytetrack.yaml", "pictures have no tracks", NULL},
    {"tracker", V | T, VALUE, "bytetrack.yaml", "it is for videos", NULL},
    {"stream_buffer", P, FLAG, NULL, "the option that keeps every frame has another name here",
     "--policy every"},
    {"stream_buffer", V | T, FLAG, NULL, "it is for videos", NULL},
    {"save_frames", P, FLAG, NULL, "frames of a video are not written as pictures",
     "--save, which writes the video, then ffmpeg -i VIDEO frame%05d.jpg"},
    {"save_frames", V | T, FLAG, NULL, "it is for videos", NULL},
    {"show_labels", P, ONOFF, "True", "the option that hides labels has another name here",
     "--hide-labels"},
    {"show_conf", P, ONOFF, "True", "the option that hides confidences has another name here",
     "--hide-conf"},
    {"show_boxes", P, ONOFF, "True", "pictures without boxes are the pictures themselves",
     "--no-save; --save-json and --save-txt write the boxes"},
    {"show_labels", V | T, ONOFF, "True", "plots have one look", NULL},
    {"show_conf", V | T, ONOFF, "True", "plots have one look", NULL},
    {"show_boxes", V | T, ONOFF, "True", "plots have one look", NULL},
    {"show", V | T, FLAG, NULL, "a window is for videos and cameras", "vigil predict --show"},
    {"save", V, FLAG, NULL, SAVING, NULL},
    {"save_txt", V | T, FLAG, NULL, SAVING, "vigil predict --save-txt"},
    {"save_conf", V | T, FLAG, NULL, SAVING, "vigil predict --save-txt --save-conf"},
    {"save_crop", V | T, FLAG, NULL, SAVING, "vigil predict --save-crop"},
    {"save_hybrid", ALL, FLAG, NULL, "labels and boxes are not mixed",
     OUT "; vigil predict --save-txt"},

    /* what is detected and trained */
    {"single_cls", P, FLAG, NULL, "it belongs to training and validation",
     "--agnostic-nms, or weights that were trained with --single-cls"},
    {"classes", V, VALUE, NULL, "a validation is over all classes",
     OUT ": the table has a row for each class"},
    {"time", T, VALUE, NULL, "a run is as long as its --epochs",
     "timeout -s INT 1h vigil train ..., which ends with a checkpoint"},
    {"cutmix", T, VALUE, "0", "parts of pictures are not pasted into others",
     "--mixup P, which blends two"},
    {"retina_masks", ALL, FLAG, NULL, SEGMENT, NULL},
    {"overlap_mask", ALL, FLAG, "True", SEGMENT, NULL},
    {"mask_ratio", ALL, VALUE, "4", SEGMENT, NULL},
    {"copy_paste_mode", ALL, VALUE, "flip", SEGMENT, NULL},
    {"pose", T, VALUE, "12", "it is for pose models, and vigil detects objects", NULL},
    {"kobj", T, VALUE, "1", "it is for pose models, and vigil detects objects", NULL},
    {"dropout", ALL, VALUE, "0", SORTING, NULL},
    {"erasing", ALL, VALUE, "0.4", SORTING, NULL},
    {"crop_fraction", ALL, VALUE, "1", SORTING, NULL},
    {"auto_augment", ALL, VALUE, "randaugment", SORTING, NULL},
    {"format", ALL, VALUE, "torchscript", EXPORT, NULL},
    {"keras", ALL, FLAG, NULL, EXPORT, NULL},
    {"optimize", ALL, FLAG, NULL, EXPORT, NULL},
    {"dynamic", ALL, FLAG, NULL, EXPORT, NULL},
    {"simplify", ALL, FLAG, "True", EXPORT, NULL},
    {"opset", ALL, VALUE, NULL, EXPORT, NULL},
    {"workspace", ALL, VALUE, "4", EXPORT, NULL},

    /* names of older versions */
    {"img", ALL, VALUE, NULL, "it has another name here", "--imgsz"},
    {"nosave", ALL, FLAG, NULL, "it has another name here", "--no-save"},
    {"noplots", V | T, FLAG, NULL, "it has another name here", "--no-plots"},
    {"noval", T, FLAG, NULL, "it has another name here", "--no-val"},
    {"view_img", P, FLAG, NULL, "it has another name here", "--show"},
    {"hyp", T, VALUE, NULL, "there is no file of hyperparameters",
     "its values one by one: lr0=0.01 momentum=0.937"},
    {"evolve", T, VALUE, NULL, "hyperparameters are not searched",
     "vigil train in a loop over lr0=... and others"},
};
/* clang-format on */

static const char *const must_be_said[] = {"token", "memory-limit"};

const cli_field_option *cli_field_find(const char *name, unsigned command)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((table[i].commands & command) != 0 && vg_name_equal(table[i].name, name))
            return &table[i];
    return NULL;
}

bool cli_is_nothing(const char *text)
{
    return *text == '\0' || strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0;
}

bool cli_field_must_be_said(const char *name)
{
    for (size_t i = 0; i < sizeof must_be_said / sizeof *must_be_said; i++)
        if (vg_name_equal(must_be_said[i], name))
            return true;
    return false;
}

/* As words, as truths, or as numbers: 0.0 is 0. */
static bool is_same(const char *a, const char *b)
{
    bool yes = false, no = false;
    double x = 0, y = 0;
    return strcasecmp(a, b) == 0 ||
           (cli_read_bool(&yes, a) && cli_read_bool(&no, b) && yes == no) ||
           (cli_read_real(&x, a) && cli_read_real(&y, b) && !(x < y) && !(x > y));
}

bool cli_field_is_harmless(const cli_field_option *o, const char *text)
{
    bool yes = true;
    return cli_is_nothing(text) || (!o->off_asks && cli_read_bool(&yes, text) && !yes) ||
           (o->harmless != NULL && is_same(text, o->harmless));
}

bool cli_option_is_idle_at(const cli_row *row, const void *presets, const char *text)
{
    char preset[CLI_HELP_BYTES];
    bool yes = true;
    if (cli_is_nothing(text) || (cli_read_bool(&yes, text) && !yes))
        return true;
    if (row->o == row->handed)
        return is_same(text, row->o->preset);
    return vg_option_write(preset, sizeof preset, row->o, presets) && is_same(text, preset);
}

/* ---- notes ---- */

void cli_note(cli_notes *notes, const char *name, const char *text, const char *why)
{
    size_t i = 0;
    if (notes == NULL)
        return;
    while (i < notes->n && !vg_name_equal(notes->at[i].name, name))
        i++;
    if (why == NULL) {
        if (i < notes->n)
            notes->at[i] = notes->at[--notes->n];
        return;
    }
    if (i == CLI_NOTES_MAX)
        return; /* as many as anyone reads */
    snprintf(notes->at[i].name, sizeof notes->at[i].name, "%s", name);
    notes->at[i].text = text;
    notes->at[i].why = why;
    notes->n += i == notes->n;
}

void cli_notes_print(FILE *to, const cli_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        fprintf(to, "note: %s=", notes->at[i].name);
        cli_text(to, notes->at[i].text);
        fprintf(to, " has no effect here: %s\n", notes->at[i].why);
    }
}
