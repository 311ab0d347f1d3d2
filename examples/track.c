/* track.c: follows objects through pictures that are arrays of this program, and draws them.
 *
 *     cc -std=c17 track.c $(pkg-config --cflags --libs vigil) -o track
 *     ./track yolo11n.pt OUT a.jpg b.jpg c.jpg      OUT/0000.png, ... and a line each
 *
 * The pictures come from files here; a camera's library or a game would fill the same arrays. */
#include <stdio.h>
#include <stdlib.h>

#include <vigil/vigil.h>

enum { MOST = 300, MOST_CLASSES = 1024 };

typedef struct tools {
    vg_detector *detector;
    vg_tracker *tracker;
    vg_codec *codec;
    vg_painter *painter;
    const char *names[MOST_CLASSES];
    size_t n_names;
    uint8_t *pixels; /* of the picture at hand, blue first, as OpenCV has them */
} tools;

static int tell(const vg_error *err)
{
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    return 1;
}

static vg_status open_tools(tools *t, const char *weights, vg_error *err)
{
    const vg_tracker_key keys[] = {{"tracker", "botsort"}}; /* the camera may move */
    vg_options options = vg_options_default();
    vg_model_info info;
    options.weights = weights;
    vg_status st = vg_detector_open(&t->detector, &options, err);
    if (st != VG_OK)
        return st;
    vg_detector_info(t->detector, &info);
    while (t->n_names < MOST_CLASSES && (int)t->n_names < info.n_classes) {
        t->names[t->n_names] = vg_detector_class_name(t->detector, (int)t->n_names);
        t->n_names++;
    }
    st = vg_tracker_open(&t->tracker, keys, 1, 0, err);
    if (st == VG_OK)
        st = vg_codec_open(&t->codec, 0, err);
    return st == VG_OK ? vg_painter_open(&t->painter, t->names, t->n_names, 0, err) : st;
}

static void close_tools(tools *t)
{
    vg_painter_close(&t->painter);
    vg_codec_close(&t->codec);
    vg_tracker_close(&t->tracker);
    vg_detector_close(&t->detector);
    free(t->pixels);
}

/* The file's pixels in an array of ours. */
static vg_status fill(tools *t, vg_picture *out, const char *path, vg_error *err)
{
    vg_image read;
    const vg_status st = vg_codec_load(t->codec, &read, path, err);
    if (st != VG_OK)
        return st;
    uint8_t *pixels = realloc(t->pixels, (size_t)read.width * (size_t)read.height * 3);
    if (pixels == NULL) {
        snprintf(err->what, sizeof err->what, "no memory for %s", path);
        return VG_ERR_MEMORY;
    }
    t->pixels = pixels;
    *out = (vg_picture){
        .pixels = pixels, .width = read.width, .height = read.height, .format = VG_BGR};
    return vg_picture_put(out, &read, err);
}

static vg_status follow(tools *t, const char *path, const char *to, vg_error *err)
{
    static vg_detection found[MOST];
    static int64_t ids[MOST];
    vg_detect_options options = vg_detect_options_default();
    vg_picture picture;
    size_t n = 0;
    vg_status st = fill(t, &picture, path, err);
    if (st != VG_OK)
        return st;
    const vg_image image = {.pixels = picture.pixels,
                            .width = picture.width,
                            .height = picture.height,
                            .format = picture.format};
    options.conf = vg_tracker_conf(t->tracker); /* weak boxes are what tracks go on with */
    st = vg_detect(t->detector, found, MOST, &n, &image, &options, err);
    if (st == VG_OK)
        st = vg_tracker_step(t->tracker, found, ids, &n, &image, err);
    const vg_boxes boxes = {.detections = found,
                            .ids = ids,
                            .n = n,
                            .width = picture.width,
                            .height = picture.height,
                            .names = t->names,
                            .n_names = t->n_names};
    if (st == VG_OK)
        st = vg_draw(t->painter, &picture, &boxes, NULL, err);
    if (st == VG_OK)
        st = vg_codec_write(t->codec, to, &image, err);
    if (st == VG_OK)
        printf("%s: %zu tracked, %s\n", path, n, to);
    return st;
}

int main(int argc, char **argv)
{
    tools t = {0};
    vg_error err = {0};
    char to[4096];
    if (argc < 4) {
        fprintf(stderr, "usage: %s WEIGHTS FOLDER PICTURE...\n", argv[0]);
        return 2;
    }
    vg_status st = open_tools(&t, argv[1], &err);
    for (int i = 3; i < argc && st == VG_OK; i++) {
        snprintf(to, sizeof to, "%s/%04d.png", argv[2], i - 3);
        st = follow(&t, argv[i], to, &err);
    }
    close_tools(&t);
    return st == VG_OK ? 0 : tell(&err);
}
