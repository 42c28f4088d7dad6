/* schedule.c: see schedule.h. */
#include "model/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "model/command.h"
#include "model/where.h"

#define MINUTE_MS INT64_C(60000)

WORDS(catch_up_words, "no", "last");

static const struct field where_item = {.name = "target",
                                        .kind = FIELD_TEXT,
                                        .max = WHERE_MAX,
                                        .form = &where_form};

static const struct field schedule_set_fields[] = {
    {"schedule", FIELD_ID, .at = offsetof(struct schedule_set, schedule)},
    {"command", FIELD_ID, .at = offsetof(struct schedule_set, command)},
    {"saved", FIELD_HASH, .at = offsetof(struct schedule_set, saved)},
    {"arguments", FIELD_PAIRS, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct schedule_set, arguments)},
    {"targets", FIELD_LIST, .item = &where_item, .max = COMMAND_TARGETS_MAX,
     .at = offsetof(struct schedule_set, targets)},
    {"cron", FIELD_TEXT, .optional = true, .max = CRON_MAX,
     .at = offsetof(struct schedule_set, cron)},
    {"at", FIELD_TIME, .optional = true,
     .at = offsetof(struct schedule_set, at)},
    {"zone", FIELD_TEXT, .max = ZONE_NAME_MAX,
     .at = offsetof(struct schedule_set, zone)},
    {"catch_up", FIELD_WORD, .words = &catch_up_words,
     .at = offsetof(struct schedule_set, catch_up)},
    {"paused", FIELD_BOOL, .at = offsetof(struct schedule_set, paused)},
    {"seq", FIELD_INT, .optional = true, .max = 1000000000,
     .at = offsetof(struct schedule_set, seq)},
};

const struct table schedule_set_table = {.name = "schedule.set",
                                         .base = &request_table,
                                         TABLE(schedule_set_fields),
                                         .size = sizeof(struct schedule_set)};

static const struct field schedule_remove_fields[] = {
    {"schedule", FIELD_ID, .at = offsetof(struct schedule_remove, schedule)},
};

const struct table schedule_remove_table = {.name = "schedule.remove",
                                            .base = &log_entry_table,
                                            TABLE(schedule_remove_fields),
                                            .size =
                                                sizeof(struct schedule_remove)};

static const struct field schedule_list_fields[] = {
    {"command", FIELD_NAME, .optional = true,
     .at = offsetof(struct schedule_list, command)},
};

const struct table schedule_list_table = {.name = "schedule.list",
                                          .base = &request_table,
                                          TABLE(schedule_list_fields),
                                          .size = sizeof(struct schedule_list)};

static const struct field run_tick_fields[] = {
    {"schedule", FIELD_HASH, .at = offsetof(struct run_tick, schedule)},
    {"local", FIELD_INT, .at = offsetof(struct run_tick, local)},
    {"fold", FIELD_INT, .min = 0, .max = 1,
     .at = offsetof(struct run_tick, fold)},
};

const struct table run_tick_table = {.name = "run.tick",
                                     .base = &run_start_table,
                                     TABLE(run_tick_fields),
                                     .size = sizeof(struct run_tick)};

struct id schedule_id(const struct schedule_set *set)
{
    static const char what[] = "errand.schedule";
    char moment[TIME_TEXT];
    const char *text = set->cron;

    if (text == NULL) {
        time_format(set->at, moment);
        text = moment;
    }
    struct part parts[] = {{what, sizeof(what) - 1},
                           {set->command.b, sizeof(set->command.b)},
                           {text, strlen(text)},
                           {set->zone, strlen(set->zone)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

int schedule_check(const struct schedule_set *set, struct err *err)
{
    struct cron cron;

    if ((set->cron == NULL) == (set->at == 0)) {
        return err_set(err, ERR_REJECT,
                       "a schedule has a cron or a moment: one of them");
    }
    if (set->cron != NULL && cron_parse(set->cron, &cron, err) != 0) {
        return -1;
    }
    struct id id = schedule_id(set);
    return id_equal(&id, &set->schedule)
               ? 0
               : err_set(err, ERR_REJECT,
                         "the schedule's id is not that of its command, line "
                         "and zone");
}

struct tick run_tick_of(const struct run_tick *tick)
{
    return (struct tick){.moment = id_time(&tick->start.request.head.id),
                         .local = tick->local,
                         .fold = (int)tick->fold};
}

/* By the schedule's own words; where the zone's clock stood then, tzdata says.
 */
static bool names_time(const struct schedule_set *set, const struct tick *tick)
{
    struct cron cron;
    struct err ignored;
    int64_t local;

    if (llabs(tick->local - tick->moment) > DAY_MS) {
        return false;
    }
    if (set->cron == NULL) {
        return tick->moment == set->at;
    }
    return cron_parse(set->cron, &cron, &ignored) == 0 &&
           cron_match(&cron, tick->local, tick->local + MINUTE_MS, &local) &&
           local == tick->local;
}

static int check_signed_when(const struct run_tick *run,
                             const struct schedule_set *set,
                             const struct tick *tick, struct err *err)
{
    int64_t late = run->start.request.head.issued - tick->moment;

    if (late < -CLOCK_SKEW) {
        return err_set(err, ERR_REJECT, "the tick was signed before its time");
    }
    return late <= TICK_LATE + CLOCK_SKEW || set->catch_up == CATCH_UP_LAST
               ? 0
               : err_set(err, ERR_REJECT,
                         "the tick was signed too late, and its schedule "
                         "catches up with nothing");
}

int run_tick_check(const struct run_tick *run, const struct schedule_set *set,
                   struct err *err)
{
    struct tick tick = run_tick_of(run);
    struct id id = tick_id(&set->schedule, set->zone, &tick);

    if (!id_equal(&id, &run->start.request.head.id)) {
        return err_set(err, ERR_REJECT,
                       "the tick's id is not that of its schedule and time");
    }
    if (!names_time(set, &tick)) {
        return err_set(err, ERR_REJECT, "the schedule has no such tick");
    }
    return check_signed_when(run, set, &tick, err);
}
