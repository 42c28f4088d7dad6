/* due.c: see due.h. */
#include "producer/scheduler/due.h"

/* The first that is not missed, perhaps still to come. */
static bool first_in_time(const struct timing *timing, const struct tick *after,
                          int64_t now, struct tick *ret_tick)
{
    struct tick recent = tick_start(now - TICK_LATE - 1);

    return timing_next(timing, tick_is_behind(after, &recent) ? after : &recent,
                       ret_tick);
}

bool due_tick(const struct timing *timing, enum catch_up catch_up,
              const struct tick *after, int64_t now, struct tick *ret_tick)
{
    struct tick tick;

    if (first_in_time(timing, after, now, &tick) && tick.moment <= now) {
        *ret_tick = tick;
        return true;
    }
    if (catch_up != CATCH_UP_LAST ||
        !timing_last(timing, after->moment - 1, now, &tick) ||
        !tick_is_behind(&tick, after)) {
        return false;
    }
    *ret_tick = tick;
    return true;
}

int64_t due_next(const struct timing *timing, const struct tick *after,
                 int64_t now)
{
    struct tick tick;

    return first_in_time(timing, after, now, &tick) ? tick.moment : INT64_MAX;
}
