/* curves.c: columns of results.csv as charts: of one run, training beside validation; of several, a
 * line each. */
#include <math.h>
#include <string.h>

#include "draw.h"

/* ---- columns ---- */

enum { MOST_PANELS = VG_MOST_LOSSES + 8 };

typedef struct column {
    const char *name;  /* in the legend */
    size_t offset;     /* of a double of vg_train_epoch; SIZE_MAX: what an epoch took */
    bool is_validated; /* NAN where it was not */
    bool is_dashed;
} column;

#define AT(field) offsetof(vg_train_epoch, field)
typedef struct panel {
    const char *name, *title, *help;
    page_unit unit;
    double least, most; /* as of page_chart */
    bool is_wide, can_log;
    size_t n;
    column columns[3];
} panel;

/* Those of tasks with boxes; keys of the second ones begin with their letter in results.csv. */
static const panel of_boxes[] = {
    {"metrics/mAP",
     "mAP",
     "mean average precision",
     PAGE_NUMBER,
     0,
     1,
     true,
     false,
     2,
     {{"mAP50-95", AT(map), true, false}, {"mAP50", AT(map50), true, false}}},
    {"metrics/PR",
     "Precision and recall",
     NULL,
     PAGE_NUMBER,
     0,
     1,
     false,
     false,
     2,
     {{"precision", AT(precision), true, false}, {"recall", AT(recall), true, false}}}};
static const panel of_second[] = {
    {"metrics/second",
     "mAP of masks",
     "mean average precision",
     PAGE_NUMBER,
     0,
     1,
     false,
     false,
     2,
     {{"mAP50-95", AT(second.map), true, false}, {"mAP50", AT(second.map50), true, false}}},
    {"metrics/secondPR",
     "Precision and recall of masks",
     NULL,
     PAGE_NUMBER,
     0,
     1,
     false,
     false,
     2,
     {{"precision", AT(second.precision), true, false},
      {"recall", AT(second.recall), true, false}}}};
static const panel of_classes = {
    "metrics/accuracy",
    "Accuracy",
    "pictures whose class came first; among the first five",
    PAGE_NUMBER,
    0,
    1,
    true,
    false,
    2,
    {{"top 1", AT(top1), true, false}, {"top 5", AT(top5), true, false}}};
static const panel of_every_run[] = {{"lr",
                                      "Learning rate",
                                      "weights, norms, biases",
                                      PAGE_NUMBER,
                                      0,
                                      0,
                                      false,
                                      true,
                                      3,
                                      {{"pg0", AT(lr[0]), false, false},
                                       {"pg1", AT(lr[1]), false, true},
                                       {"pg2", AT(lr[2]), false, false}}},
                                     {"time/epoch",
                                      "Time of an epoch",
                                      NULL,
                                      PAGE_SECONDS,
                                      0,
                                      0,
                                      false,
                                      true,
                                      1,
                                      {{"epoch", SIZE_MAX, false, false}}}};

static const struct loss_title {
    const char *loss, *key, *title;
} loss_titles[] = {{"box_loss", "loss/box", "Box loss"},
                   {"cls_loss", "loss/cls", "Class loss"},
                   {"dfl_loss", "loss/dfl", "DFL loss"},
                   {"seg_loss", "loss/seg", "Mask loss"},
                   {"pose_loss", "loss/pose", "Keypoint loss"},
                   {"kobj_loss", "loss/kobj", "Keypoint visibility loss"},
                   {"loss", "loss/loss", "Loss"}};

static panel loss_panel(const report_columns *c, int k)
{
    const size_t at = (size_t)k * sizeof(double);
    panel p = {.name = "loss/other",
               .title = report_columns_loss(c, k),
               .unit = PAGE_NUMBER,
               .can_log = true,
               .n = 2,
               .columns = {{"train", AT(train_loss) + at, false, false},
                           {"val", AT(val_loss) + at, true, true}}};
    for (size_t i = 0; i < sizeof loss_titles / sizeof *loss_titles; i++)
        if (strcmp(loss_titles[i].loss, p.title) == 0) {
            p.name = loss_titles[i].key;
            p.title = loss_titles[i].title;
            break;
        }
    return p;
}

