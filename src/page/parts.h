/* parts.h: what parts are made of: badges, figures, facts, bars, a stop button. Tables are written
 * by hand: <div class=scroll><table>, numbers in cells of class n. */
#ifndef PAGE_PARTS_H
#define PAGE_PARTS_H

#include "html.h"

/* A state as a coloured word. Known by their words: preparing, training, living, playing, finished,
 * ended, stopped, failed, died, learning, steady, suspect, leaking, critical, hung, connecting,
 * lost; another one is grey. */
void page_put_badge(page_html *w, const char *state);

/* Big figures in a row: begin, any number of figures, end. name: by which the feed changes the
 * value (page_news_figure); NULL: it does not. help: below it; NULL: none. */
void page_put_figures_begin(page_html *w);
void page_put_figure(page_html *w, const char *name, const char *label, const char *value,
                     const char *help);
void page_put_figures_end(page_html *w);

/* A bar from 0 to 1; name as above. */
void page_put_bar(page_html *w, const char *name, const char *label, double part_0_1);

/* Name and value, many. */
void page_put_facts_begin(page_html *w);
void page_put_fact(page_html *w, const char *name, const char *value);
void page_put_facts_end(page_html *w);

/* A button that sends a POST to path after it was asked whether it is meant. may_act: the reader
 * brought the token; without it the button says how. */
void page_put_act(page_html *w, const char *path, const char *label, const char *question,
                  bool may_act);

/* A picture that opens large. path: a whole one; version: of its bytes, so that a browser may keep
 * it. width, height: so that nothing moves when it comes; shown whole in a square, or 4:3 where it
 * is wider than high; 0: unknown. */
void page_put_picture(page_html *w, const char *path, unsigned long long version, const char *title,
                      int width, int height);

/* Where nothing is to be shown yet: what will be here, and when. */
void page_put_empty(page_html *w, const char *text);

#endif
