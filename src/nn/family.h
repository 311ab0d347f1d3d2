/* family.h: whose weights they are that no graph was made of, in the user's words. For this folder.
 */
#ifndef NN_FAMILY_H
#define NN_FAMILY_H

#include "weights/weights.h"

/* "YOLOv8 detection", "YOLO11 segmentation". False: nothing is known of it, or it is YOLO11
 * detection. yaml: the model's, NULL: none. */
bool nn_family_name(char *out, size_t n, const weights_file *w, const base_node *yaml);

#endif
