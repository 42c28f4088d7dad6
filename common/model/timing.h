/*
 * timing.h: a schedule's ticks, by this machine's tzdata: of a cron line, or
 * the one of `at`. The scheduler and the authorizer ask by this same code;
 * what a tick is, and what a change of the clock does, is in tick.h.
 */
#pragma once

#include "model/schedule.h"

struct timing {
    struct zone *zone;
    bool once;
    struct cron cron; /* unless once */
    struct tick at;   /* once */
};

/* -1: no such zone here (REJECT), or no tzdata (FATAL). */
int timing_read(const struct schedule_set *set, struct timing *ret_timing,
                struct err *err);
void timing_done(struct timing *timing);
#define _cleanup_timing_ _cleanup_(timing_done)

/* In the order in which ticks come: (moment, local). */
bool tick_is_behind(const struct tick *tick, const struct tick *after);

/* As tick_next(), tick_is_due() and tick_last(). */
bool timing_next(const struct timing *timing, const struct tick *after,
                 struct tick *ret_tick);
bool timing_holds(const struct timing *timing, const struct tick *tick);
bool timing_last(const struct timing *timing, int64_t from, int64_t until,
                 struct tick *ret_tick);
