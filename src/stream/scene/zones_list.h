/* zones_list.h: what a file of zones says. Internal to zones. */
#ifndef STREAM_ZONES_LIST_H
#define STREAM_ZONES_LIST_H

#include "zones.h"

/* What detect does not need to know of a zone. Texts are the tree's. */
typedef struct zones_extra {
    const char *name;
    const base_node *sources; /* a text or a list of texts; NULL: all */
    unsigned snapshots;       /* 1 << vg_stream_event_kind: those that want one */
    int line;
} zones_extra;

/* A zeroed one is valid and empty. */
typedef struct zones_list {
    base_tree *tree;
    detect_zone *zones;  /* (n) */
    zones_extra *extras; /* (n) */
    float *xy;           /* (n, STREAM_MOST_ZONE_POINTS, 2) */
    uint8_t *classes;    /* (n, n_classes) */
    int n;
} zones_list;

/* Takes the tree, also on failure. Errors: VG_ERR_FORMAT, VG_ERR_ARGUMENT (a class, or masks, that
 * the model does not have), VG_ERR_MEMORY. */
vg_status zones_list_read(zones_list *out, base_tree *tree, const stream_zones_scene *scene,
                          base_mem *mem, vg_error *err);
void zones_list_fini(zones_list *l);
bool zones_list_is_for(const zones_extra *zone, const char *source, const char *stem);

#endif
