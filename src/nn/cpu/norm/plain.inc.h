/* plain.inc.h: batch normalisation and SiLU both ways as their definition reads. */

static double sigmoid(double t)
{
    return 1.0 / (1.0 + exp(-t));
}

static void moments_run(float *parts, const nn_map *z, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < z->c; c++) {
            size_t first, last = chunk_end(z, chunk, &first);
            double sum = 0, m2 = 0;
            for (size_t p = first; p < last; p++)
                sum += pixel(z, p)[c];
            const double mean = sum / (double)(last - first);
            for (size_t p = first; p < last; p++)
                m2 += (pixel(z, p)[c] - mean) * (pixel(z, p)[c] - mean);
            parts[chunk * 2 * (size_t)z->c + (size_t)c] = (float)mean;
            parts[(chunk * 2 + 1) * (size_t)z->c + (size_t)c] = (float)m2;
        }
}

static void norm_run(const cpu_norm *k, const nn_map *dst, const nn_map *z, const nn_map *add,
                     size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(z, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < z->c; c++) {
                double y = (double)pixel(z, p)[c] * k->scale[c] + k->shift[c];
                if (k->silu)
                    y *= sigmoid(y);
                if (add)
                    y += pixel(add, p)[c];
                pixel(dst, p)[c] = (float)y;
            }
    }
}

/* The gradient before the activation. */
static double gate(const cpu_norm *k, double z, double dy, int c)
{
    if (!k->silu)
        return dy;
    const double y = z * k->scale[c] + k->shift[c], s = sigmoid(y);
    return dy * s * (1 + y * (1 - s));
}

static void norm_sums_run(const cpu_norm *k, float *parts, const nn_map *z, const nn_map *dy,
                          size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < z->c; c++) {
            size_t first, last = chunk_end(z, chunk, &first);
            double sum = 0, sum_z = 0;
            for (size_t p = first; p < last; p++) {
                const double g = gate(k, pixel(z, p)[c], pixel(dy, p)[c], c);
                sum += g;
                sum_z += g * (pixel(z, p)[c] - k->mean[c]);
            }
            parts[chunk * 2 * (size_t)z->c + (size_t)c] = (float)sum;
            parts[(chunk * 2 + 1) * (size_t)z->c + (size_t)c] = (float)sum_z;
        }
}

static void norm_back_run(const cpu_norm_back *k, const nn_map *z, const nn_map *dy, size_t begin,
                          size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(z, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < z->c; c++) {
                const double x = pixel(z, p)[c], g = gate(&k->norm, x, pixel(dy, p)[c], c);
                pixel(z, p)[c] = (float)(k->norm.scale[c] * g +
                                         k->slope[c] * (x - k->norm.mean[c]) + k->offset[c]);
            }
    }
}

static void sums_run(float *parts, const nn_map *dy, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < dy->c; c++) {
            size_t first, last = chunk_end(dy, chunk, &first);
            double sum = 0;
            for (size_t p = first; p < last; p++)
                sum += pixel(dy, p)[c];
            parts[chunk * (size_t)dy->c + (size_t)c] = (float)sum;
        }
}
