/* make_pictures.c: draws small street scenes, so that vigil can be tried on a machine without a
 * single picture.
 *
 *     make_pictures DIR [N] [SEED]      writes DIR/scene_0.bmp ... (N pictures, default 4) of mixed
 * sizes
 *
 * The same seed draws the same pictures, to the byte, everywhere: whole numbers only. A picture is
 * a 24-bit BMP, the one format that takes 54 bytes of header and no library: rows from the bottom
 * up, pixels as blue, green, red, rows padded to 4 bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 1280, HEIGHT_MAX = 720, HEADER_BYTES = 54, N_MAX = 10000 };

typedef struct color {
    uint8_t r, g, b;
} color;

typedef struct picture {
    int w, h;
    color pixel[HEIGHT_MAX][WIDTH_MAX]; /* the first h rows of the first w */
} picture;

/* xorshift32: tiny, and the same on every machine. The state is never 0. */
static uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* A number in low..high, both included. */
static int random_in(uint32_t *state, int low, int high)
{
    return low + (int)(random_next(state) % (uint32_t)(high - low + 1));
}

/* One number, three channels: the order in which C evaluates an initialiser is the compiler's
 * choice. */
static color random_color(uint32_t *state)
{
    uint32_t x = random_next(state);
    return (color){(uint8_t)(30 + x % 190), (uint8_t)(30 + (x >> 8) % 190),
                   (uint8_t)(30 + (x >> 16) % 190)};
}

static void draw_pixel(picture *p, int x, int y, color c)
{
    if (x >= 0 && x < p->w && y >= 0 && y < p->h)
        p->pixel[y][x] = c;
}

/* The corner x, y is inside, x + w and y + h are not. What lies outside the picture is cut off. */
static void draw_bar(picture *p, int x, int y, int w, int h, color c)
{
    for (int row = y; row < y + h; row++)
        for (int column = x; column < x + w; column++)
            draw_pixel(p, column, row, c);
}

static void draw_disc(picture *p, int cx, int cy, int radius, color c)
{
    for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++)
            if (dx * dx + dy * dy <= radius * radius)
                draw_pixel(p, cx + dx, cy + dy, c);
}

/* Sky, fading to the horizon at half the height, a row of houses, and a road. */
static void draw_street(picture *p, uint32_t *state)
{
    int horizon = p->h / 2;
    for (int y = 0; y < horizon; y++) {
        uint8_t fade = (uint8_t)(110 * y / horizon);
        draw_bar(p, 0, y, p->w, 1, (color){(uint8_t)(100 + fade), (uint8_t)(140 + fade), 250});
    }
    draw_bar(p, 0, horizon, p->w, p->h - horizon, (color){92, 92, 96});
    for (int x = 0; x < p->w; x += p->w / 8) {
        int tall = random_in(state, p->h / 8, p->h / 3);
        draw_bar(p, x, horizon - tall, p->w / 8 - 6, tall, random_color(state));
    }
    for (int x = 0; x < p->w; x += 90)
        draw_bar(p, x, p->h * 3 / 4, 50, 6, (color){235, 235, 225});
}

/* A body, a cabin with a window, two wheels; size is the body's height. */
static void draw_car(picture *p, int x, int y, int size, color paint)
{
    color tyre = {20, 20, 22};
    draw_bar(p, x, y, size * 3, size, paint);
    draw_bar(p, x + size / 2, y - size * 2 / 3, size * 2, size * 2 / 3, paint);
    draw_bar(p, x + size * 3 / 4, y - size / 2, size * 3 / 2, size / 2, (color){200, 225, 240});
    draw_disc(p, x + size * 2 / 3, y + size, size / 3, tyre);
    draw_disc(p, x + size * 7 / 3, y + size, size / 3, tyre);
}

/* A head on a coat on two legs; size is the head's radius. */
static void draw_walker(picture *p, int x, int y, int size, color coat)
{
    draw_disc(p, x, y, size, (color){224, 182, 150});
    draw_bar(p, x - size * 3 / 2, y + size, size * 3, size * 4, coat);
    draw_bar(p, x - size, y + size * 5, size * 3 / 4, size * 4, (color){40, 42, 70});
    draw_bar(p, x + size / 4, y + size * 5, size * 3 / 4, size * 4, (color){40, 42, 70});
}

