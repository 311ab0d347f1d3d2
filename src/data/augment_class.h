/* augment_class.h: what a classifier's training pictures go through (T 4.7): Pillow's operations on
 * 8-bit RGB, as torchvision's RandAugment and ColorJitter use them. For this folder. */
#ifndef DATA_AUGMENT_CLASS_H
#define DATA_AUGMENT_CLASS_H

#include "image/image.h"
#include "rng.h"

/* A row of RandAugment's table. */
typedef struct class_operation {
    const char *name;
    double magnitude; /* the tenth of 31 steps; of translations, times the picture's side */
    bool is_signed;   /* half of the draws are of the negative magnitude */
    bool in_place;    /* dst may be src; else they are apart */
    void (*run)(const image_view *dst, const image_view *src, double magnitude);
} class_operation;
enum { CLASS_N_OPERATIONS = 14 };
extern const class_operation CLASS_OPERATIONS[CLASS_N_OPERATIONS];

/* Two operations of the table, drawn. The result is in v; spare: as large. */
void class_randaugment(const image_view *v, const image_view *spare, base_rng *rng);
/* Brightness, contrast, saturation and hue in random order, each by up to its part; 0: left out. */
void class_jitter(const image_view *v, double brightness, double contrast, double saturation,
                  double hue, base_rng *rng);

typedef struct class_window {
    int x, y, w, h;
} class_window;
/* RandomResizedCrop's window of a w x h picture: of the area least..1. */
class_window class_draw_crop(int w, int h, double least, base_rng *rng);
/* RandomErasing's window of a w x h picture; w 0: none fits. */
class_window class_draw_hole(int w, int h, base_rng *rng);

#endif
