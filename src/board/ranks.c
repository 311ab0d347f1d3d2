/* ranks.c: of a training by several processes, who waits for whom. */
#include "draw.h"

void board_put_ranks(page_html *w, const vg_train_ranks *r)
{
    char text[PAGE_FIGURE_BYTES];
    const vg_rank_wait *first = &r->shown[0];
    if (r->n_ranks == 0)
        return;
    page_put(w, "<h2>Ranks</h2><div class='card note%s'>", r->is_slow ? " failed" : "");
    if (r->is_slow)
        page_put(w,
                 "<p><b>what</b>Rank %d on %s is slow: the others wait for it %.0f %% of the time."
                 "</p><p><b>try</b>see what else runs there, and whether its processors and its "
                 "disk are those of the other machines</p>",
                 first->rank, first->host, 100 * r->for_slowest);
    else
        page_put(w,
                 "<p class=all>No rank holds the others up: they wait for rank %d on %s %.0f %% "
                 "of the time.</p>",
                 first->rank, first->host, 100 * r->for_slowest);
    page_put(w, "<p class=all>Numbers on their way cost all of them %.0f %%.</p></div>",
             100 * r->exchange);
    page_put(w, "<div class=scroll><table><thead><tr><th class=n>Rank<th>Machine<th class=n>Waits"
                "<th>Part of its time</thead><tbody>");
    for (int i = 0; i < r->n_shown; i++) {
        const vg_rank_wait *k = &r->shown[i];
        page_put(w,
                 "<tr><td class=n>%d<td>%s<td class=n>%.0f %%<td><progress max=1 value=%.4f "
                 "aria-label='rank %d waits'></progress>",
                 k->rank, k->host, 100 * k->waiting, k->waiting, k->rank);
    }
    page_put(w, "</tbody></table></div>");
    if (r->n_ranks > r->n_shown)
        page_put(w, "<p>%s more wait longer.</p>",
                 page_figure(text, PAGE_NUMBER, r->n_ranks - r->n_shown));
}