static void draw_scene(picture *p, int index, uint32_t *state)
{
    static const int sizes[][2] = {{640, 480}, {1280, 720}, {480, 640}, {800, 450}};
    const int *size = sizes[index % 4];
    p->w = size[0];
    p->h = size[1];
    draw_street(p, state);

    /* One number a line, since C does not say in which order it evaluates arguments. */
    int n_cars = random_in(state, 1, 4);
    for (int i = 0; i < n_cars; i++) {
        int body = random_in(state, p->h / 16, p->h / 7);
        int x = random_in(state, -body, p->w - body);
        int y = random_in(state, p->h / 2, p->h - 2 * body);
        draw_car(p, x, y, body, random_color(state));
    }
    int n_walkers = random_in(state, 1, 5);
    for (int i = 0; i < n_walkers; i++) {
        int head = random_in(state, p->h / 60, p->h / 30);
        int x = random_in(state, 0, p->w);
        int y = random_in(state, p->h / 3, p->h * 2 / 3);
        draw_walker(p, x, y, head, random_color(state));
    }
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* 0, or -1 with errno: a full disk shows at the latest when the file is closed. */
static int write_bmp(const picture *p, const char *path)
{
    uint32_t row_bytes = ((uint32_t)p->w * 3 + 3) & ~3u;
    uint32_t data_bytes = row_bytes * (uint32_t)p->h;
    uint8_t header[HEADER_BYTES] = {'B', 'M'};
    put_u32(header + 2, HEADER_BYTES + data_bytes);
    put_u32(header + 10, HEADER_BYTES);
    put_u32(header + 14, 40); /* bytes of the info header */
    put_u32(header + 18, (uint32_t)p->w);
    put_u32(header + 22, (uint32_t)p->h);
    header[26] = 1;  /* planes */
    header[28] = 24; /* bits a pixel */
    put_u32(header + 34, data_bytes);

    FILE *f = fopen(path, "wb");
    if (f == NULL)
        return -1;
    int failed = fwrite(header, 1, sizeof header, f) != sizeof header;
    for (int y = p->h - 1; y >= 0 && !failed; y--) {
        uint8_t row[WIDTH_MAX * 3] = {0};
        for (int x = 0; x < p->w; x++) {
            row[3 * x] = p->pixel[y][x].b;
            row[3 * x + 1] = p->pixel[y][x].g;
            row[3 * x + 2] = p->pixel[y][x].r;
        }
        failed = fwrite(row, 1, row_bytes, f) != row_bytes;
    }
    failed |= fclose(f) != 0;
    return failed ? -1 : 0;
}

/* A whole number in low..high, or -1: words, signs and leftovers are none. */
static long parse_number(const char *text, long low, long high)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < low || value > high)
        return -1;
    return value;
}

int main(int argc, char **argv)
{
    static picture p; /* 2.6 MB: too large for a stack */
    long n = argc > 2 ? parse_number(argv[2], 1, N_MAX) : 4;
    long seed = argc > 3 ? parse_number(argv[3], 1, INT32_MAX) : 1;
    if (argc < 2 || argc > 4 || n < 0 || seed < 0) {
        fprintf(stderr, "usage: make_pictures DIR [N 1..%d, default 4] [SEED 1..%d, default 1]\n",
                N_MAX, INT32_MAX);
        return 2;
    }
    uint32_t state = (uint32_t)seed;
    for (int i = 0; i < n; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/scene_%d.bmp", argv[1], i);
        draw_scene(&p, i, &state);
        if (length < 0 || (size_t)length >= sizeof path || write_bmp(&p, path) != 0) {
            fprintf(stderr,
                    "error: cannot write picture %d (%s)\n  at:  %s\n  try: a folder that exists, "
                    "on a disk with room\n",
                    i, strerror(errno), argv[1]);
            return 1;
        }
        printf("%s\n", path);
    }
    return 0;
}
