/* augment_matrix.c: the matrix of a random perspective, M = T S R P C (spec 5.4, step 3). */
#include <math.h>
#include <string.h>

#include "augment.h"

static const double DEGREE = 3.14159265358979323846 / 180;
static const float IDENTITY[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

/* m = m * b */
static void multiply(float m[9], const float b[9])
{
    float a[9];
    memcpy(a, m, sizeof a);
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++)
            m[3 * r + c] = a[3 * r] * b[c] + a[3 * r + 1] * b[3 + c] + a[3 * r + 2] * b[6 + c];
}

void augment_matrix_draw(float m[9], double *gain, base_rng *rng, const data_augment *a, int in_w,
                         int in_h, int out_w, int out_h)
{
    float c[9], p[9], r[9], s[9];
    memcpy(c, IDENTITY, sizeof c);
    memcpy(p, IDENTITY, sizeof p);
    memcpy(r, IDENTITY, sizeof r);
    memcpy(s, IDENTITY, sizeof s);
    memcpy(m, IDENTITY, sizeof c);
    c[2] = -(float)in_w / 2;
    c[5] = -(float)in_h / 2;
    p[6] = (float)data_rng_uniform(rng, -a->perspective, a->perspective);
    p[7] = (float)data_rng_uniform(rng, -a->perspective, a->perspective);
    double angle = data_rng_uniform(rng, -a->degrees, a->degrees) * DEGREE;
    double g = data_rng_uniform(rng, 1.0 - a->scale, 1.0 + a->scale);
    r[0] = r[4] = (float)(g * cos(angle));
    r[1] = (float)(g * sin(angle));
    r[3] = -r[1];
    s[1] = (float)tan(data_rng_uniform(rng, -a->shear, a->shear) * DEGREE);
    s[3] = (float)tan(data_rng_uniform(rng, -a->shear, a->shear) * DEGREE);
    m[2] = (float)(data_rng_uniform(rng, 0.5 - a->translate, 0.5 + a->translate) * out_w);
    m[5] = (float)(data_rng_uniform(rng, 0.5 - a->translate, 0.5 + a->translate) * out_h);
    multiply(m, s);
    multiply(m, r);
    multiply(m, p);
    multiply(m, c);
    *gain = g;
}

bool augment_matrix_is_identity(const float m[9])
{
    for (int i = 0; i < 9; i++)
        if (m[i] != IDENTITY[i])
            return false;
    return true;
}