/* The panels of a run's columns; returns how many. */
static size_t choose_panels(panel out[MOST_PANELS], const report_columns *c)
{
    size_t n = 0;
    for (size_t i = 0; i < 2 && c->has_boxes; i++)
        out[n++] = of_boxes[i];
    for (size_t i = 0; i < 2 && c->second != 0; i++) {
        out[n] = of_second[i];
        if (c->second == 'P')
            out[n].title = i == 0 ? "mAP of keypoints" : "Precision and recall of keypoints";
        n++;
    }
    if (!c->has_boxes)
        out[n++] = of_classes;
    for (int k = 0; k < c->n_losses; k++)
        out[n++] = loss_panel(c, k);
    for (size_t i = 0; i < sizeof of_every_run / sizeof *of_every_run; i++)
        out[n++] = of_every_run[i];
    return n;
}

static double value_of(const board_rows *r, size_t i, const column *c)
{
    if (c->offset == SIZE_MAX)
        return r->rows[i].seconds - (i > 0 ? r->rows[i - 1].seconds : 0);
    const char *row = (const char *)&r->rows[i];
    double v;
    memcpy(&v, row + c->offset, sizeof v);
    return v;
}

/* ---- lines ---- */

enum { MOST_LINES = 2 * BOARD_MOST_COMPARED + 6 };

typedef struct drawing {
    page_html *w;
    const board_look *look;
    size_t n;
    page_line lines[MOST_LINES];
    double *rooms[MOST_LINES];
} drawing;

static double x_at(const board_rows *r, size_t i, bool by_time)
{
    return by_time ? r->rows[i].seconds : r->rows[i].epoch;
}

/* y smoothed: the mean of what came before, older values weighing less; gaps stay. */
static void smooth(double *out, const double *y, size_t n, double keep)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = y[i];
        if (!isfinite(y[i]))
            continue;
        sum = keep * sum + (1 - keep) * y[i];
        weight = keep * weight + (1 - keep);
        out[i] = sum / weight;
    }
}

/* Two lines where it is smoothed: the raw one faint behind. */
static void add_line(drawing *d, const board_rows *r, const column *c, const char *name, int colour)
{
    double *room = base_alloc(d->w->mem, (3 * r->n + 1) * sizeof *room, d->w->err);
    if (room == NULL) {
        d->w->st = VG_ERR_MEMORY;
        return;
    }
    double *x = room, *y = room + r->n, *soft = y + r->n;
    size_t n_drawn = 0;
    for (size_t i = 0; i < r->n; i++) {
        x[i] = x_at(r, i, d->look->by_time);
        y[i] = value_of(r, i, c);
        n_drawn += isfinite(y[i]) ? 1 : 0;
    }
    d->rooms[d->n] = room;
    page_line line = {.name = name,
                      .n = r->n,
                      .x = x,
                      .y = y,
                      .colour = colour,
                      .is_dashed = c->is_dashed,
                      .is_faint = d->look->smooth > 0 && n_drawn > 1};
    d->lines[d->n++] = line;
    if (!line.is_faint)
        return;
    smooth(soft, y, r->n, d->look->smooth);
    line.y = soft;
    line.is_faint = false;
    d->rooms[d->n] = NULL;
    d->lines[d->n++] = line;
}

static void put_drawing(drawing *d, const panel *p, const char *name, const char *title)
{
    page_put_chart(d->w, &(page_chart){.name = name,
                                       .title = title,
                                       .help = p->help,
                                       .x_unit = d->look->by_time ? PAGE_SECONDS : PAGE_COUNT,
                                       .y_unit = p->unit,
                                       .lines = d->lines,
                                       .n_lines = d->n,
                                       .least = p->least,
                                       .most = p->most,
                                       .is_wide = p->is_wide,
                                       .is_log = p->can_log && d->look->is_log});
    for (size_t i = 0; i < d->n; i++)
        base_free(d->rooms[i]);
    d->n = 0;
}

