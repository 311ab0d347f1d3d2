/* detect.c: detects objects in one picture and prints them.
 *
 *     cc -std=c17 detect.c $(pkg-config --cflags --libs vigil) -o detect
 *     ./detect yolo11n.pt street.jpg          person 0.91 at 12,34 to 56,78 ... a line each */
#include <stdio.h>

#include <vigil/vigil.h>

enum { MOST = 300 };

static int tell(const vg_error *err)
{
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s WEIGHTS PICTURE\n", argv[0]);
        return 2;
    }
    vg_options options = vg_options_default();
    options.weights = argv[1];

    vg_error err;
    vg_detector *detector = NULL;
    if (vg_detector_open(&detector, &options, &err) != VG_OK)
        return tell(&err);

    /* NULL instead of options of its own: confidence 0.25, overlap 0.7. */
    vg_detection found[MOST];
    size_t n = 0;
    int status = 0;
    if (vg_detect_file(detector, found, MOST, &n, argv[2], NULL, &err) != VG_OK)
        status = tell(&err);
    for (size_t i = 0; i < n; i++) {
        const vg_detection *d = &found[i];
        printf("%s %.2f at %.0f,%.0f to %.0f,%.0f\n",
               vg_detector_class_name(detector, d->class_index), (double)d->confidence,
               (double)d->x1, (double)d->y1, (double)d->x2, (double)d->y2);
    }
    vg_detector_close(&detector);
    return status;
}
