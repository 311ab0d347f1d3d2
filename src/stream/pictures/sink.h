/* sink.h: what is kept of a result: files in the run folder. A sink is one file ending in one
 * descriptor; the pipeline gives it its state (state_bytes, zeroed) and calls it from one thread.
 * Adding one: a file, and a line in sinks.c. */
#ifndef STREAM_PICTURES_SINK_H
#define STREAM_PICTURES_SINK_H

#include "pictures.h"
#include "predict.h"
#include "stream/shared/label.h"

/* What every sink may want to know; borrowed for the life of the job. */
typedef struct sink_setting {
    const stream_predict_options *options;
    const stream_detector *detector;
    const char *folder;     /* the run folder */
    image_encoder *encoder; /* shared by the sinks that write pictures: they do it in turn */
    int most_w, most_h;     /* of the pictures whose heads were read */
    bool has_masks;         /* the model's task */
    size_t longest_path_bytes, longest_name_bytes; /* of sources and classes, without the 0 */
    base_mem *mem;
} sink_setting;

typedef struct sink_item {
    const vg_predict_result *result;
    const picture_entry *entry;
    const image_view *picture; /* upright RGB; a sink that draws says so, and comes last */
} sink_item;

typedef struct sink {
    const char *name, *help;
    bool needs_pixels; /* writes pictures */
    size_t state_bytes;
    bool (*is_wanted)(const stream_predict_options *o);
    /* What open takes beyond the state, so that write allocates nothing: before there are a
     * detector, a folder and an encoder. */
    size_t (*need_bytes)(const sink_setting *s);
    vg_status (*open)(void *state, const sink_setting *s, vg_error *err);
    vg_status (*write)(void *state, const sink_setting *s, const sink_item *item, vg_error *err);
    /* The last word: flushes. Called once after a successful open, also after failures. */
    vg_status (*close)(void *state, vg_error *err);
} sink;

extern const sink *const sinks[];
extern const size_t n_sinks;

/* Its results, for texts. */
stream_rows sink_rows(const sink_setting *s, const sink_item *item);

/* "folder/sub/stem[-2]suffix" into path. False when too long. */
bool sink_path(char *path, size_t n, const sink_setting *s, const char *sub, const picture_entry *e,
               const char *suffix);
/* ".png" for PNG sources, else ".jpg": what we can encode. */
const char *sink_picture_suffix(const char *source);

#endif
