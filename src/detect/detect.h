/* detect.h: boxes: decode, non-maximum suppression, back to the picture; and what training and
 * validation ask of them: assigner, loss and its gradient, average precision. Pure maths on arrays:
 * who produced them, it does not know. No function here allocates but the create. Everything that
 * others include of this folder is here. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "assign.h"
#include "boxes.h"
#include "ciou.h"
#include "extras.h"
#include "likeness.h"
#include "loss.h"
#include "masks.h"
#include "metrics.h"
#include "polygon.h"
#include "rle.h"
#include "rotated.h"
#include "track.h"
#include "views.h"
#include "zone.h"

#endif
