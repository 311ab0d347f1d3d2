/* json_walk.h: a JSON text of any size, one value at a time.
 *
 * tree.h holds a whole document, which for a list of a million objects is gigabytes. Here the text
 * stays where it is (a map of the file, say); a walker goes through the lists and maps that the
 * caller opens, and says where each value begins and ends. Such a piece is then read by
 * base_tree_from_json, whose bounds it must fit. What is between the pieces is checked here, what
 * is in them there: a broken piece that is passed over may go unseen. Nothing is allocated. */
#ifndef BASE_JSON_WALK_H
#define BASE_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "vigil/error.h"

typedef struct base_json_piece {
    const char *text;
    size_t n;
    size_t line;     /* from 1, where it begins */
    size_t n_items;  /* of a list or map: its own; else 0 */
    size_t n_commas; /* in it, in inner lists and maps, too */
} base_json_piece;

typedef struct base_json_walk {
    const char *text;
    size_t n, at, line;
    const char *source; /* in errors: "coco.json:3" */
    bool is_behind;     /* a value was read, so that a comma or the end must follow */
} base_json_walk;

/* text (n bytes), which may begin with UTF-8's byte order mark. All errors: VG_ERR_FORMAT. */
vg_status base_json_start(base_json_walk *w, const char *text, size_t n, const char *source,
                          vg_error *err);
/* Into the list ('[') or map ('{') that is there. */
vg_status base_json_enter(base_json_walk *w, char bracket, vg_error *err);
/* To the next item of the list or map that was entered; *more false: it has ended, and the walker
 * is behind it. key (NULL in lists): its text as written, without quotes. */
vg_status base_json_next(base_json_walk *w, base_json_piece *key, bool *more, vg_error *err);
/* The value that is there, and past it. */
vg_status base_json_take(base_json_walk *w, base_json_piece *out, vg_error *err);
/* Nothing but blanks may follow. */
vg_status base_json_end(base_json_walk *w, vg_error *err);

bool base_json_piece_is(const base_json_piece *p, const char *text);

#endif
