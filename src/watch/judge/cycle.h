/* cycle.h: the day's rhythm: could it have made this rise, and what is left without it?
 *
 * A load that comes back every 24 hours rises for half a day as a leak does. Before a day has
 * passed only the curve tells: a cycle's flank bends. After a day the rhythm can be fitted with the
 * trend and taken off. */
#ifndef WATCH_CYCLE_H
#define WATCH_CYCLE_H

#include <stdbool.h>

/* Does the flank of a day's hump fit these floors as well as a line that begins somewhere in them?
 * n <= 64, times rising. */
bool watch_cycle_may_be(const double *time_s, const double *y, int n);
/* Takes a day's rhythm (two harmonics, fitted with a line) off y where it explains most of what a
 * line leaves over; the line's part stays. False: too short (26 h), or there is none. */
bool watch_cycle_remove(const double *time_s, double *y, int n);

#endif
