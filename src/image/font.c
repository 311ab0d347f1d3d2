/* font.c: the font whose letters the class names are drawn with.
 *
 * Cairo's plain interface takes all letters of a text from one font, so that one is looked for
 * which has those of all names. Memory: fontconfig's own, given back but for its list of fonts. */
#include <fontconfig/fontconfig.h>
#include <string.h>

#include "image.h"

static const char DEFAULT_FAMILY[] = "sans-serif";

/* The next character of *s; false at the end. Bytes that are no UTF-8 are passed over: they are
 * drawn as escapes. */
static bool next_letter(FcChar32 *out, const char **s)
{
    while (**s != '\0') {
        const size_t n = base_utf8_bytes(*s);
        const char *at = *s;
        *s += n > 0 ? n : 1;
        if (n > 0 && FcUtf8ToUcs4((const FcChar8 *)at, out, (int)n) > 0)
            return true;
    }
    return false;
}

/* Fonts for Latin letters have all of Latin-1. */
static bool needs_choice(const image_names *names)
{
    FcChar32 c;
    for (size_t i = 0; i < names->n; i++)
        for (const char *s = names->at(names->context, i); next_letter(&c, &s);)
            if (c > 0xff)
                return true;
    return false;
}

/* With the digits and marks that stand beside names in labels. NULL: no memory. */
static FcCharSet *letters_of(const image_names *names)
{
    FcCharSet *set = FcCharSetCreate();
    bool ok = set != NULL;
    FcChar32 c;
    for (c = ' '; ok && c <= '~'; c++)
        ok = FcCharSetAddChar(set, c);
    for (size_t i = 0; ok && i < names->n; i++)
        for (const char *s = names->at(names->context, i); ok && next_letter(&c, &s);)
            ok = c < ' ' || FcCharSetAddChar(set, c);
    if (!ok && set != NULL) {
        FcCharSetDestroy(set);
        set = NULL;
    }
    return set;
}

/* What Cairo asks for when a family is selected. */
static FcPattern *pattern_of(const char *family)
{
    FcPattern *p = FcPatternCreate();
    if (p == NULL)
        return NULL;
    FcPatternAddString(p, FC_FAMILY, (const FcChar8 *)family);
    FcPatternAddInteger(p, FC_WEIGHT, FC_WEIGHT_BOLD);
    FcConfigSubstitute(NULL, p, FcMatchPattern);
    FcDefaultSubstitute(p);
    return p;
}

static FcCharSet *charset_of(const FcPattern *font)
{
    FcCharSet *set = NULL;
    return font != NULL && FcPatternGetCharSet(font, FC_CHARSET, 0, &set) == FcResultMatch ? set
                                                                                           : NULL;
}

static size_t missing_in(const FcCharSet *letters, const FcPattern *font)
{
    const FcCharSet *set = charset_of(font);
    return set != NULL ? FcCharSetSubtractCount(letters, set) : FcCharSetCount(letters);
}

/* Pictures in place of outlines do not fit into a mask of coverage. */
static bool has_outlines(const FcPattern *font)
{
    FcBool outline = FcFalse, color = FcFalse;
    FcPatternGetBool(font, FC_OUTLINE, 0, &outline);
    FcPatternGetBool(font, FC_COLOR, 0, &color);
    return outline && !color;
}

static FcPattern *font_of(const char *family)
{
    FcResult result;
    FcPattern *asked = pattern_of(family);
    FcPattern *font = asked != NULL ? FcFontMatch(NULL, asked, &result) : NULL;
    if (asked != NULL)
        FcPatternDestroy(asked);
    return font;
}

/* The family that lacks fewest of the letters; of equals, the one that is nearest to the default.
 */
static void choose_family(image_font *out, const FcCharSet *letters, const FcFontSet *fonts,
                          size_t least)
{
    for (int i = 0; i < fonts->nfont && least > 0; i++) {
        FcChar8 *family;
        const FcPattern *font = fonts->fonts[i];
        if (!has_outlines(font) || missing_in(letters, font) >= least ||
            FcPatternGetString(font, FC_FAMILY, 0, &family) != FcResultMatch ||
            strlen((const char *)family) >= sizeof out->family)
            continue;
        /* Its bold face may be another file, with fewer letters. */
        FcPattern *drawn = font_of((const char *)family);
        const size_t n = missing_in(letters, drawn);
        if (n < least) {
            least = n;
            base_format(out->family, sizeof out->family, "%s", (const char *)family);
        }
        if (drawn != NULL)
            FcPatternDestroy(drawn);
    }
}

static bool is_anywhere(const FcFontSet *fonts, FcChar32 c)
{
    for (int i = 0; i < fonts->nfont; i++) {
        const FcCharSet *set = charset_of(fonts->fonts[i]);
        if (set != NULL && has_outlines(fonts->fonts[i]) && FcCharSetHasChar(set, c))
            return true;
    }
    return false;
}

static void count_missing(image_font *out, const image_names *names, const FcCharSet *have,
                          const FcFontSet *fonts)
{
    for (size_t i = 0; i < names->n; i++) {
        FcChar32 c;
        for (const char *s = names->at(names->context, i); next_letter(&c, &s);) {
            if (c < ' ' || (have != NULL && FcCharSetHasChar(have, c)))
                continue;
            if (out->n_names_missing++ == 0)
                out->first_missing = i;
            if (out->letter == 0 && (fonts == NULL || !is_anywhere(fonts, c)))
                out->letter = c;
            break;
        }
    }
}

const char *image_name_at(const void *names, size_t i)
{
    return ((const char *const *)names)[i];
}

void image_font_choose(image_font *out, const image_names *names)
{
    *out = (image_font){.n_names_missing = 0};
    base_format(out->family, sizeof out->family, "%s", DEFAULT_FAMILY);
    if (!needs_choice(names))
        return;
    FcResult result;
    FcCharSet *letters = letters_of(names);
    FcPattern *asked = pattern_of(DEFAULT_FAMILY);
    FcFontSet *fonts = asked != NULL ? FcFontSort(NULL, asked, FcFalse, NULL, &result) : NULL;
    FcPattern *font = font_of(DEFAULT_FAMILY);
    if (letters != NULL && fonts != NULL) {
        choose_family(out, letters, fonts, missing_in(letters, font));
        if (font != NULL)
            FcPatternDestroy(font);
        font = font_of(out->family);
    }
    count_missing(out, names, charset_of(font), fonts);
    if (font != NULL)
        FcPatternDestroy(font);
    if (fonts != NULL)
        FcFontSetDestroy(fonts);
    if (asked != NULL)
        FcPatternDestroy(asked);
    if (letters != NULL)
        FcCharSetDestroy(letters);
}
