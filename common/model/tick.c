/*
 * tick.c: see tick.h.
 *
 * A zone's clock is a row of spans with one offset each; within a span local
 * times and moments run side by side. So spans are gone through one after the
 * other, and all that a change does is done at the seam of two.
 */
#include "model/tick.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"

#define MINUTE_MS INT64_C(60000)
#define CORRECTION (180 * MINUTE_MS)
#define HORIZON (50 * 366 * DAY_MS)
#define HOUR_MS (60 * MINUTE_MS)

/* A span, and what the clock showed when it began and just before. */
struct seam {
    struct span span;
    int64_t shown; /* what the clock would have shown without a change … */
    int64_t shows; /* … and what it shows */
};

static struct seam seam_of(const struct zone *zone, int64_t moment)
{
    struct span span = zone_span(zone, moment);
    int64_t before = span.from == SPAN_BEGIN
                         ? span.offset
                         : zone_span(zone, span.from - 1).offset;

    return (struct seam){
        .span = span,
        .shown = span.from + before,
        .shows = span.from + span.offset,
    };
}

/* What the change skipped fires at its moment. */
static bool next_skipped(const struct cron *cron, const struct seam *seam,
                         const struct tick *after, struct tick *ret_tick)
{
    int64_t from = seam->shown;
    int64_t local;

    if (cron->wild || seam->shows - seam->shown >= CORRECTION ||
        after->moment > seam->span.from) {
        return false;
    }
    if (after->moment == seam->span.from && after->local >= from) {
        from = after->local < seam->shows ? after->local + 1 : seam->shows;
    }
    if (from >= seam->shows || !cron_match(cron, from, seam->shows, &local)) {
        return false;
    }
    *ret_tick = (struct tick){.moment = seam->span.from, .local = local};
    return true;
}

/* What the clock shows in a span, up to a moment. */
static bool next_shown(const struct cron *cron, const struct seam *seam,
                       const struct tick *after, int64_t until,
                       struct tick *ret_tick)
{
    int64_t from = seam->shows;
    int64_t offset = seam->span.offset;
    bool once = !cron->wild && seam->shown - seam->shows <= CORRECTION;
    int64_t local;

    if (after->moment >= seam->span.from) {
        from = after->moment + offset;
        from += after->local >= from;
    }
    if (once && from < seam->shown) {
        from = seam->shown;
    }
    if (!cron_match(cron, from, until + offset, &local)) {
        return false;
    }
    *ret_tick = (struct tick){
        .moment = local - offset, .local = local, .fold = local < seam->shown};
    return true;
}

struct tick tick_start(int64_t moment)
{
    return (struct tick){.moment = moment, .local = INT64_MAX};
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool tick_next(const struct cron *cron, const struct zone *zone,
               const struct tick *after, struct tick *ret_tick)
{
    struct tick start = *after; /* may be the same as ret_tick */

    if (start.moment < 0) {
        start = tick_start(-1);
    }
    if (start.moment > TICK_MOMENT_MAX) {
        return false;
    }
    int64_t limit = least(start.moment + HORIZON, TICK_MOMENT_MAX) + 1;
    for (int64_t at = start.moment; at < limit;) {
        struct seam seam = seam_of(zone, at);
        int64_t until = least(seam.span.until, limit);
        if (next_skipped(cron, &seam, &start, ret_tick) ||
            next_shown(cron, &seam, &start, until, ret_tick)) {
            return true;
        }
        assert(seam.span.until > at);
        at = seam.span.until;
    }
    return false;
}

bool tick_is_due(const struct cron *cron, const struct zone *zone,
                 const struct tick *tick)
{
    struct tick before = *tick;
    struct tick found;

    if (tick->moment < 0 || tick->local == INT64_MIN) {
        return false;
    }
    before.local--;
    return tick_next(cron, zone, &before, &found) &&
           found.moment == tick->moment && found.local == tick->local &&
           found.fold == tick->fold;
}

/* Looks at twice as much at a time, from the end: so nothing of a long time is
 * gone through tick by tick. */
bool tick_last(const struct cron *cron, const struct zone *zone, int64_t from,
               int64_t until, struct tick *ret_tick)
{
    bool found = false;

    for (int64_t reach = HOUR_MS, start = until; !found && start > from;
         reach *= 2) {
        start = until - reach > from ? until - reach : from;
        struct tick tick = tick_start(start);
        while (tick_next(cron, zone, &tick, &tick) && tick.moment <= until) {
            *ret_tick = tick;
            found = true;
        }
    }
    return found;
}

struct id tick_id(const struct id *schedule, const char *zone,
                  const struct tick *tick)
{
    static const char what[] = "errand.tick";
    char local[24];
    char fold[12];
    int local_len =
        snprintf(local, sizeof(local), "%lld", (long long)tick->local);
    int fold_len = snprintf(fold, sizeof(fold), "%d", tick->fold);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {schedule->b, sizeof(schedule->b)},
                           {zone, strlen(zone)},
                           {local, (size_t)local_len},
                           {fold, (size_t)fold_len}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_at(tick->moment, &hash);
}
