/* live.c: where the view is drawn, or its rows written. */
#include "live.h"

#include "view.h"

struct watch_live {
    watch_live_options o;
    watch_story story;
    watch_view view;
};

vg_status watch_live_create(watch_live **out, const watch_live_options *o, base_mem *mem,
                            vg_error *err)
{
    watch_live *l = base_alloc_zero(mem, 1, sizeof *l, err);
    *out = l;
    if (l == NULL)
        return VG_ERR_MEMORY;
    l->o = *o;
    watch_story_init(&l->story);
    return VG_OK;
}

void watch_live_show(watch_live *l, const watch_moment *m)
{
    vg_watch_screen size = {.columns = 80, .rows = 24};
    const char *text = "";
    watch_story_add(&l->story, m);
    if (l->o.screen_size != NULL && l->o.screen_size(l->o.ctx, &size)) {
        text = watch_view_draw(&l->view, &l->story, &size);
    } else if (l->o.plain) {
        watch_view_rows(l->view.text, &l->story, &size, size.rows);
        text = l->view.text;
    }
    if (text[0] != '\0')
        l->o.screen(l->o.ctx, text);
}

void watch_live_destroy(watch_live **live)
{
    watch_live *l = *live;
    if (l != NULL && l->view.n_rows > 0)
        l->o.screen(l->o.ctx, watch_view_end(&l->view));
    base_free(l);
    *live = NULL;
}
