/* timing.c: see timing.h. */
#include "model/timing.h"

#include "model/once.h"

int timing_read(const struct schedule_set *set, struct timing *ret_timing,
                struct err *err)
{
    struct timing timing = {.once = set->cron == NULL};

    if (!timing.once && cron_parse(set->cron, &timing.cron, err) != 0) {
        return -1;
    }
    timing.zone = zone_open(set->zone, err);
    if (timing.zone == NULL) {
        return -1;
    }
    if (timing.once) {
        timing.at = once_at(timing.zone, set->at);
    }
    *ret_timing = timing;
    return 0;
}

void timing_done(struct timing *timing)
{
    zone_free(timing->zone);
    *timing = (struct timing){0};
}

bool tick_is_behind(const struct tick *tick, const struct tick *after)
{
    return tick->moment > after->moment ||
           (tick->moment == after->moment && tick->local > after->local);
}

bool timing_next(const struct timing *timing, const struct tick *after,
                 struct tick *ret_tick)
{
    if (!timing->once) {
        return tick_next(&timing->cron, timing->zone, after, ret_tick);
    }
    bool comes = tick_is_behind(&timing->at, after);
    if (comes) {
        *ret_tick = timing->at;
    }
    return comes;
}

bool timing_holds(const struct timing *timing, const struct tick *tick)
{
    return timing->once ? tick->moment == timing->at.moment &&
                              tick->local == timing->at.local &&
                              tick->fold == timing->at.fold
                        : tick_is_due(&timing->cron, timing->zone, tick);
}

bool timing_last(const struct timing *timing, int64_t from, int64_t until,
                 struct tick *ret_tick)
{
    if (!timing->once) {
        return tick_last(&timing->cron, timing->zone, from, until, ret_tick);
    }
    bool came = timing->at.moment > from && timing->at.moment <= until;
    if (came) {
        *ret_tick = timing->at;
    }
    return came;
}
