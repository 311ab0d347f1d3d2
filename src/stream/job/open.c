/* open.c: a stream job before its first frame: what it will take is worked out, summed up,
 * checked against the limit, and only then taken.
 *
 * The network is planned for all of imgsz and the largest batch: a camera may turn up with
 * any shape, and another one tomorrow. Frames of live sources are taken for 1920 x 1080 until they
 * come; larger ones make the sinks' pictures grow, to the largest seen. */
#include <string.h>

#include "fleet.h"
#include "parts.h"
#include "prove.h"
#include "report/report.h"
#include "stream/shared/tracker.h"

enum { ASSUMED_W = 1920, ASSUMED_H = 1080, MOST_AUTO_BATCH = 4, PLAN_CACHE = 8, TRIALS = 3 };

static int least_int(int a, int b)
{
    return a < b ? a : b;
}

static int most_int(int a, int b)
{
    return a > b ? a : b;
}

static int assumed_w(const stream_job *l)
{
    return l->o.assumed_w > 0 ? l->o.assumed_w : ASSUMED_W;
}

static int assumed_h(const stream_job *l)
{
    return l->o.assumed_h > 0 ? l->o.assumed_h : ASSUMED_H;
}

/* ---- what the sources tell ---- */

static bool keeps_every_frame(const stream_job *l)
{
    for (size_t i = 0; i < l->sources.n; i++)
        if (!l->sources.items[i].keeps_all)
            return false;
    return l->sources.n > 0;
}

static video_need need_of_first_frame(stream_job *l, video_source *source)
{
    video_frame *f = NULL;
    video_fault fault;
    video_need need = {0};
    if (video_frame_create(&f, &l->mem->owner[STREAM_LOADING], NULL) == VG_OK &&
        video_source_read(source, f, &fault, NULL) == VIDEO_FRAME)
        need = video_source_need(source);
    video_frame_destroy(&f);
    return need;
}

/* The size and length of a file, or of what is drawn, from its head, and from its first frame what
 * its decoder keeps. One that cannot be opened fails when its turn comes; of drawn ones, which are
 * as they are, pictures that are too large are told now. */
static vg_status probe(stream_job *l, const stream_source *s, video_stream_info *info,
                       video_need *need, vg_error *err)
{
    video_source *source = NULL;
    video_source_options o = s->video;
    video_fault fault;
    o.text = s->texts[0];
    *info = (video_stream_info){0};
    *need = (video_need){0};
    if (s->kind != VIDEO_FILE && s->kind != VIDEO_DRAWN)
        return VG_OK;
    vg_status st =
        video_source_create(&source, &o, &l->stopping, &l->mem->owner[STREAM_LOADING], NULL);
    if (st == VG_OK)
        st = video_source_connect(source, info, &fault, NULL);
    if (st != VG_OK)
        *info = (video_stream_info){0};
    else if (info->w > 0 || s->kind == VIDEO_DRAWN)
        *need = need_of_first_frame(l, source);
    video_source_destroy(&source);
    const bool is_refused =
        st == VG_ERR_LIMIT || (st == VG_OK && need->decoder_bytes == 0); /* none came */
    return s->kind == VIDEO_DRAWN && is_refused
               ? base_fail(err, VG_ERR_LIMIT, s->name, "let it draw smaller ones, 1280x720 say",
                           "no picture is drawn, or one of more than 64 million pixels")
               : VG_OK;
}

/* need: zeros where it is not known. */
static void count_decoder(stream_job *l, const stream_source *s, video_need need)
{
    video_source_options o = s->video;
    o.text = s->texts[0];
    if (need.decoder_bytes == 0)
        need = video_need_assumed(assumed_w(l), assumed_h(l), &o);
    l->decoder_bytes += need.decoder_bytes;
    if (need.picture_bytes > l->picture_bytes)
        l->picture_bytes = need.picture_bytes;
}

/* Whether a picture has the size already that its letterbox would give it. */
static bool is_at_size(const video_stream_info *info, const stream_model *m)
{
    image_letterbox_fit fit;
    return info->w > 0 && info->h > 0 &&
           stream_fit(&fit, m->imgsz.used, m->info.max_stride, info->w, info->h, true, NULL) ==
               VG_OK &&
           fit.new_w == info->w && fit.new_h == info->h;
}

