/* figures.h: numbers as people read them, for reports, the page and the live view. */
#ifndef WATCH_FIGURES_H
#define WATCH_FIGURES_H

#include "verdict.h"

enum { WATCH_FIGURE_BYTES = 48 };

/* Each returns buf. "3.4 MB", "17", "0.42", "12 min"; "-" for what is not known. */
const char *watch_amount(char buf[WATCH_FIGURE_BYTES], watch_unit unit, double value);
/* "40 s", "12 min", "3.5 h", "6.2 days"; "never" when infinite. */
const char *watch_duration(char buf[WATCH_FIGURE_BYTES], double s);
/* What is drawn of a series: of a COUNTER its rate, "1.2 MB/s". */
const char *watch_drawn_amount(char buf[WATCH_FIGURE_BYTES], watch_series s, double value);
/* "+12.3 MB/h, limit 8 GB in 3.5 h (3.1 h to 4.2 h)", of a rising series. */
enum { WATCH_FORECAST_BYTES = 256 };
const char *watch_forecast(char buf[WATCH_FORECAST_BYTES], watch_series s, const watch_verdict *v);
/* Ticks of an axis: the least nice step that makes at most `most` steps of span. */
double watch_nice_step(double span, int most, watch_unit unit);

#endif
