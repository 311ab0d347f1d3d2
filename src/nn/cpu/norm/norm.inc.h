/* norm.inc.h: batch normalisation and SiLU both ways, written once for every instruction set.
 *
 * A chunk's channels are taken a vector or two at a time down all its pixels, with the channels'
 * constants in registers. The sigmoid is computed again in backward: cheaper than storing it. */

/* Channels [c, c + n) of the pixels of a chunk. */
typedef struct norm_span {
    size_t first, count; /* pixels */
    int c, n;
} norm_span;

/* 1 / (1 + exp(-t)); below -87 it stays where it is there. */
static inline vf vf_sigmoid(vf t)
{
    const vf e = vf_exp2(vf_mul(vf_max(vf_set1(-87.0F), t), vf_set1(-1.44269504F)));
    return vf_inverse(vf_add(e, vf_set1(1.0F)));
}

/* d silu / dt = s (1 + t (1 - s)). */
static inline vf vf_silu_slope(vf t)
{
    const vf s = vf_sigmoid(t), one = vf_set1(1.0F);
    return vf_mul(s, vf_fma(t, vf_sub(one, s), one));
}

ALWAYS_INLINE vf span_load(const float *p, const bool whole, int n)
{
    return whole ? vf_load(p) : vf_load_n(p, n);
}

ALWAYS_INLINE void span_store(float *p, vf a, const bool whole, int n)
{
    if (whole)
        vf_store(p, a);
    else
        vf_store_n(p, a, n);
}

/* Most vectors of a span: what 16 or 32 registers hold the constants of. Wide spans matter where
 * maps come from memory: the prefetcher wants whole pixels. */
#define SPAN_V (VF_LANES == 16 ? 4 : 2)

/* Runs BODY(V, whole, span) over the channels of chunks [begin, end): SPAN_V vectors at a time,
 * then one, then what is left of one. The two are constants in the body, which is inlined. */
#define FOR_SPANS(map, BODY)                                                                       \
    for (size_t chunk = begin; chunk < end; chunk++) {                                             \
        norm_span s = {0};                                                                         \
        s.count = cpu_chunk_count(map, chunk, &s.first);                                           \
        while (s.c < (map)->c) {                                                                   \
            const int left = (map)->c - s.c, wide = SPAN_V * VF_LANES;                             \
            s.n = left >= wide           ? wide                                                    \
                  : left >= 2 * VF_LANES ? 2 * VF_LANES                                            \
                  : left >= VF_LANES     ? VF_LANES                                                \
                                         : left;                                                       \
            if (s.n == wide)                                                                       \
                BODY(SPAN_V, true, s);                                                             \
            else if (s.n == 2 * VF_LANES)                                                          \
                BODY(2, true, s);                                                                  \
            else if (s.n == VF_LANES)                                                              \
                BODY(1, true, s);                                                                  \
            else                                                                                   \
                BODY(1, false, s);                                                                 \
            s.c += s.n;                                                                            \
        }                                                                                          \
    }

ALWAYS_INLINE void moments_span(float *part, const nn_map *z, const int V, const bool whole,
                                norm_span s)
{
    const float *from = z->data + s.first * z->pitch + s.c;
    vf mean[SPAN_V], m2[SPAN_V];
    const vf inverse = vf_set1(1.0F / (float)s.count);
    UNROLLED
    for (int v = 0; v < V; v++)
        mean[v] = m2[v] = vf_zero();
    const float *p = from;
    for (size_t i = 0; i < s.count; i++, p += z->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++)
            mean[v] = vf_add(mean[v], span_load(p + v * VF_LANES, whole, s.n));
    }
    UNROLLED
    for (int v = 0; v < V; v++)
        mean[v] = vf_mul(mean[v], inverse);
    p = from;
    for (size_t i = 0; i < s.count; i++, p += z->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++) {
            const vf d = vf_sub(span_load(p + v * VF_LANES, whole, s.n), mean[v]);
            m2[v] = vf_fma(d, d, m2[v]);
        }
    }
    UNROLLED
    for (int v = 0; v < V; v++) {
        span_store(part + s.c + v * VF_LANES, mean[v], whole, s.n);
        span_store(part + z->c + s.c + v * VF_LANES, m2[v], whole, s.n);
    }
}