static vg_status look_at_sources(stream_job *l, const stream_model *m, vg_error *err)
{
    stream_setting *s = &l->setting;
    s->most_w = s->most_h = 1;
    stream_shard shard = {0};
    size_t n_looked = 0;
    if (stream_options_have_leases(&l->o))
        stream_shard_parse(&shard, l->o.shard, NULL); /* seen to be one by the sources */
    for (size_t i = 0; i < l->sources.n && n_looked < (size_t)l->n_channels; i++) {
        video_stream_info info;
        video_need need;
        const stream_source *source = &l->sources.items[i];
        /* Of a list that is shared, those that are likely to be read here stand for all. */
        if (shard.of > 0 && stream_shard_owner(source->key, shard.of) != shard.index)
            continue;
        n_looked++;
        const vg_status st = probe(l, source, &info, &need, err);
        if (st != VG_OK)
            return st;
        const bool is_known = info.w > 0 && source->n_texts == 1;
        count_decoder(l, source, is_known ? need : (video_need){0});
        l->makes_rgb |= !is_known || !info.is_420 || is_at_size(&info, m);
        s->most_w = most_int(s->most_w, is_known ? info.w : assumed_w(l));
        s->most_h = most_int(s->most_h, is_known ? info.h : assumed_h(l));
        if (shard.of == 0 && source->n_texts == 1 && source->video.stride > 0 && info.n_frames > 0)
            l->channels[i].n_frames_of =
                ((uint64_t)info.n_frames - 1) / (uint64_t)source->video.stride + 1;
    }
    if (n_looked == 0) {
        n_looked = 1;
        const char *const texts[] = {""};
        const stream_source any = {.texts = texts, .n_texts = 1};
        count_decoder(l, &any, (video_need){0});
        l->makes_rgb = true;
        s->most_w = assumed_w(l);
        s->most_h = assumed_h(l);
    }
    /* Places for sources that a reload may add: like the first ones. */
    l->decoder_bytes = l->decoder_bytes / n_looked * (size_t)l->n_channels;
    return VG_OK;
}

/* ---- plan ---- */

static int post_queue_length(const stream_job *l)
{
    return 2 * l->most_batch;
}

static void plan_sizes(stream_job *l)
{
    const bool is_of_files = stream_sources_are_files(&l->sources);
    stream_options_settle(&l->o, is_of_files);
    const int asked = l->o.batch > 0 ? l->o.batch : MOST_AUTO_BATCH;
    const int n_sources = stream_options_have_leases(&l->o) ? 0 : (int)l->sources.n;
    l->n_channels =
        least_int(most_int(n_sources, most_int(stream_fleet_places(l), 1)), STREAM_MOST_CHANNELS);
    l->most_batch = least_int(least_int(asked, l->n_channels), STREAM_MOST_BATCH);
    l->n_inputs = keeps_every_frame(l) ? STREAM_MOST_INPUTS : 1;
    l->stats.n_channels = l->n_channels;
    l->stats.fleet.is_on = stream_options_have_leases(&l->o);
    l->setting = (stream_setting){.options = &l->o,
                                  .listener = l->listener.result != NULL ? &l->listener : NULL,
                                  .folder = l->folder,
                                  .stats = &l->stats,
                                  .wants_end = &l->stats.wants_end,
                                  .n_channels = l->n_channels,
                                  .keeps_every_frame = keeps_every_frame(l),
                                  .is_of_files = is_of_files,
                                  .mem = &l->mem->owner[STREAM_OUTPUT]};
}

/* Under way between intake and sinks: in inputs, in the queue, and one in post's hand. */
static int n_in_pipeline(const stream_job *l)
{
    return l->n_inputs * l->most_batch + post_queue_length(l) + 1;
}

/* Of frames whose middle is looked at. */
static size_t middle_bytes(const stream_job *l, int size)
{
    const int w = l->setting.most_w, h = l->setting.most_h;
    return l->setting.shape.task->is_whole
               ? (size_t)w * (size_t)h * 3 + image_middle_most_bytes(w > h ? w : h, size)
               : 0;
}

