/* letters.c: what to tell of class names that no font here can show. */
#include "image.h"

/* Debian's package of the letters from first to last; what is in no row is in the last one. */
static const char *package_of(uint32_t letter)
{
    static const struct {
        uint32_t first, last;
        const char *package;
    } rows[] = {
        {0x370, 0x6ff, "fonts-dejavu-core"},   /* Greek, Cyrillic, Armenian, Hebrew, Arabic */
        {0x1100, 0x11ff, "fonts-noto-cjk"},    /* Hangul's parts */
        {0x2190, 0x27bf, "fonts-dejavu-core"}, /* arrows, signs */
        {0x2e80, 0xa4cf, "fonts-noto-cjk"},    /* Han, Kana, Bopomofo, Yi */
        {0xa960, 0xa97f, "fonts-noto-cjk"},    /* more of Hangul */
        {0xac00, 0xd7ff, "fonts-noto-cjk"},    /* Hangul */
        {0xf900, 0xfaff, "fonts-noto-cjk"},    /* more of Han */
        {0xfe30, 0xfe4f, "fonts-noto-cjk"},    /* its marks */
        {0xff00, 0xffef, "fonts-noto-cjk"},    /* letters as wide as Han's */
        {0x1f000, 0x1faff, "fonts-symbola"},   /* emoji, as outlines */
        {0x20000, 0x323af, "fonts-noto-cjk"},  /* rare Han */
    };
    const bool is_private = (letter >= 0xe000 && letter <= 0xf8ff) || letter >= 0xf0000;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (letter >= rows[i].first && letter <= rows[i].last)
            return rows[i].package;
    return is_private ? NULL : "fonts-noto-core";
}

bool image_letters_format(char *buf, size_t n, const image_names *names)
{
    image_font font;
    char first[128], more[96] = "", advice[96] = "", count[64];
    base_format(buf, n, "%s", "");
    image_font_choose(&font, names);
    if (font.n_names_missing == 0)
        return false;
    base_line_escape(first, sizeof first, names->at(names->context, font.first_missing));
    if (font.n_names_missing > 1)
        base_format(more, sizeof more, " and %s",
                    base_count(count, sizeof count, font.n_names_missing - 1, "more class name"));
    const char *package = font.letter != 0 ? package_of(font.letter) : NULL;
    if (package != NULL)
        base_format(advice, sizeof advice, "; install %s", package);
    base_format(buf, n, "no %s has the letters of \"%s\"%s: drawings show boxes in their place%s",
                font.letter != 0 ? "font here" : "one font here that has those of other classes",
                first, more, advice);
    return true;
}
