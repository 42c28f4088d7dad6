/*
 * ticks.c: run.tick: the scheduler says that it is time. The run that its
 * schedule's author signed is accepted, once for each tick, or refused.
 *
 * Who holds a scheduler's key rings a bell: whether it is due says the schedule
 * in PostgreSQL, by this machine's own clock and time zones; what starts, the
 * proof. A tick that could still come is never used up: one from before its
 * time, of another schedule.set than counts by now, for a target that was
 * drained or removed since the scheduler looked, or that came too late to be
 * decided under its own signature, is put aside and no request at all; the
 * scheduler says it again, as it is then. Put aside, too, is one that was
 * decided, and whose request has gone with its month.
 */
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/start.h"
#include "model/timing.h"
#include "trust/reach.h"

struct ticked {
    const struct run_tick *said;
    struct tick tick;
    struct event *set; /* the schedule.set that it names */
    struct rows *row;  /* its schedule, locked, with its command */
    struct timing timing;
};

static void ticked_done(struct ticked *ticked)
{
    event_free(ticked->set);
    rows_free(ticked->row);
    timing_done(&ticked->timing);
}

#define _cleanup_ticked_ _cleanup_(ticked_done)

/* It is what it says, and its time has come. */
static int check_own(const struct asking *asking, struct ticked *ticked,
                     struct err *err)
{
    ticked->set = source_event(asking->source, &ticked->said->schedule,
                               EVENT_SCHEDULE_SET, err);
    if (ticked->set == NULL) {
        return err->kind == ERR_REJECT ? ASIDE : -1;
    }
    if (run_tick_check(ticked->said, ticked->set->payload, err) != 0 ||
        timing_read(ticked->set->payload, &ticked->timing, err) != 0) {
        err->kind = ERR_REJECT; /* no tzdata here: another one may have it */
        return ASIDE;
    }
    return ticked->tick.moment <= asking->now + CLOCK_SKEW
               ? 0
               : asking_aside(err, "the tick's time has not come");
}

static int find_schedule(struct asking *asking, struct ticked *ticked,
                         struct err *err)
{
    const struct schedule_set *set = ticked->set->payload;

    /* The command first, as whoever sets its schedules does. */
    if (turn_lock(asking, &set->command, err) != 0 ||
        PG(asking->daemon->postgres,
           "SELECT s.hash, s.paused, s.removed_at, s.since, s.command_hash, "
           "s.tick_at, s.tick_local, c.name, v.version FROM schedules s "
           "JOIN commands c ON c.id = s.command_id JOIN command_versions v "
           "ON v.hash = s.command_hash WHERE s.id = $1 FOR UPDATE OF s",
           &ticked->row, err, P_ID(&set->schedule)) != 0) {
        return -1;
    }
    struct hash newest = {0};
    if (rows_n(ticked->row) > 0) {
        newest = row_hash(ticked->row, 0, "hash");
    }
    return hash_equal(&newest, &ticked->said->schedule)
               ? 0
               : asking_aside(err, "the schedule was set anew since");
}

static bool is_late(const struct asking *asking, const struct ticked *ticked)
{
    return asking->now > ticked->tick.moment + TICK_LATE + CLOCK_SKEW;
}

/* Its row in requests may have gone with its month: the schedule remembers it.
 * In time, one that was overtaken by the next is still to be fired. */
static int check_new(const struct asking *asking, const struct ticked *ticked,
                     struct err *err)
{
    const struct tick *tick = &ticked->tick;
    int64_t at = row_time(ticked->row, 0, "tick_at");

    if (row_is_null(ticked->row, 0, "tick_at") || !is_late(asking, ticked)) {
        return 0;
    }
    return tick->moment > at ||
                   (tick->moment == at &&
                    tick->local > row_int(ticked->row, 0, "tick_local"))
               ? 0
               : asking_aside(err, "the tick, or one after it, was decided "
                                   "before");
}

/* The others are not to wait for that one. */
static int check_places(struct asking *asking, const struct ticked *ticked,
                        struct err *err)
{
    const struct list *targets = &ticked->said->start.targets;

    for (size_t i = 0; i < targets->n; i++) {
        const struct place_standing *place = standing_place(
            asking_standing(asking), list_at(targets, char *, i));
        if (place != NULL && place->state != TARGET_IN_USE) {
            return asking_aside(err, "one of its targets was drained or "
                                     "removed since");
        }
    }
    return 0;
}