static void make_plan(stream_job *l, const stream_model *m)
{
    stream_accounts *mem = l->mem;
    const base_size in = m->imgsz.used;
    if (!stream_detector_takes_pictures(l->detector))
        l->input_bytes = (size_t)l->most_batch * (size_t)in.h * (size_t)in.w * 3 * sizeof(float);
    const int most_events = l->zones != NULL ? (int)stream_zones_most_events(l->zones) : 0;
    stream_outlet_make_plan(&l->plan, &l->setting, n_in_pipeline(l), most_events);
    mem->planned_bytes[STREAM_FRAMES] =
        mem->owner[STREAM_FRAMES].in_use_bytes + (size_t)l->n_inputs * l->input_bytes +
        stream_intake_bytes(l->n_channels, n_in_pipeline(l) + l->plan.n_frames) +
        (size_t)l->n_channels * stream_capture_bytes() +
        video_scaler_bytes(l->setting.most_w, l->setting.most_h, in.w, in.h, l->makes_rgb) +
        middle_bytes(l, in.h);
    mem->planned_bytes[STREAM_OUTPUT] = mem->owner[STREAM_OUTPUT].in_use_bytes +
                                        stream_outlet_bytes(&l->plan, &l->setting) +
                                        stream_fleet_bytes(l);
    const int n_spare = n_in_pipeline(l) + l->plan.n_frames;
    mem->planned_bytes[STREAM_DECODERS] =
        l->decoder_bytes +
        (size_t)stream_intake_most_held(l->n_channels, n_spare, keeps_every_frame(l)) *
            l->picture_bytes;
    mem->planned_bytes[STREAM_ENCODERS] = stream_outlet_encoder_bytes(&l->plan, &l->setting);
    mem->planned_bytes[STREAM_DETECTIONS] =
        l->o.track ? stream_tracks_bytes(&l->o.tracker, l->follows_camera, l->n_channels) : 0;
}

/* ---- parts ---- */

/* A frame goes up as planes, or, where it has none, as RGB. */
static size_t frame_bytes(const stream_job *l)
{
    const size_t pixels = ((size_t)l->setting.most_w + 1) * ((size_t)l->setting.most_h + 1);
    return l->makes_rgb ? 3 * pixels : pixels / 2 * 3;
}

static stream_detector_options detector_options(const stream_job *l)
{
    return (stream_detector_options){.weights = l->o.weights,
                                     .imgsz = l->o.imgsz,
                                     .batch = l->most_batch,
                                     .threads = l->o.threads,
                                     .plan_cache = PLAN_CACHE,
                                     .augment = l->o.augment,
                                     .isa = l->o.isa[0] != '\0' ? l->o.isa : NULL,
                                     .device = l->o.device,
                                     .half = l->o.half,
                                     .picture_bytes = frame_bytes(l),
                                     .most_pending = l->n_inputs,
                                     .sees_frames = true};
}

static vg_status open_detector(stream_job *l, stream_model *m, vg_error *err)
{
    const stream_detector_options d = detector_options(l);
    return stream_detector_open(&l->detector, m, &d, m->imgsz.used.h, m->imgsz.used.w, l->o.max_det,
                                l->mem, err);
}

static vg_status choose_classes(stream_job *l, vg_error *err)
{
    const int nc = stream_detector_info(l->detector)->nc;
    l->nms = (detect_nms_options){.conf = (float)l->o.conf,
                                  .iou = (float)l->o.iou,
                                  .max_det = l->o.max_det,
                                  .agnostic = l->o.agnostic_nms};
    if (l->o.track)
        l->nms.conf = stream_tracks_candidate_conf(&l->o.tracker, l->nms.conf);
    if (l->o.classes.n == 0 && l->o.classes.names[0] == '\0')
        return VG_OK;
    l->wanted_classes = base_alloc_zero(&l->mem->owner[STREAM_DETECTIONS], (size_t)nc, 1, err);
    if (l->wanted_classes == NULL)
        return VG_ERR_MEMORY;
    for (int i = 0; i < l->o.classes.n; i++) {
        const int c = l->o.classes.at[i];
        if (c < 0 || c >= nc)
            return base_fail(
                err, stream_option_set_at(&l->o, "classes") > 0 ? VG_ERR_FORMAT : VG_ERR_ARGUMENT,
                "option classes", base_mend("use 0 to %d", nc - 1),
                "class %d of a model of %d classes", c, nc);
        l->wanted_classes[c] = 1;
    }
    l->nms.classes = l->wanted_classes;
    const vg_status st = stream_detector_choose_named(l->wanted_classes, l->detector,
                                                      l->o.classes.names, "option classes", err);
    if (st != VG_OK && stream_option_set_at(&l->o, "classes") > 0)
        return err != NULL ? err->status = VG_ERR_FORMAT : VG_ERR_FORMAT;
    return st;
}

