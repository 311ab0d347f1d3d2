/* ciou.h: complete IoU, the measure of the box loss and of the assigner (spec 3.4).
 * Source: Zheng et al., "Distance-IoU Loss", AAAI 2020, with the reference's epsilon of 1e-7 on
 * heights. */
#ifndef DETECT_CIOU_H
#define DETECT_CIOU_H

/* Boxes are x1 y1 x2 y2 in one unit. Finite for finite boxes, also degenerate ones; below 0 for
 * distant ones. */
double detect_ciou(const float pred_xyxy[4], const float target_xyxy[4]);
/* The same and its gradient by pred. As in the reference the weight of the shape term counts as
 * constant, and where a side of both boxes coincides the minimum's and maximum's gradient is split
 * evenly. */
double detect_ciou_gradient(double gradient[4], const float pred_xyxy[4],
                            const float target_xyxy[4]);

#endif