static int check_runs(struct asking *asking, const struct ticked *ticked)
{
    if (!row_is_null(ticked->row, 0, "removed_at")) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "the schedule was removed");
    }
    return row_bool(ticked->row, 0, "paused")
               ? asking_refuse(asking, REPLY_CONFLICT, "the schedule is paused")
               : 0;
}

/* Late ticks are missed; of those that are caught up with, only the last. */
static int check_late(struct asking *asking, const struct ticked *ticked)
{
    const struct schedule_set *set = ticked->set->payload;
    struct tick later;

    if (!is_late(asking, ticked)) {
        return 0;
    }
    if (set->catch_up != CATCH_UP_LAST) {
        return asking_refuse(asking, REPLY_STALE,
                             "the tick was missed, and its schedule catches "
                             "up with nothing");
    }
    return timing_last(&ticked->timing, ticked->tick.moment, asking->now,
                       &later)
               ? asking_refuse(asking, REPLY_STALE,
                               "the tick was missed, and it is not the last "
                               "one")
               : 0;
}

static int check_due(struct asking *asking, const struct ticked *ticked)
{
    if (!timing_holds(&ticked->timing, &ticked->tick)) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the schedule does not fire then, by this "
                             "authorizer's time zones");
    }
    return ticked->tick.moment > row_time(ticked->row, 0, "since")
               ? check_late(asking, ticked)
               : asking_refuse(asking, REPLY_CONFLICT,
                               "the tick is from before the schedule ran");
}

/* The scheduler names none where there is none, or too many. */
static int check_reach(struct asking *asking, const struct ticked *ticked)
{
    const struct schedule_set *set = ticked->set->payload;
    struct list all = {0};

    if (ticked->said->start.targets.n > 0) {
        return 0;
    }
    reach_within(asking_standing(asking), &set->targets, "@all", &all);
    size_t n = all.n;
    texts_done(&all);
    return n > RUN_TARGETS_MAX
               ? asking_refuse(asking, REPLY_INVALID,
                               "its targets reach %zu, and at most %d can be",
                               n, RUN_TARGETS_MAX)
               : asking_refuse(asking, REPLY_CONFLICT,
                               "none of its targets is there and in use");
}

static int start(struct asking *asking, const struct ticked *ticked,
                 struct err *err)
{
    _cleanup_plan_ struct plan plan = {
        .run = &ticked->said->start,
        .name = must_strdup(row_text(ticked->row, 0, "name")),
        .version = row_int(ticked->row, 0, "version"),
        .dispatching = {.run = asking->request->hash,
                        .command = row_hash(ticked->row, 0, "command_hash")}};

    asking_about(asking, plan.name);
    return check_runs(asking, ticked)
               ?: check_due(asking, ticked)
               ?: check_reach(asking, ticked)
               ?: plan_check_names(asking, &plan)
               ?: plan_start(asking, &plan, err);
}

/* Whatever became of it: the scheduler says it no more, and people see it. */
static int remember(struct asking *asking, const struct ticked *ticked,
                    struct err *err)
{
    const struct schedule_set *set = ticked->set->payload;

    return PG(asking->daemon->postgres,
              "UPDATE schedules SET tick_id = $2, tick_at = $3, "
              "tick_local = $4 WHERE id = $1 AND (tick_id IS NULL "
              "OR (tick_at, tick_local) < ($3::timestamptz, $4::bigint))",
              NULL, err, P_ID(&set->schedule),
              P_ID(&ticked->said->start.request.head.id),
              P_TIME(ticked->tick.moment), P_INT(ticked->tick.local));
}

int on_run_tick(struct asking *asking, struct err *err)
{
    _cleanup_ticked_ struct ticked ticked = {.said = asking->request->payload};

    ticked.tick = run_tick_of(ticked.said);
    int done = check_own(asking, &ticked, err)
                   ?: find_schedule(asking, &ticked, err)
                   ?: check_new(asking, &ticked, err)
                   ?: check_places(asking, &ticked, err);
    if (done != 0) {
        return done;
    }
    done = start(asking, &ticked, err);
    if (done < 0 || asking_store(asking, err) != 0 ||
        remember(asking, &ticked, err) != 0) {
        return -1;
    }
    return done;
}
