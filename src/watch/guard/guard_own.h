/* guard_own.h: the guard's inside, shared by its files: guard.c (create, the loop), guard_life.c
 * (the job's phases), guard_asks.c (what events ask for). For those alone. */
#ifndef WATCH_GUARD_OWN_H
#define WATCH_GUARD_OWN_H

#include "acts.h"
#include "job.h"
#include "net/net.h"
#include "state.h"
#include "teller.h"
#include "watch/tell/after.h"

enum { WATCH_COMMAND_BYTES = 512, WATCH_NOTE_BYTES = 1024, WATCH_MOST_STARTS = 1024 };

typedef enum phase { RUNNING, HOOKING, CHECKPOINTING, STOPPING, WAITING, ENDED } phase;

/* What an event asked for, while its hook runs. */
typedef struct wish {
    int actions;
    watch_event event;
    char reason[160];
} wish;

struct watch_guard {
    watch_options options;
    char *const *argv;
    base_mem *mem;
    bool has_begun;
    char folder[4096], command[WATCH_COMMAND_BYTES];
    char socket_env[96]; /* VIGIL_WATCH_SOCKET=@..., where the job may report of itself */
    watch_job job;
    watch_sampler *sampler;
    watch_judge *judge;
    watch_acts *acts;
    watch_teller teller;
    net_service service;
    watch_state_file *state;
    watch_after after;          /* of this life of the job */
    watch_sample sample, fresh; /* fresh: for the list of processes alone */
    double began_s, sampler_s;  /* when time 0 was, and when the sampler's time 0 was */
    double state_s;             /* when the state was written */
    int64_t wall_ns;
    phase phase;
    bool wants_restart, user_stops, limit_reported, killed, sampling_fails, gives_up;
    wish wish;
    double patience_s;
    double phase_since_s;    /* on base_now_ns's clock */
    double oom_kills, oom_s; /* the count, NAN: not read yet; and when it rose */
    int n_restarts;
    double starts_s[WATCH_MOST_STARTS]; /* ring of the moments of restarts */
};

_Static_assert(sizeof(((watch_state_facts *)0)->restarts_s) / sizeof(double) <= WATCH_MOST_STARTS,
               "the state's restarts fit into the ring");

/* Seconds of base_now_ns's clock. */
double guard_now_s(void);
void guard_nap(double seconds);
void guard_wall_clock(watch_guard *g);
void guard_note(watch_guard *g, const char *format, ...) VG_PRINTF(2, 3);
void guard_tell_notes(watch_guard *g); /* what the acts have to report */

/* ---- guard_life.c ---- */

vg_status guard_open_sampler(watch_guard *g, vg_error *err);
void guard_enter(watch_guard *g, phase p);
/* The first start, or the job of a guard before this one. */
vg_status guard_begin(watch_guard *g, vg_error *err);
void guard_stop_job(watch_guard *g, bool restarts);
/* How often the user asked again, after the stop. */
int guard_impatience(const watch_guard *g);
/* The user will not wait for the end of the job. */
void guard_hurry(watch_guard *g, int impatience);
/* Between samples: whatever the phase is waiting for. */
vg_status guard_step(watch_guard *g, vg_error *err);
/* Asks for a checkpoint, stops or restarts, as g->wish says. */
void guard_end_for(watch_guard *g, const wish *w);
int guard_recent_restarts(const watch_guard *g); /* within the last hour */
/* Did the kernel end one of its processes since the last look? Notes the count. */
bool guard_sees_oom(watch_guard *g, const watch_sample *s);
watch_event guard_own_event(const watch_guard *g, watch_state state, const char *cause);
/* What is left when nothing comes after: asked, then made to end. */
void guard_sweep(watch_guard *g);
void guard_write_state(watch_guard *g);

/* ---- guard_after.c ---- */

/* What there is to say of a job that has died, as a note. kernel_counts: by its counts the kernel
 * ended a process of it. */
void guard_tell_after(watch_guard *g, bool kernel_counts);

/* ---- guard_asks.c ---- */

void guard_obey(watch_guard *g, const watch_event *e);
/* Memory in use against its limit, and kills by the kernel that left the main process alive. */
void guard_check_limits(watch_guard *g);

#endif
