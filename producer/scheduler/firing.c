/* firing.c: see firing.h. */
#include "producer/scheduler/firing.h"

#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "model/where.h"
#include "producer/scheduler/due.h"
#include "producer/scheduler/requests.h"
#include "producer/scheduler/said.h"

#define SAY_AGAIN 10000 /* ms for what was said to be decided */

/* One that runs, as PostgreSQL showed it last. */
struct schedule {
    struct id id;
    struct hash hash;
    struct event *event; /* the schedule.set … */
    struct event *save;  /* … and the command.save that it is for */
    struct timing timing;
    struct tick after; /* nothing up to here is to be fired */
    int64_t next_at;   /* nothing is due before */
    int64_t seen;      /* the look that saw it last */
    UT_hash_handle hh;
};

struct firing {
    struct daemon *daemon;
    struct schedule *all;
    struct said *said;
    int64_t looks;
};

struct firing *firing_new(struct daemon *daemon)
{
    struct firing *firing = must_calloc(1, sizeof(*firing));

    firing->daemon = daemon;
    return firing;
}

static const struct schedule_set *set_of(const struct schedule *schedule)
{
    return schedule->event->payload;
}

static void forget(struct firing *firing, struct schedule *schedule)
{
    HASH_DEL(firing->all, schedule);
    timing_done(&schedule->timing);
    event_free(schedule->event);
    event_free(schedule->save);
    free(schedule);
}

/* Those that this look did not see. */
static void forget_unseen(struct firing *firing, int64_t look)
{
    struct schedule *schedule;
    struct schedule *next;

    HASH_ITER (hh, firing->all, schedule, next) {
        if (schedule->seen != look) {
            forget(firing, schedule);
        }
    }
}

void firing_free(struct firing *firing)
{
    if (firing != NULL) {
        forget_unseen(firing, -1);
        said_forget(&firing->said, INT64_MAX);
        free(firing);
    }
}

/* Schedules */

/* The caller's to free; NULL: REJECT where there is no such thing. */
static struct event *read_event(struct daemon *daemon, const struct hash *hash,
                                enum event_kind kind, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(daemon->postgres, "SELECT envelope FROM envelopes WHERE hash = $1",
           &rows, err, P_HASH(hash)) != 0) {
        return NULL;
    }
    if (rows_n(rows) == 0) {
        (void)err_set(err, ERR_REJECT, "its %s is not there",
                      event_types[kind].verb);
        return NULL;
    }
    _cleanup_buf_ struct buf json = row_bytes(rows, 0, "envelope");
    _cleanup_event_ struct event *event = event_from_json(&json, err);
    if (event != NULL && event->kind != kind) {
        (void)err_set(err, ERR_REJECT, "it is no %s", event_types[kind].verb);
        return NULL;
    }
    return take_ptr(event);
}

static int read_set(struct daemon *daemon, const struct hash *hash,
                    struct schedule *schedule, struct err *err)
{
    _cleanup_event_ struct event *set =
        read_event(daemon, hash, EVENT_SCHEDULE_SET, err);

    if (set == NULL) {
        return -1;
    }
    const struct schedule_set *said = set->payload;
    _cleanup_event_ struct event *save =
        read_event(daemon, &said->saved, EVENT_COMMAND_SAVE, err);
    if (save == NULL) {
        return -1;
    }
    if (timing_read(said, &schedule->timing, err) != 0) {
        err->kind = ERR_REJECT; /* no tzdata: what is lost is still ended */
        return -1;
    }
    schedule->event = take_ptr(set);
    schedule->save = take_ptr(save);
    return 0;
}

static struct schedule *find(const struct firing *firing, const struct id *id)
{
    struct schedule *schedule = NULL;

    HASH_FIND(hh, firing->all, id->b, sizeof(id->b), schedule);
    return schedule;
}

/* The schedule of a row; read anew where it was set anew. */
static int take_schedule(struct firing *firing, const struct rows *rows,
                         size_t i, struct schedule **ret_schedule,
                         struct err *err)
{
    struct id id = row_id(rows, i, "id");
    struct hash hash = row_hash(rows, i, "hash");
    struct schedule *schedule = find(firing, &id);

    if (schedule != NULL && !hash_equal(&schedule->hash, &hash)) {
        forget(firing, schedule);
        schedule = NULL;
    }
    if (schedule == NULL) {
        schedule = must_calloc(1, sizeof(*schedule));
        schedule->id = id;
        schedule->hash = hash;
        if (read_set(firing->daemon, &hash, schedule, err) != 0) {
            free(schedule);
            return -1;
        }
        HASH_ADD(hh, firing->all, id, sizeof(schedule->id), schedule);
    }
    *ret_schedule = schedule;
    return 0;
}

/* Where it begins: since it runs, or behind the tick that was decided last. */
static struct tick after_of(const struct rows *rows, size_t i)
{
    struct tick since = tick_start(row_time(rows, i, "since"));
    struct tick last = {.moment = row_time(rows, i, "tick_at"),
                        .local = row_int(rows, i, "tick_local")};

    return tick_is_behind(&last, &since) ? last : since;
}

/* Targets */

struct labels {
    struct list pairs; /* struct pair */
};

static const struct field labels_fields[] = {
    {"labels", FIELD_PAIRS, .at = offsetof(struct labels, pairs)},
};