void board_put_run_curves(page_html *w, const board_rows *run, const board_look *k)
{
    drawing d = {.w = w, .look = k};
    panel panels[MOST_PANELS];
    const size_t n_panels = choose_panels(panels, run->columns);
    page_put(w, "<div class=grid>");
    for (size_t i = 0; i < n_panels && w->st == VG_OK; i++) {
        for (size_t c = 0; c < panels[i].n; c++)
            add_line(&d, run, &panels[i].columns[c], panels[i].columns[c].name, (int)c);
        put_drawing(&d, &panels[i], panels[i].name, panels[i].title);
    }
    page_put(w, "</div>");
}

void board_put_overlaid(page_html *w, const board_rows *runs, size_t n, const board_look *k)
{
    drawing d = {.w = w, .look = k};
    panel panels[MOST_PANELS];
    /* Runs of other tasks have lines where they have such columns; the first says which there are.
     */
    const size_t n_panels = n > 0 ? choose_panels(panels, runs[0].columns) : 0;
    page_put(w, "<div class=grid>");
    for (size_t i = 0; i < n_panels; i++)
        for (size_t c = 0; c < panels[i].n && w->st == VG_OK; c++) {
            char title[64], name[64];
            panel p = panels[i];
            p.is_wide = i == 0 && c == 0;
            p.help = NULL;
            column shown = panels[i].columns[c];
            shown.is_dashed = false;
            base_format(name, sizeof name, "%s/%s", p.name, shown.name);
            base_format(title, sizeof title, "%s%s%s", p.title, p.n > 1 ? ": " : "",
                        p.n > 1 ? shown.name : "");
            for (size_t r = 0; r < n && r < BOARD_MOST_COMPARED; r++)
                add_line(&d, &runs[r], &shown, runs[r].name, (int)r);
            put_drawing(&d, &p, name, title);
        }
    page_put(w, "</div>");
}

/* ---- a living run ---- */

void board_loss_word(char *out, size_t n, const char *loss)
{
    const char *end = strstr(loss, "_loss");
    base_format(out, n, "%.*s", (int)(end != NULL ? (size_t)(end - loss) : strlen(loss)), loss);
}

void board_put_course(page_html *w, const board_course *c, size_t planned_bytes,
                      const board_look *k)
{
    char names[VG_MOST_LOSSES][16];
    const report_names names_of = train_report_names(c->task);
    const double *x = k->by_time ? c->seconds : c->epoch;
    const page_unit x_unit = k->by_time ? PAGE_SECONDS : PAGE_NUMBER;
    page_line losses[VG_MOST_LOSSES];
    for (int i = 0; i < c->n_losses; i++) {
        board_loss_word(names[i], sizeof names[i], i < names_of.n_losses ? names_of.losses[i] : "");
        losses[i] = (page_line){.name = names[i], .n = c->n, .x = x, .y = c->loss[i], .colour = i};
    }
    const page_line speed = {.name = "pictures", .n = c->n, .x = x, .y = c->pictures_per_s},
                    memory = {.name = "resident", .n = c->n, .x = x, .y = c->resident, .colour = 2};
    const page_limit plan = {.y = (double)planned_bytes, .text = "plan"};
    page_put(w, "<div class=grid>");
    page_put_chart(w, &(page_chart){.name = "live/loss",
                                    .title = "Loss so far in its epoch",
                                    .x_unit = x_unit,
                                    .lines = losses,
                                    .n_lines = (size_t)c->n_losses,
                                    .is_log = k->is_log});
    page_put_chart(w, &(page_chart){.name = "live/speed",
                                    .title = "Speed",
                                    .help = "pictures",
                                    .x_unit = x_unit,
                                    .y_unit = PAGE_PER_S,
                                    .lines = &speed,
                                    .n_lines = 1});
    page_put_chart(w, &(page_chart){.name = "live/memory",
                                    .title = "Memory",
                                    .help = "of the process, and its plan",
                                    .x_unit = x_unit,
                                    .y_unit = PAGE_BYTES,
                                    .lines = &memory,
                                    .n_lines = 1,
                                    .limits = &plan,
                                    .n_limits = planned_bytes > 0});
    page_put(w, "</div>");
}