static void moments_run(float *parts, const nn_map *z, size_t begin, size_t end){
#define BODY(V, whole, s) moments_span(parts + chunk * 2 * (size_t)z->c, z, V, whole, s)
    FOR_SPANS(z, BODY)
#undef BODY
}

ALWAYS_INLINE
    void norm_span_run(const cpu_norm *k, const nn_map *dst, const nn_map *z, const nn_map *add,
                       const bool silu, const int V, const bool whole, norm_span s)
{
    vf scale[SPAN_V], shift[SPAN_V];
    UNROLLED
    for (int v = 0; v < V; v++) {
        scale[v] = span_load(k->scale + s.c + v * VF_LANES, whole, s.n);
        shift[v] = span_load(k->shift + s.c + v * VF_LANES, whole, s.n);
    }
    const float *from = z->data + s.first * z->pitch + s.c;
    const float *more = add ? add->data + s.first * add->pitch + s.c : NULL;
    float *to = dst->data + s.first * dst->pitch + s.c;
    for (size_t i = 0; i < s.count; i++, from += z->pitch, to += dst->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++) {
            vf y = vf_fma(span_load(from + v * VF_LANES, whole, s.n), scale[v], shift[v]);
            if (silu)
                y = vf_mul(y, vf_sigmoid(y));
            if (more)
                y = vf_add(y, span_load(more + v * VF_LANES, whole, s.n));
            span_store(to + v * VF_LANES, y, whole, s.n);
        }
        if (more)
            more += add->pitch;
    }
}

static void norm_run(const cpu_norm *p, const nn_map *dst, const nn_map *z, const nn_map *add,
                     size_t begin, size_t end){
#define BODY(V, whole, s)                                                                          \
    (p->silu ? norm_span_run(p, dst, z, add, true, V, whole, s)                                    \
             : norm_span_run(p, dst, z, add, false, V, whole, s))
    FOR_SPANS(z, BODY)
#undef BODY
}

ALWAYS_INLINE void norm_sums_span(const cpu_norm *k, float *part, const nn_map *z, const nn_map *dy,
                                  const bool silu, const int V, const bool whole, norm_span s)
{
    vf scale[SPAN_V], shift[SPAN_V], mean[SPAN_V], sum[SPAN_V], sum_z[SPAN_V];
    UNROLLED
    for (int v = 0; v < V; v++) {
        scale[v] = span_load(k->scale + s.c + v * VF_LANES, whole, s.n);
        shift[v] = span_load(k->shift + s.c + v * VF_LANES, whole, s.n);
        mean[v] = span_load(k->mean + s.c + v * VF_LANES, whole, s.n);
        sum[v] = sum_z[v] = vf_zero();
    }
    const float *from = z->data + s.first * z->pitch + s.c;
    const float *grad = dy->data + s.first * dy->pitch + s.c;
    for (size_t i = 0; i < s.count; i++, from += z->pitch, grad += dy->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++) {
            const vf x = span_load(from + v * VF_LANES, whole, s.n);
            vf g = span_load(grad + v * VF_LANES, whole, s.n);
            if (silu)
                g = vf_mul(g, vf_silu_slope(vf_fma(x, scale[v], shift[v])));
            sum[v] = vf_add(sum[v], g);
            sum_z[v] = vf_fma(g, vf_sub(x, mean[v]), sum_z[v]);
        }
    }
    UNROLLED
    for (int v = 0; v < V; v++) {
        span_store(part + s.c + v * VF_LANES, sum[v], whole, s.n);
        span_store(part + z->c + s.c + v * VF_LANES, sum_z[v], whole, s.n);
    }
}

static void norm_sums_run(const cpu_norm *p, float *parts, const nn_map *z, const nn_map *dy,
                          size_t begin, size_t end){
#define PART (parts + chunk * 2 * (size_t)z->c)
#define BODY(V, whole, s)                                                                          \
    (p->silu ? norm_sums_span(p, PART, z, dy, true, V, whole, s)                                   \
             : norm_sums_span(p, PART, z, dy, false, V, whole, s))
    FOR_SPANS(z, BODY)
#undef BODY
#undef PART
}

