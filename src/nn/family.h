/* family.h: whose weights they are that no graph was made of, in the user's words. For this folder.
 */
#ifndef NN_FAMILY_H
#define NN_FAMILY_H

#include "weights/weights.h"

/* "YOLOv9 detection", "YOLO11 segmentation". False: nothing is known of it, or it is a detector of
 * a family that vigil runs. yaml: the model's, NULL: none. */
bool nn_family_name(char *out, size_t n, const weights_file *w, const base_node *yaml);

/* The same by a model's name without its suffix: "yolov9c" is YOLOv9 detection, "yolo11n-seg"
 * YOLO11 segmentation. */
bool nn_family_of_name(char *out, size_t n, const char *stem);

/* What the model of a weights file is called: the name of its YAML's file, else "yolov8" by its
 * modules. False: nothing is known. */
bool nn_family_model(char *out, size_t n, const base_node *yaml);

#endif