/* Zones come before the detector, for the plan; the names of classes are the file's. */
static vg_status open_zones(stream_job *l, const stream_model *m, vg_error *err)
{
    const weights_meta *meta = weights_get_meta(m->file);
    if (l->o.zones[0] == '\0')
        return VG_OK;
    const bool has_names = meta->names != NULL && meta->n_classes >= m->info.nc;
    const stream_zones_scene scene = {.names = has_names ? (const char *const *)meta->names : NULL,
                                      .n_classes = m->info.nc,
                                      .has_masks = task_of(m->info.task)->has_masks,
                                      .n_channels = l->n_channels,
                                      .tracker = &l->o.tracker};
    vg_status st =
        stream_zones_open(&l->zones, l->o.zones, &scene, &l->mem->owner[STREAM_OUTPUT], err);
    if (st == VG_OK && stream_zones_needs_tracks(l->zones))
        l->o.track = true;
    if (st == VG_OK)
        stream_zones_warn(l->zones, l->o.zones, &l->sources);
    return st;
}

/* From its file, once: later changes of it are another job's. */
static vg_status choose_tracker(stream_job *l, vg_error *err)
{
    stream_tracker t;
    const vg_status st = stream_tracker_read(&t, &l->o, &l->mem->owner[STREAM_LOADING], err);
    if (st != VG_OK)
        return st;
    l->o.tracker = t.options;
    l->follows_camera = t.follows_camera;
    return VG_OK;
}

static double run_ms(stream_job *l, int n, int h, int w, vg_status *st, vg_error *err)
{
    double best = 1e30;
    for (int i = 0; i < TRIALS && *st == VG_OK; i++) {
        const int64_t began = base_now_ns();
        *st = stream_detector_run(l->detector, l->batches[0].input, n, h, w, l->mem, err);
        const double ms = base_ms(base_now_ns() - began);
        best = ms < best ? ms : best;
    }
    return best;
}

/* Several sources at once: together when the network is faster that way by more than noise. On a
 * device always: a batch fills more of it, and one way there is for all. */
static vg_status choose_batch(stream_job *l, vg_error *err)
{
    vg_status st = VG_OK;
    image_letterbox_fit fit;
    const int n = l->most_batch;
    if (l->o.batch > 0 || n == 1 || l->mem->device)
        return VG_OK;
    st = stream_detector_fit(&fit, l->detector, l->setting.most_w, l->setting.most_h, true, err);
    if (st != VG_OK)
        return st;
    memset(l->batches[0].input, 0, l->input_bytes);
    const double alone = run_ms(l, 1, fit.out_h, fit.out_w, &st, err),
                 together = run_ms(l, n, fit.out_h, fit.out_w, &st, err) / n;
    l->most_batch = together < 0.95 * alone ? n : 1;
    return st;
}

static vg_status make_buffers(stream_job *l, vg_error *err)
{
    base_mem *frames = &l->mem->owner[STREAM_FRAMES], *plans = &l->mem->owner[STREAM_PLANS];
    vg_status st = stream_intake_create(&l->intake, l->n_channels,
                                        n_in_pipeline(l) + l->plan.n_frames, frames, err);
    if (st == VG_OK)
        st = video_scaler_create(&l->scaler, frames, err);
    const struct {
        base_queue **queue;
        int capacity;
    } queues[] = {
        {&l->blank, l->n_inputs}, {&l->to_infer, l->n_inputs}, {&l->to_post, post_queue_length(l)}};
    for (size_t i = 0; i < sizeof queues / sizeof *queues && st == VG_OK; i++)
        st = base_queue_create(queues[i].queue, (size_t)queues[i].capacity, BASE_QUEUE_BLOCK, plans,
                               err);
    const int w = l->setting.most_w, h = l->setting.most_h;
    if (st == VG_OK && l->setting.shape.task->is_whole)
        st = image_buffer_reserve(&l->rgb, w, h, frames, err);
    if (st == VG_OK && l->setting.shape.task->is_whole)
        st = stream_prepare_reserve(&l->scratch, stream_detector_info(l->detector),
                                    stream_detector_imgsz(l->detector).h,
                                    stream_detector_imgsz(l->detector).w, h, w, frames, err);
    for (int i = 0; i < l->n_inputs && st == VG_OK; i++) {
        if (l->input_bytes == 0) { /* frames go up as they are */
            base_queue_push(l->blank, &l->batches[i], NULL);
            continue;
        }
        l->batches[i].input = base_alloc(frames, l->input_bytes, err);
        if (l->batches[i].input == NULL)
            return VG_ERR_MEMORY;
        memset(l->batches[i].input, 0, l->input_bytes); /* every page is there */
        base_queue_push(l->blank, &l->batches[i], NULL);
    }
    return st;
}

