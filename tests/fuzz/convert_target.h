/* convert_target.h: what holds of a catalogue, whichever source it came from: every number in its
 * range, and every byte given back. */
#ifndef FUZZ_CONVERT_TARGET_H
#define FUZZ_CONVERT_TARGET_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "data/convert/catalogue.h"
#include "data/convert/sources.h"

typedef vg_status (*convert_reader)(catalogue *c, const char *file, int split, const char *text,
                                    size_t n, vg_error *err);

static inline void convert_target(convert_reader read, const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    const data_convert_options options = {.polygons = true, .difficult = true};
    catalogue c = {.options = &options, .mem = &mem};
    /* Twice into one catalogue, as files follow each other. */
    for (int round = 0; round < 2; round++) {
        const vg_status st = read(&c, "folder/fuzz", -1, (const char *)data, size, &err);
        assert(st == VG_OK || (err.status == st && err.what[0]));
        if (st != VG_OK)
            break;
    }
    for (size_t i = 0; i < c.n_objects; i++) {
        const catalogue_object *o = &c.objects[i];
        assert(o->picture < c.n_pictures);
        assert(o->class_index >= 0 && (size_t)o->class_index < c.n_classes);
        assert(o->n_points == 0 || o->first_point + o->n_points <= c.n_points);
        for (int k = 0; k < 4; k++)
            assert(!isnan(o->xywh[k]));
    }
    for (size_t i = 0; i < c.n_pictures; i++) {
        const catalogue_picture *p = &c.pictures[i];
        assert(p->name < c.text.length && p->from < c.text.length);
        assert(p->w >= 0 && p->h >= 0 && (p->w == 0) == (p->h == 0));
    }
    for (size_t i = 0; i < c.n_classes; i++)
        assert(*catalogue_text(&c, c.classes[i].name));
    catalogue_fini(&c);
    assert(mem.in_use_bytes == 0);
}

#endif
