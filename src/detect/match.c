/* match.c: which detection is which object (spec 6): for average precision by class and threshold,
 * for the confusion matrix class-blind at one threshold.
 *
 * The reference sorts all pairs by IoU and thins them twice. The same comes of two looks: each
 * detection wants the object that it overlaps most; among those that want an object, the first
 * detection gets it (for AP), or the one that overlaps most (confusion). Ties of IoU, undefined
 * there, go to the lower index. Newest releases match as COCO does instead. */
#include "match.h"

#include <string.h>

const float detect_iou_thresholds[DETECT_N_IOU] = {0.5f,  0.55f, 0.6f,  0.65f, 0.7f,
                                                   0.75f, 0.8f,  0.85f, 0.9f,  0.95f};

static const float CONFUSION_IOU = 0.45f;

static float pair_iou(const vg_detection *d, const detect_truth *t)
{
    const float box[4] = {d->x1, d->y1, d->x2, d->y2};
    return detect_iou(t->xyxy, box);
}

static float likeness_of(const detect_scene *s, const detect_likeness *alike, size_t d, size_t g)
{
    return alike->of != NULL ? alike->of(alike->ctx, d, g) : pair_iou(&s->dets[d], &s->truths[g]);
}

/* Objects of another class are not alike at all. */
static float same_class(const detect_scene *s, const detect_likeness *alike, size_t d, size_t g)
{
    return s->truths[g].class_index == s->dets[d].class_index ? likeness_of(s, alike, d, g) : 0;
}

static void match_first_choice(uint16_t *tp, const detect_scene *s, const detect_likeness *alike,
                               uint16_t *taken)
{
    for (size_t d = 0; d < s->n_dets; d++) {
        float most = 0;
        size_t best = 0;
        for (size_t g = 0; g < s->n_truths; g++) {
            const float iou = same_class(s, alike, d, g);
            if (iou > most) {
                most = iou;
                best = g;
            }
        }
        unsigned reached = 0;
        for (int t = 0; t < DETECT_N_IOU; t++)
            reached |= (unsigned)(most >= detect_iou_thresholds[t]) << t;
        tp[d] = 0;
        if (reached) {
            tp[d] = (uint16_t)(reached & ~(unsigned)taken[best]);
            taken[best] = (uint16_t)(taken[best] | reached);
        }
    }
}

/* COCO's way: each detection takes, of the objects that are left, the one that it overlaps most.
 * Ties go to the higher index, as there. */
static void match_any_left(uint16_t *tp, const detect_scene *s, const detect_likeness *alike,
                           uint16_t *taken)
{
    for (size_t d = 0; d < s->n_dets; d++) {
        float most[DETECT_N_IOU];
        size_t best[DETECT_N_IOU] = {0};
        memcpy(most, detect_iou_thresholds, sizeof most);
        tp[d] = 0;
        for (size_t g = 0; g < s->n_truths; g++) {
            const float iou = same_class(s, alike, d, g);
            for (int t = 0; t < DETECT_N_IOU && iou >= detect_iou_thresholds[t]; t++)
                if (!(taken[g] >> t & 1) && iou >= most[t]) {
                    most[t] = iou;
                    best[t] = g;
                    tp[d] = (uint16_t)(tp[d] | 1u << t);
                }
        }
        for (int t = 0; t < DETECT_N_IOU; t++)
            if (tp[d] >> t & 1)
                taken[best[t]] = (uint16_t)(taken[best[t]] | 1u << t);
    }
}

void detect_match(uint16_t *tp, const vg_detection *dets, size_t n_dets, const detect_truth *truths,
                  size_t n_truths, const detect_likeness *alike, uint16_t *taken, detect_ap ap)
{
    const detect_scene s = {dets, n_dets, truths, n_truths, .boxes = {0}};
    const detect_likeness *by = alike != NULL ? alike : &s.boxes;
    for (size_t g = 0; g < n_truths; g++)
        taken[g] = 0;
    if (ap >= DETECT_AP_8_4)
        match_any_left(tp, &s, by, taken);
    else
        match_first_choice(tp, &s, by, taken);
}

/* True when any detection found an object. */
static bool confusion_match(float conf, const detect_scene *scene, confusion_scratch *s)
{
    bool any = false;
    for (size_t g = 0; g < scene->n_truths; g++) {
        s->best_det[g] = -1;
        s->best_iou[g] = CONFUSION_IOU;
    }
    for (size_t d = 0; d < scene->n_dets; d++) {
        float most = CONFUSION_IOU;
        s->best_truth[d] = -1;
        if (!(scene->dets[d].confidence > conf))
            continue;
        for (size_t g = 0; g < scene->n_truths; g++) {
            const float iou = likeness_of(scene, &scene->boxes, d, g);
            if (iou > most) {
                most = iou;
                s->best_truth[d] = (int32_t)g;
            }
        }
        int32_t best = s->best_truth[d];
        if (best >= 0 && most > s->best_iou[best]) {
            s->best_iou[best] = most;
            s->best_det[best] = (int32_t)d;
        }
        any |= best >= 0;
    }
    return any;
}

void confusion_add(uint64_t *matrix, int nc, float conf, const detect_scene *s,
                   confusion_scratch *scratch)
{
    const vg_detection *dets = s->dets;
    const detect_truth *truths = s->truths;
    const size_t n_dets = s->n_dets, n_truths = s->n_truths;
    const size_t background = (size_t)nc, side = background + 1;
    if (n_truths == 0)
        return; /* as the reference's validator: spec 6 */
    bool any = confusion_match(conf, s, scratch);
    for (size_t g = 0; g < n_truths; g++) {
        int32_t d = scratch->best_det[g];
        size_t predicted = d >= 0 ? (size_t)dets[d].class_index : background;
        matrix[predicted * side + (size_t)truths[g].class_index]++;
    }
    /* The reference counts stray detections only in pictures where something matched. */
    for (size_t d = 0; any && d < n_dets; d++) {
        int32_t g = scratch->best_truth[d];
        if (dets[d].confidence > conf && (g < 0 || scratch->best_det[g] != (int32_t)d))
            matrix[(size_t)dets[d].class_index * side + background]++;
    }
}