ALWAYS_INLINE void norm_back_span(const cpu_norm_back *k, const nn_map *z, const nn_map *dy,
                                  const bool silu, const int V, const bool whole, norm_span s)
{
    vf scale[SPAN_V], shift[SPAN_V], slope[SPAN_V], offset[SPAN_V];
    UNROLLED
    for (int v = 0; v < V; v++) {
        const vf mean = span_load(k->norm.mean + s.c + v * VF_LANES, whole, s.n);
        scale[v] = span_load(k->norm.scale + s.c + v * VF_LANES, whole, s.n);
        shift[v] = span_load(k->norm.shift + s.c + v * VF_LANES, whole, s.n);
        slope[v] = span_load(k->slope + s.c + v * VF_LANES, whole, s.n);
        offset[v] =
            vf_sub(span_load(k->offset + s.c + v * VF_LANES, whole, s.n), vf_mul(slope[v], mean));
    }
    float *at = z->data + s.first * z->pitch + s.c;
    const float *grad = dy->data + s.first * dy->pitch + s.c;
    for (size_t i = 0; i < s.count; i++, at += z->pitch, grad += dy->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++) {
            const vf x = span_load(at + v * VF_LANES, whole, s.n);
            vf g = span_load(grad + v * VF_LANES, whole, s.n);
            if (silu)
                g = vf_mul(g, vf_silu_slope(vf_fma(x, scale[v], shift[v])));
            span_store(at + v * VF_LANES, vf_fma(scale[v], g, vf_fma(slope[v], x, offset[v])),
                       whole, s.n);
        }
    }
}

static void norm_back_run(const cpu_norm_back *p, const nn_map *z, const nn_map *dy, size_t begin,
                          size_t end){
#define BODY(V, whole, s)                                                                          \
    (p->norm.silu ? norm_back_span(p, z, dy, true, V, whole, s)                                    \
                  : norm_back_span(p, z, dy, false, V, whole, s))
    FOR_SPANS(z, BODY)
#undef BODY
}

ALWAYS_INLINE
    void sums_span(float *part, const nn_map *dy, const int V, const bool whole, norm_span s)
{
    vf sum[SPAN_V];
    UNROLLED
    for (int v = 0; v < V; v++)
        sum[v] = vf_zero();
    const float *from = dy->data + s.first * dy->pitch + s.c;
    for (size_t i = 0; i < s.count; i++, from += dy->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++)
            sum[v] = vf_add(sum[v], span_load(from + v * VF_LANES, whole, s.n));
    }
    UNROLLED
    for (int v = 0; v < V; v++)
        span_store(part + s.c + v * VF_LANES, sum[v], whole, s.n);
}

static void sums_run(float *parts, const nn_map *dy, size_t begin, size_t end){
#define BODY(V, whole, s) sums_span(parts + chunk * (size_t)dy->c, dy, V, whole, s)
    FOR_SPANS(dy, BODY)
#undef BODY
}

ALWAYS_INLINE void give_span(const nn_map *dst, const nn_map *src, bool adds, const int V,
                             const bool whole, norm_span s)
{
    float *to = dst->data + s.first * dst->pitch + s.c;
    const float *from = src ? src->data + s.first * src->pitch + s.c : NULL;
    for (size_t i = 0; i < s.count; i++, to += dst->pitch) {
        UNROLLED
        for (int v = 0; v < V; v++) {
            vf x = from ? span_load(from + v * VF_LANES, whole, s.n) : vf_zero();
            if (adds)
                x = vf_add(x, span_load(to + v * VF_LANES, whole, s.n));
            span_store(to + v * VF_LANES, x, whole, s.n);
        }
        if (from)
            from += src->pitch;
    }
}

static void give_run(const nn_map *dst, const nn_map *src, bool adds, size_t begin, size_t end)
{
#define BODY(V, whole, s) give_span(dst, src, adds, V, whole, s)
    FOR_SPANS(dst, BODY)
#undef BODY
}
