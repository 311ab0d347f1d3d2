/* convert.h: what the two halves of vigil convert share: weights (cmd_convert.c) and datasets
 * (convert_data.c). */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include "cli.h"
#include "vigil/dataset.h"

typedef struct convert_values {
    const char *weights, *output;
    const char *data, *format, *images;
    int pictures; /* vg_dataset_pictures */
    double val;
    bool polygons, difficult, keypoints;
    size_t memory_limit;
    cli_given given;
} convert_values;

/* The exit status. */
int cli_convert_data(const convert_values *v);

#endif