static const struct table labels_table = {
    .name = "labels", TABLE(labels_fields), .size = sizeof(struct labels)};

static bool reaches(const struct list *wheres, const char *name,
                    const struct list *labels)
{
    for (size_t i = 0; i < wheres->n; i++) {
        if (where_holds(list_at(wheres, char *, i), name, labels)) {
            return true;
        }
    }
    return false;
}

/* The names of those in use that the schedule reaches; none where there are too
 * many: the authorizer says so. */
static int find_targets(struct daemon *daemon, const struct list *wheres,
                        struct list *ret_names, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(daemon->postgres,
           "SELECT name, json_build_object('labels', labels) AS labels "
           "FROM targets WHERE state = 'in_use' ORDER BY name",
           &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        const char *json = row_text(rows, i, "labels");
        const char *name = row_text(rows, i, "name");
        struct labels labels;
        if (table_decode(&labels_table, json, strlen(json), &labels, err)) {
            return err_wrap(err, "table targets");
        }
        if (reaches(wheres, name, &labels.pairs)) {
            texts_add(ret_names, name);
        }
        table_done(&labels_table, &labels);
    }
    if (ret_names->n > RUN_TARGETS_MAX) {
        texts_done(ret_names);
    }
    return 0;
}

/* Saying it */

/* Arguments are the schedule's, lent; nobody waits for the answer. */
static int say(struct firing *firing, const struct schedule *schedule,
               const struct tick *due, struct err *err)
{
    const struct schedule_set *set = set_of(schedule);
    int64_t now = clock_now();
    struct run_tick tick = {
        .start = {.request = {.head = head_new(&firing->daemon->root,
                                               &firing->daemon->by, now),
                              .expires = now + REQUEST_LIFE,
                              .reply.box = firing->daemon->keys->box},
                  .command = set->command,
                  .arguments = set->arguments},
        .schedule = schedule->hash,
        .local = due->local,
        .fold = due->fold};

    tick.start.request.head.id = tick_id(&schedule->id, set->zone, due);
    if (find_targets(firing->daemon, &set->targets, &tick.start.targets, err) !=
        0) {
        texts_done(&tick.start.targets);
        return -1;
    }
    tick.start.deadline = run_latest(&tick.start, schedule->save->payload);
    int done = request_say(firing->daemon, EVENT_RUN_TICK, &tick, err);
    texts_done(&tick.start.targets);
    return done;
}

static void log_missed(const struct daemon *daemon,
                       const struct schedule *schedule, int64_t moment)
{
    char text[TIME_TEXT];

    time_format(moment, text);
    log_warning(&daemon->log, "missed", L_ID("schedule", &schedule->id),
                L_TEXT("due", text));
}

static int fire(struct firing *firing, struct schedule *schedule,
                struct err *err)
{
    int64_t now = clock_now();
    struct tick due;

    if (now < schedule->next_at) {
        return 0;
    }
    if (!due_tick(&schedule->timing, (enum catch_up)set_of(schedule)->catch_up,
                  &schedule->after, now, &due)) {
        if (schedule->next_at != 0) {
            log_missed(firing->daemon, schedule, schedule->next_at);
        }
        schedule->next_at = due_next(&schedule->timing, &schedule->after, now);
        return 0;
    }
    struct id id = tick_id(&schedule->id, set_of(schedule)->zone, &due);
    if (!said_now(&firing->said, &id)) {
        return 0;
    }
    log_info(&firing->daemon->log, "fires", L_ID("schedule", &schedule->id),
             L_ID("run", &id));
    return say(firing, schedule, &due, err);
}

static int take_and_fire(struct firing *firing, const struct rows *rows,
                         size_t i, struct err *err)
{
    struct schedule *schedule;
    struct tick after = after_of(rows, i);

    if (take_schedule(firing, rows, i, &schedule, err) != 0) {
        return -1;
    }
    schedule->seen = firing->looks;
    if (tick_is_behind(&after, &schedule->after)) {
        schedule->after = after;
        schedule->next_at = 0;
    }
    return fire(firing, schedule, err);
}

/* One that can't be read or said, or not in this machine's zones, stops no
 * other. */
static int look_at(struct firing *firing, const struct rows *rows, size_t i,
                   struct err *err)
{
    struct id id = row_id(rows, i, "id");

    if (take_and_fire(firing, rows, i, err) == 0) {
        return 0;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    if (said_now(&firing->said, &id)) {
        log_error(&firing->daemon->log, "can't be fired", L_ID("schedule", &id),
                  L_ERR(err));
    }
    err_clear(err);
    return 0;
}

int firing_look(struct firing *firing, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    said_forget(&firing->said, clock_steady() - SAY_AGAIN);
    if (PG(firing->daemon->postgres,
           "SELECT s.id, s.hash, s.since, s.tick_at, s.tick_local "
           "FROM schedules s JOIN command_versions v ON v.hash = "
           "s.command_hash "
           "WHERE s.removed_at IS NULL AND NOT s.paused AND NOT s.void "
           "AND NOT v.void ORDER BY s.id",
           &rows, err) != 0) {
        return -1;
    }
    firing->looks++;
    for (size_t i = 0; i < rows_n(rows); i++) {
        if (look_at(firing, rows, i, err) != 0) {
            said_forget(&firing->said, INT64_MAX); /* was it said? unknown */
            return -1;
        }
    }
    forget_unseen(firing, firing->looks);
    return 0;
}
