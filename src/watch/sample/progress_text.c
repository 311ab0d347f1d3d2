/* progress_text.c: the readers of progress_text.h. The event's fields: tensorflow's event.proto:
 * 1 wall_time (double), 2 step (varint), then one of several messages. */
#include "progress_text.h"

#include <math.h>
#include <string.h>

/* A picture or a histogram of all weights; more is no event file. */
static const uint64_t MOST_EVENT_BYTES = UINT64_C(1) << 32;

/* ---- tables ---- */

static void end_field(progress_csv *c)
{
    double v;
    c->column++;
    c->field[c->n_field] = '\0';
    while (c->n_field > 0 && c->field[c->n_field - 1] == ' ')
        c->field[--c->n_field] = '\0';
    const bool fits = !c->is_long;
    c->n_field = 0;
    c->is_long = false;
    if (!fits)
        return;
    if (!c->has_header) {
        if (base_equal_nocase(c->field, "epoch"))
            c->epoch_at = c->column;
        else if (base_equal_nocase(c->field, "time"))
            c->time_at = c->column;
        else if (base_equal_nocase(c->field, "step") || base_equal_nocase(c->field, "global_step"))
            c->step_at = c->column;
    } else if (base_parse_double(&v, c->field) && isfinite(v) && v >= 0) {
        if (c->column == c->epoch_at)
            c->row_epoch = v;
        else if (c->column == c->time_at)
            c->row_time_s = v;
        else if (c->column == c->step_at)
            c->row_step = v;
    }
}

static void end_row(progress_csv *c)
{
    end_field(c);
    const bool counts = c->row_has_text;
    c->column = 0;
    c->row_has_text = false;
    if (!c->has_header) {
        c->has_header = counts;
    } else if (counts) {
        c->rows++;
        if (!isnan(c->row_epoch)) {
            c->first_epoch = c->has_epoch ? c->first_epoch : c->row_epoch;
            c->epoch = c->row_epoch;
            c->has_epoch = true;
        }
        if (!isnan(c->row_time_s)) {
            /* A resumed run counts from its own start. */
            const bool goes_on = c->has_time && c->row_time_s >= c->time_s;
            c->epoch_s = goes_on ? c->row_time_s - c->time_s : c->row_time_s;
            c->time_s = c->row_time_s;
            c->has_time = true;
        }
        if (!isnan(c->row_step)) {
            c->step = c->row_step;
            c->has_step = true;
        }
    }
    c->row_epoch = c->row_time_s = c->row_step = NAN;
}

void progress_csv_add(progress_csv *c, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char ch = text[i];
        if (ch == '\n') {
            end_row(c);
        } else if (ch == ',') {
            c->row_has_text = true;
            end_field(c);
        } else if (ch != '\r' && !(ch == ' ' && c->n_field == 0) && ch != '"' && ch != '\0') {
            c->row_has_text = true;
            if (c->n_field + 1 < sizeof c->field)
                c->field[c->n_field++] = ch;
            else
                c->is_long = true;
        }
    }
}

double progress_csv_epochs(const progress_csv *c)
{
    if (!c->has_epoch)
        return c->rows;
    return c->epoch + (c->first_epoch == 0 ? 1 : 0);
}

/* ---- event files ---- */

static uint64_t little_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

bool progress_event_parse(uint64_t *size, int64_t *step, const uint8_t *bytes, size_t n)
{
    enum { WALL_TIME = 1 << 3 | 1, STEP = 2 << 3 };
    const uint64_t length = little_endian(bytes, 8);
    if (length > MOST_EVENT_BYTES)
        return false;
    *size = length + PROGRESS_EVENT_HEAD + PROGRESS_EVENT_TAIL;
    const uint8_t *at = bytes + PROGRESS_EVENT_HEAD;
    size_t left = n - PROGRESS_EVENT_HEAD;
    if (left > length)
        left = (size_t)length;
    if (left >= 9 && at[0] == WALL_TIME) {
        at += 9;
        left -= 9;
    }
    if (left == 0 || *at != STEP)
        return true;
    uint64_t v = 0;
    for (size_t i = 1, shift = 0; i < left && shift < 63; i++, shift += 7) {
        v |= (uint64_t)(at[i] & 0x7f) << shift;
        if (!(at[i] & 0x80)) {
            *step = (int64_t)v;
            break;
        }
    }
    return true;
}
