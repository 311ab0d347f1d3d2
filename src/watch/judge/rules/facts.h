/* facts.h: the questions that rules ask: what grew since, what stayed, and how it is put in words.
 * For this folder. */
#ifndef WATCH_FACTS_H
#define WATCH_FACTS_H

#include "watch/judge/rule.h"

/* Whose memory a series measures. Of the whole (cgroup.anon_bytes, tree.pss_bytes): whichever of
 * the two grew more. NEITHER for all other series. */
typedef enum facts_scope { FACTS_NEITHER, FACTS_MAIN, FACTS_CHILDREN } facts_scope;
facts_scope facts_scope_of(const watch_judge *j, watch_series s, const watch_verdict *v);

/* Between the rise's beginning and now. Unknown series neither rise nor stay. */
bool facts_known(const watch_judge *j, watch_series s, const watch_verdict *v);
bool facts_rises(const watch_judge *j, watch_series s, const watch_verdict *v); /* and goes on, of
                                                                                  counts */
/* Has a fair part of its growth come in the later half? True also when that is not known. */
bool facts_goes_on(const watch_judge *j, watch_series s, const watch_verdict *v);
bool facts_stays(const watch_judge *j, watch_series s, const watch_verdict *v);
/* True also for what is not known: nothing speaks against it. */
bool facts_not_rising(const watch_judge *j, watch_series s, const watch_verdict *v);
double facts_growth(const watch_judge *j, watch_series s, const watch_verdict *v); /* unknown: 0 */
bool facts_any_gpu_rises(const watch_judge *j, const watch_verdict *v);

/* "main.anon_bytes +1.2 GB in 3.1 h (410.0 MB per epoch); also +: main.fds +12; flat: ...", from
 * the series that were asked about: WATCH_NONE ends each list. Unknown ones are left out. */
void facts_evidence(watch_finding *out, const watch_judge *j, watch_series s,
                    const watch_verdict *v, const watch_series *also, const watch_series *flat);
/* Is it the number of descriptors, main's or the descendants'? */
bool facts_is_descriptors(watch_series s);
/* How many more there are of a kind (one of main.fds_*): of main, or when s is the descendants'
 * number, of that one of them which has most. */
double facts_kind_growth(const watch_judge *j, watch_series s, const watch_verdict *v,
                         watch_series kind);
/* Do so many threads rise with descriptors of a kind that they are theirs: their loops, their
 * pipes? Then the threads are what does not end: R23. */
bool facts_are_of_threads(const watch_judge *j, watch_series s, const watch_verdict *v,
                          watch_series kind);
/* Could descriptors explain it: is it their number (of as many descendants as before, whose kinds
 * are known), or main's memory while that rises? Asked first, for it is cheap. */
bool facts_may_be_descriptors(const watch_judge *j, watch_series s, const watch_verdict *v);
/* Do so many descriptors of a kind explain the rise: of the descriptors, when they are least of its
 * growth (0 to 1), or of main's memory, when the same holds of main.fds' growth? */
bool facts_descriptors_explain(const watch_judge *j, watch_series s, const watch_verdict *v,
                               double n_of_kind, double least_0_1);
/* Appends what is known in words, "" if nothing is; lead NULL: nothing at all. */
void facts_add_text(char *text, size_t n, const watch_judge *j, const char *lead, watch_text t);
/* "epoch", "frame", "reconnect"; "hour" when no work is known. */
const char *facts_unit(const watch_verdict *v);

#endif
