/*
 * schedule.h: when a command runs by itself: schedule.set, schedule.remove, and
 * the tick, run.tick, by which the scheduler says that it is time.
 *
 * A schedule is one `schedule` or `at` line of a command's file, signed by the
 * administrator who saves it, for that very version of the command and no
 * other: whoever changes the script signs its schedules anew, in their own
 * name. Its id follows from the command, the line and the zone, so the same
 * line is the same schedule through all of the file's versions, and fires each
 * tick once. What was removed may be set again: `seq` says how far the
 * revocation log was when it was signed.
 *
 * A tick is a run.start that also says of which schedule.set and for which
 * local time. What it asks for must be what the schedule.set says; its id is
 * the tick's (tick.h). So who holds a scheduler's key can ring the bell, and
 * nothing else.
 */
#pragma once

#include "model/log_entry.h"
#include "model/run.h"
#include "model/tick.h"

#define TICK_LATE (5 * 60000) /* ms after which a tick is missed */

enum catch_up { CATCH_UP_NO = 1, CATCH_UP_LAST };
extern const struct words catch_up_words;

struct schedule_set { /* administrator's own key */
    struct request request;
    struct id schedule; /* schedule_id() */
    struct id command;
    struct hash saved;     /* the command.save that it runs */
    struct list arguments; /* struct pair */
    struct list targets;   /* char *: where.h, resolved for each tick */
    char *cron;            /* NULL: once, … */
    int64_t at;            /* … at this moment */
    char *zone;
    int catch_up; /* missed ticks: none of them, or the last */
    bool paused;
    int64_t seq; /* of the revocation log, as in assignment.add */
};

struct schedule_remove { /* administrator's own key */
    struct log_entry entry;
    struct id schedule;
};

/* All of them, or one command's. */
struct schedule_list {
    struct request request;
    char *command; /* NULL: any */
};

struct run_tick { /* the scheduler's service key */
    struct run_start start;
    struct hash schedule; /* of schedule.set */
    int64_t local;
    int64_t fold;
};

extern const struct table schedule_set_table;
extern const struct table schedule_remove_table;
extern const struct table schedule_list_table;
extern const struct table run_tick_table;

/* First 16 bytes of the hash of ("errand.schedule", command, cron or the moment
 * of `at`, zone). */
struct id schedule_id(const struct schedule_set *set);

/* What can be told without tzdata: one of cron and `at`, that cron good, the id
 * its own. -1: REJECT. */
int schedule_check(const struct schedule_set *set, struct err *err);

/* The tick as it is named: its moment stands in the request's id. */
struct tick run_tick_of(const struct run_tick *tick);

/*
 * Whether this is a tick of that schedule, as far as it can be told without
 * tzdata: the id is its own, the schedule fires at that local time or moment,
 * which is a zone's clock away from the other, and it was signed neither early
 * nor, unless it is caught up, late. -1: REJECT.
 */
int run_tick_check(const struct run_tick *tick, const struct schedule_set *set,
                   struct err *err);
