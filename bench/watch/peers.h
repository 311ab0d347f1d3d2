/* peers.h: what people use today, on the same traces: the moment of the first alarm, NAN: none. */
#ifndef BENCH_WATCH_PEERS_H
#define BENCH_WATCH_PEERS_H

#include "traces.h"

/* The value passes part of the limit. */
double peer_threshold(const trace *t, double part);
/* predict_linear(x[1h], 4*3600) > limit of Prometheus, true for five minutes: least squares over
 * the last hour, carried on for four. */
double peer_predict_linear(const trace *t);

#endif
