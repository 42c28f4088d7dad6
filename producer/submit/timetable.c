/* timetable.c: see timetable.h. */
#include "producer/submit/timetable.h"

#include <string.h>

#include "base/clock.h"

void timetable_done(struct timetable *timetable)
{
    schedule_lines_done(&timetable->when);
    table_done(&schedules_answer_table, &timetable->told);
}

int timetable_ask(struct submit *submit, const char *command,
                  struct schedules_answer *ret_told, struct err *err)
{
    struct schedule_list list = {.command = (char *)command};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_SCHEDULE_LIST,
                                         .payload = &list,
                                         .answer = &schedules_answer_table,
                                         .ret_answer = ret_told},
                      err);
}

static const struct schedule_row *find_told(const struct timetable *timetable,
                                            const struct id *schedule)
{
    const struct list *told = &timetable->told.schedules;

    for (size_t i = 0; i < told->n; i++) {
        const struct schedule_row *row = &list_at(told, struct schedule_row, i);
        if (id_equal(&row->schedule, schedule)) {
            return row;
        }
    }
    return NULL;
}

static bool is_past(const struct schedule_set *set)
{
    return set->cron == NULL && set->at <= clock_now();
}

static struct schedule_set set_of(const struct timetable *timetable, size_t i)
{
    return schedule_of_line(&timetable->when, i, &timetable->save->command);
}

/* One that is there may be over; a new one that is says something else than was
 * meant. */
static int check_moments(const struct timetable *timetable, struct err *err)
{
    const struct list *lines = &timetable->when.lines;

    for (size_t i = 0; i < lines->n; i++) {
        struct schedule_set set = set_of(timetable, i);
        const struct schedule_line *line =
            &list_at(lines, struct schedule_line, i);
        if (is_past(&set) && find_told(timetable, &set.schedule) == NULL) {
            return err_exit(err, EXIT_DATA,
                            "%s: line %zu: at: %s has passed: take the line "
                            "out, or name a time to come",
                            timetable->save->name, line->line, line->text);
        }
    }
    return 0;
}

int timetable_read(struct submit *submit, const struct command_save *save,
                   bool there, struct timetable *timetable, struct err *err)
{
    struct command_save again = {0};

    timetable->save = save;
    if (command_read_when(save->name, save->script.data, save->script.len,
                          &again, &timetable->when, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    table_done(&command_save_table, &again);
    if (there &&
        timetable_ask(submit, save->name, &timetable->told, err) != 0) {
        return -1;
    }
    return check_moments(timetable, err);
}

/* What was paused is paused as a whole, also what comes new into its file. */
static bool is_paused(const struct timetable *timetable)
{
    const struct list *told = &timetable->told.schedules;
    bool paused = timetable->pausing == PAUSE_ALL;

    for (size_t i = 0; timetable->pausing == PAUSE_AS_IT_IS && i < told->n;
         i++) {
        paused |= list_at(told, struct schedule_row, i).paused;
    }
    return paused;
}

/* Who pauses signs it, even where it is told to be paused. */
static bool is_there(const struct timetable *timetable,
                     const struct schedule_set *set)
{
    const struct schedule_row *row = find_told(timetable, &set->schedule);

    return timetable->pausing != PAUSE_ALL && row != NULL &&
           row->stopped == NULL && row->paused == set->paused &&
           row->catch_up == set->catch_up &&
           hash_equal(&row->saved, &set->saved);
}

char *schedule_text(const char *cron, int64_t at)
{
    char moment[TIME_TEXT];

    if (cron != NULL) {
        return must_strdup(cron);
    }
    time_format(at, moment);
    return must_printf("at %s", moment);
}

static int take_away(struct submit *submit, const struct id *schedule,
                     struct err *err)
{
    struct schedule_remove remove = {.schedule = *schedule};

    return submit_ask(submit,
                      &(struct question){.as = ASK_OWN,
                                         .kind = EVENT_SCHEDULE_REMOVE,
                                         .payload = &remove},
                      err);
}

/* What is to be paused is taken away first: the revocation log tells it to
 * every host, while a schedule.set alone binds nobody who has the one before
 * it. Whoever saves what is paused only says so again: should that break off,
 * it must not be gone, since then the next save would have it run. */
static int sign_one(struct submit *submit, const struct timetable *timetable,
                    struct schedule_set *set, struct err *err)
{
    bool pauses = timetable->pausing == PAUSE_ALL &&
                  find_told(timetable, &set->schedule) != NULL;
    _cleanup_free_ char *text = schedule_text(set->cron, set->at);

    if ((pauses && take_away(submit, &set->schedule, err) != 0) ||
        submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_SCHEDULE_SET,
                                      .payload = set},
                   err) != 0) {
        return err_wrap(err, "schedule %s", text);
    }
    say("schedule %s, %s: %s", text, set->zone, set->paused ? "paused" : "set");
    return 0;
}

static int sign_lines(struct submit *submit, const struct timetable *timetable,
                      const struct hash *saved, size_t *changed,
                      struct err *err)
{
    for (size_t i = 0; i < timetable->when.lines.n; i++) {
        struct schedule_set set = set_of(timetable, i);
        set.saved = *saved;
        set.targets = timetable->save->targets; /* lent */
        set.paused = is_paused(timetable);
        if (is_past(&set) || is_there(timetable, &set)) {
            continue;
        }
        if (sign_one(submit, timetable, &set, err) != 0) {
            return -1;
        }
        ++*changed;
    }
    return 0;
}

static bool stands(const struct timetable *timetable, const struct id *schedule)
{
    for (size_t i = 0; i < timetable->when.lines.n; i++) {
        struct schedule_set set = set_of(timetable, i);
        if (id_equal(&set.schedule, schedule)) {
            return true;
        }
    }
    return false;
}

/* Only what is this command's: the id is worked out from what was told. */
static int remove_one(struct submit *submit, const struct timetable *timetable,
                      const struct schedule_row *row, struct err *err)
{
    struct schedule_set set = {.command = timetable->save->command,
                               .cron = row->cron,
                               .at = row->at,
                               .zone = row->zone};
    struct id schedule = schedule_id(&set);
    _cleanup_free_ char *text = schedule_text(row->cron, row->at);

    if (take_away(submit, &schedule, err) != 0) {
        return err_wrap(err, "schedule %s", text);
    }
    say("schedule %s, %s: taken away", text, row->zone);
    return 0;
}

static int remove_gone(struct submit *submit, const struct timetable *timetable,
                       size_t *changed, struct err *err)
{
    const struct list *told = &timetable->told.schedules;

    for (size_t i = 0; i < told->n; i++) {
        const struct schedule_row *row = &list_at(told, struct schedule_row, i);
        if (stands(timetable, &row->schedule)) {
            continue;
        }
        if (remove_one(submit, timetable, row, err) != 0) {
            return -1;
        }
        ++*changed;
    }
    return 0;
}

int timetable_sign(struct submit *submit, const struct timetable *timetable,
                   const struct hash *saved, size_t *ret_changed,
                   struct err *err)
{
    size_t changed = 0;

    if (remove_gone(submit, timetable, &changed, err) != 0 ||
        sign_lines(submit, timetable, saved, &changed, err) != 0) {
        return err_wrap(err,
                        "%s is saved, but not all of its schedules are "
                        "(the same again is safe)",
                        timetable->save->name);
    }
    if (ret_changed != NULL) {
        *ret_changed = changed;
    }
    return 0;
}
