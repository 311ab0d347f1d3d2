/* color.c: twenty colours that stay apart, on photographs and from each other. */
#include "image/image.h"

/* Chosen in the Oklab space, as saturated as their lightness lets them be; the first ones lie
 * furthest from each other, since most models that people train have few classes. */
static const image_color COLORS[] = {
    {255, 77, 61},   {47, 107, 255},  {46, 209, 88},  {255, 185, 46}, {177, 77, 255},
    {25, 199, 230},  {255, 79, 163},  {165, 210, 15}, {0, 120, 180},  {255, 150, 240},
    {0, 110, 60},    {105, 240, 195}, {135, 45, 105}, {165, 105, 0},  {150, 120, 240},
    {255, 150, 135}, {120, 0, 210},   {0, 160, 140},  {180, 15, 0},   {105, 195, 255},
};

image_color image_class_color(int class_index)
{
    int n = (int)(sizeof(COLORS) / sizeof(COLORS[0]));
    int i = class_index % n;
    return COLORS[i < 0 ? i + n : i];
}
