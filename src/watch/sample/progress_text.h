/* progress_text.h: what trainers write as they go, read a piece at a time: tables of results and
 * TensorBoard's event files. Pure functions over bytes; any bytes will do. For this folder. */
#ifndef WATCH_PROGRESS_TEXT_H
#define WATCH_PROGRESS_TEXT_H

#include "base/base.h"

/* results.csv, metrics.csv: columns found by the names "epoch", "time", "step". Zeroed is valid;
 * pieces may be cut anywhere, and a row counts when its line has ended. */
typedef struct progress_csv {
    double rows;                  /* below the header */
    double epoch, first_epoch;    /* as they stand; NAN in rows without */
    double step, time_s, epoch_s; /* epoch_s: time from the row before */
    bool has_epoch, has_time, has_step;
    /* of the reader */
    bool has_header, is_long, row_has_text;
    int column, epoch_at, time_at, step_at; /* columns from 1; 0: none */
    double row_epoch, row_time_s, row_step;
    size_t n_field;
    char field[40];
} progress_csv;
void progress_csv_add(progress_csv *c, const char *text, size_t n);
/* Epochs done: numbers that begin at 0 are one behind; without the column every row is one. */
double progress_csv_epochs(const progress_csv *c);

/* A record of an event file: 8 bytes of length, 4 of its check, the event, 4 of its check; numbers
 * little endian. */
enum { PROGRESS_EVENT_HEAD = 12, PROGRESS_EVENT_TAIL = 4, PROGRESS_EVENT_LOOK = 64 };
/* bytes: the head and what follows of it, n at least PROGRESS_EVENT_HEAD. *size: of the whole
 * record; step: the event's, untouched where it has none. False: no such file. */
bool progress_event_parse(uint64_t *size, int64_t *step, const uint8_t *bytes, size_t n);

#endif
