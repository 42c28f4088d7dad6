/*
 * cmd_schedule.c: schedule list, pause, resume: which commands run by
 * themselves, and on whose authority. Their times are set in a command's file;
 * when they come is told by schedule next (cmd_schedule_next.c).
 */
#include <string.h>

#include "base/clock.h"
#include "model/timing.h"
#include "producer/submit/saved.h"
#include "producer/submit/timetable.h"

static char *when_of(const void *row)
{
    const struct schedule_row *one = row;
    _cleanup_free_ char *text =
        one->cron == NULL ? time_text(one->at) : must_strdup(one->cron);

    return one->cron == NULL ? must_printf("at %s", text)
                             : must_printf("%s, %s", text, one->zone);
}

static char *state_of(const void *row)
{
    const struct schedule_row *one = row;

    if (one->stopped != NULL) {
        return must_strdup("stopped");
    }
    return must_strdup(one->paused ? "paused" : "runs");
}

static char *ended_of(const void *row)
{
    const struct schedule_row *one = row;

    if (one->fired == 0) {
        return NULL;
    }
    if (one->refused != NULL) {
        return must_printf("refused: %s", one->refused);
    }
    if (one->outcome != 0) {
        return must_strdup(word_text(&outcome_words, one->outcome));
    }
    return must_strdup(id_is_zero(&one->run) ? "no longer kept" : "goes on");
}

/* By this machine's time zones. */
static char *next_of(const void *row)
{
    const struct schedule_row *one = row;
    struct schedule_set set = {
        .cron = one->cron, .at = one->at, .zone = one->zone};
    _cleanup_timing_ struct timing timing = {0};
    struct tick from = tick_start(clock_now());
    struct tick tick;
    struct err ignored;

    if (one->paused || one->stopped != NULL ||
        timing_read(&set, &timing, &ignored) != 0 ||
        !timing_next(&timing, &from, &tick)) {
        return NULL;
    }
    return time_text(tick.moment);
}

static const struct column schedule_columns[] = {
    {"command", COLUMN_TEXT, .at = offsetof(struct schedule_row, command)},
    {"version", COLUMN_INT, .at = offsetof(struct schedule_row, version)},
    {"when", COLUMN_MADE, .make = when_of},
    {"state", COLUMN_MADE, .make = state_of},
    {"by", COLUMN_TEXT, .at = offsetof(struct schedule_row, set_by),
     .wide = true},
    {"next", COLUMN_MADE, .make = next_of},
    {"last", COLUMN_TIME, .at = offsetof(struct schedule_row, fired)},
    {"ended", COLUMN_MADE, .make = ended_of, .wide = true},
};

/* Why, in a line each: a column would cut it. */
static void tell_stopped(const struct schedules_answer *told)
{
    for (size_t i = 0; i < told->schedules.n; i++) {
        const struct schedule_row *row =
            &list_at(&told->schedules, struct schedule_row, i);
        if (row->stopped != NULL) {
            say("%s is stopped: %s. Whoever saves its file again, or resumes "
                "it, has it run in their own name.",
                row->command, row->stopped);
        }
    }
}

int cmd_schedule_list(struct submit *submit, struct err *err)
{
    struct schedules_answer told = {0};
    struct noun noun = {.nothing = "nothing runs by itself: a command's file "
                                   "says when, `schedule = 0 3 * * 1-5`",
                        .table = row_table(&schedules_answer_table),
                        .columns = schedule_columns,
                        .n = ARRAY_SIZE(schedule_columns)};

    if (timetable_ask(submit, submit->n_args > 0 ? submit->args[0] : NULL,
                      &told, err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &told.schedules, err);
    if (submit->print.format == FORMAT_TABLE) {
        tell_stopped(&told);
    }
    table_done(&schedules_answer_table, &told);
    return done;
}

/* Signed anew from the file of the newest version, whose chain was checked. */
static int set_pausing(struct submit *submit, enum pausing pausing,
                       struct err *err)
{
    const char *name = submit->args[0];
    _cleanup_saved_ struct saved saved = {0};
    _cleanup_timetable_ struct timetable timetable = {.pausing = pausing};
    size_t changed = 0;

    if (saved_find(submit, name, &saved, err) != 0 ||
        timetable_read(submit, &saved.save, true, &timetable, err) != 0) {
        return -1;
    }
    if (timetable.when.lines.n == 0) {
        return err_exit(err, EXIT_DATA,
                        "%s has no schedule: its file says when it runs by "
                        "itself",
                        name);
    }
    if (timetable_sign(submit, &timetable, &saved.hash, &changed, err) != 0) {
        return -1;
    }
    if (changed == 0) {
        say("nothing was to be changed");
    }
    return 0;
}

int cmd_schedule_pause(struct submit *submit, struct err *err)
{
    return set_pausing(submit, PAUSE_ALL, err);
}

int cmd_schedule_resume(struct submit *submit, struct err *err)
{
    return set_pausing(submit, PAUSE_NONE, err);
}