static vg_status open_outlet(stream_job *l, vg_error *err)
{
    vg_status st = VG_OK;
    if (l->o.track)
        st = stream_tracks_open(&l->tracks, &l->o.tracker, l->follows_camera, l->n_channels,
                                &l->mem->owner[STREAM_DETECTIONS], err);
    if (st == VG_OK && l->plan.needs_folder)
        st = report_run_folder_make(l->folder, sizeof l->folder, l->o.project, l->o.name,
                                    l->o.exist_ok, &l->n_made, err);
    l->stats.has_tracks = l->tracks != NULL;
    l->setting.detector = l->detector;
    l->setting.zones = l->zones;
    if (st == VG_OK)
        st = stream_outlet_open(&l->outlet, &l->plan, &l->setting, &l->stats, l->intake, err);
    return st;
}

vg_status stream_parts_check(stream_job *l, vg_error *err)
{
    stream_model model = {0};
    vg_status st = stream_sources_open(&l->sources, &l->o, &l->mem->owner[STREAM_OUTPUT], err);
    if (st == VG_OK)
        st = stream_model_open(&model, l->o.weights, l->o.task, l->o.imgsz, l->mem, err);
    if (st != VG_OK)
        return st;
    plan_sizes(l);
    st = stream_options_prove(&l->o, &l->mem->owner[STREAM_LOADING], err);
    if (st == VG_OK)
        st = choose_tracker(l, err);
    if (st == VG_OK)
        st = look_at_sources(l, &model, err);
    if (st == VG_OK)
        st = open_zones(l, &model, err);
    const stream_detector_options d = detector_options(l);
    if (st == VG_OK)
        st = stream_detector_begin(&l->detector, &model, &d, l->mem, err);
    if (st == VG_OK) {
        const base_size in = model.imgsz.used;
        l->setting.shape = stream_detector_shape(&model.info, &d, in.h, in.w, l->o.max_det);
        make_plan(l, &model);
        if (l->plan.needs_folder)
            st = report_run_folder_check(l->o.project, l->o.name, l->o.exist_ok, err);
    }
    if (st == VG_OK)
        st = open_detector(l, &model, err);
    stream_model_close(&model);
    if (st == VG_OK)
        st = choose_classes(l, err);
    return st;
}

vg_status stream_parts_open(stream_job *l, vg_error *err)
{
    vg_status st = stream_parts_check(l, err);
    if (st == VG_OK)
        st = make_buffers(l, err);
    if (st == VG_OK)
        st = choose_batch(l, err);
    if (st == VG_OK)
        st = open_outlet(l, err);
    return st;
}

void stream_parts_free(stream_job *l)
{
    stream_tracks_close(&l->tracks);
    stream_zones_close(&l->zones);
    base_queue_destroy(&l->blank);
    base_queue_destroy(&l->to_infer);
    base_queue_destroy(&l->to_post);
    video_scaler_destroy(&l->scaler);
    image_buffer_fini(&l->rgb);
    image_scratch_fini(&l->scratch);
    stream_intake_destroy(&l->intake);
    for (int i = 0; i < STREAM_MOST_INPUTS; i++)
        base_free(l->batches[i].input);
    base_free(l->wanted_classes);
    stream_detector_close(&l->detector);
    stream_sources_close(&l->sources);
}
