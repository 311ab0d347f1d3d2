/* figures.c: units, spans of time and steps of axes. */
#include "figures.h"

#include <math.h>
#include <string.h>

const char *watch_amount(char buf[WATCH_FIGURE_BYTES], watch_unit unit, double value)
{
    const double size = fabs(value);
    if (isnan(value))
        base_format(buf, WATCH_FIGURE_BYTES, "-");
    else if (unit == WATCH_BYTES)
        base_format_bytes(buf, WATCH_FIGURE_BYTES, value);
    else if (unit == WATCH_SECONDS && size >= 90)
        watch_duration(buf, value);
    else
        base_format(buf, WATCH_FIGURE_BYTES,
                    size >= 1e7             ? "%.3g%s"
                    : value == floor(value) ? "%.0f%s"
                    : size >= 100           ? "%.0f%s"
                                            : "%.3g%s",
                    value, unit == WATCH_SECONDS ? " s" : "");
    return buf;
}

const char *watch_duration(char buf[WATCH_FIGURE_BYTES], double s)
{
    if (isnan(s))
        base_format(buf, WATCH_FIGURE_BYTES, "-");
    else if (isinf(s))
        base_format(buf, WATCH_FIGURE_BYTES, "never");
    else if (s < 90)
        base_format(buf, WATCH_FIGURE_BYTES, "%.3g s", s);
    else if (s < 600)
        base_format(buf, WATCH_FIGURE_BYTES, "%.1f min", s / 60);
    else if (s < 90 * 60)
        base_format(buf, WATCH_FIGURE_BYTES, "%.0f min", s / 60);
    else if (s < 48 * 3600)
        base_format(buf, WATCH_FIGURE_BYTES, "%.1f h", s / 3600);
    else
        base_format(buf, WATCH_FIGURE_BYTES, "%.1f days", s / 86400);
    return buf;
}

const char *watch_drawn_amount(char buf[WATCH_FIGURE_BYTES], watch_series s, double value)
{
    const watch_series_info *info = watch_series_get(s);
    if (info->kind != WATCH_COUNTER || isnan(value))
        return watch_amount(buf, info->unit, value);
    if (info->unit == WATCH_SECONDS) /* CPU seconds a second are cores */
        base_format(buf, WATCH_FIGURE_BYTES, "%.2f cores", value);
    else {
        char text[WATCH_FIGURE_BYTES];
        base_format(buf, WATCH_FIGURE_BYTES, "%s/s", watch_amount(text, info->unit, value));
    }
    return buf;
}

const char *watch_forecast(char buf[WATCH_FORECAST_BYTES], watch_series s, const watch_verdict *v)
{
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES], c[WATCH_FIGURE_BYTES];
    const watch_unit unit = watch_series_get(s)->unit;
    size_t k;
    base_format(buf, WATCH_FORECAST_BYTES, "%s%s/h", v->slope_per_s >= 0 ? "+" : "",
                watch_amount(a, unit, v->slope_per_s * 3600));
    k = strlen(buf);
    if (v->unit != WATCH_NONE && isfinite(v->per_unit)) {
        base_format(buf + k, WATCH_FORECAST_BYTES - k, ", %s per %s",
                    watch_amount(a, unit, v->per_unit),
                    strchr(watch_series_get(v->unit)->name, '.') + 1);
        k = strlen(buf);
    }
    if (isfinite(v->exhaustion_s)) {
        base_format(buf + k, WATCH_FORECAST_BYTES - k, ", limit %s in %s",
                    watch_amount(a, unit, v->limit), watch_duration(b, v->exhaustion_s));
        k = strlen(buf);
        if (isfinite(v->exhaustion_low_s))
            base_format(buf + k, WATCH_FORECAST_BYTES - k, " (%s to %s)",
                        watch_duration(b, v->exhaustion_low_s),
                        watch_duration(c, v->exhaustion_high_s));
    }
    return buf;
}

double watch_nice_step(double span, int most, watch_unit unit)
{
    static const double times[] = {1,     2,     5,     10,    15,     30,     60,
                                   120,   300,   600,   900,   1800,   3600,   7200,
                                   10800, 21600, 43200, 86400, 172800, 432000, 864000};
    const double least = span / most;
    if (unit == WATCH_SECONDS && least > 0.5)
        for (size_t i = 0; i < sizeof times / sizeof *times; i++)
            if (times[i] >= least)
                return times[i];
    double scale = 1;
    if (unit == WATCH_BYTES)
        while (least > 500 * scale)
            scale *= 1024;
    double step = scale * pow(10, floor(log10(least / scale)));
    static const double factors[] = {1, 2, 2.5, 5, 10};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (step * factors[i] >= least * 0.999)
            return step * factors[i];
    return step * 10;
}
