/*
 * cmd_result.c: result: what became of a run, from the record.
 *
 * RUN is an id, a unique ending of one, or nothing: the newest run that this
 * person asked for. What this profile was told has ended may reach the record
 * some moments later: it is waited for.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "model/read.h"
#include "model/run.h"
#include "producer/submit/ended.h"
#include "producer/submit/recorded.h"
#include "producer/submit/shown.h"
#include "producer/submit/track.h"
#include "producer/submit/waits.h"

#define RECORD_WAIT 5000 /* ms to wait for what was told has ended */
#define RECORD_AGAIN 50  /* ms between looks */

void run_short(const struct id *run, char text[static RUN_SHORT])
{
    char id[ID_TEXT];

    id_format(run, id);
    memcpy(text, id + strlen(id) - (RUN_SHORT - 1), RUN_SHORT);
}

bool run_waits(const struct run_row *run)
{
    return run->pending.lacking > 0;
}

char *run_text(const struct run_row *run)
{
    if (run_waits(run)) {
        return waits_text(&run->pending);
    }
    return run->outcome != 0 ? word_spoken(&outcome_words, run->outcome)
           : run->state != 0 ? word_spoken(&run_state_words, run->state)
                             : must_strdup("goes on");
}

char *run_by_text(const struct run_row *run)
{
    return id_is_zero(&run->schedule)
               ? must_strdup(run->asked_by)
               : must_printf("schedule of %s", run->asked_by);
}

/* The run that the person means, as run.show takes it; the caller's to free. */
static char *run_named(struct submit *submit, struct err *err)
{
    struct history_answer history = {0};
    struct run_row *run;
    char id[ID_TEXT];

    if (submit->n_args > 0 && strlen(submit->args[0]) >= ID_TEXT) {
        (void)err_exit(err, EXIT_DATA,
                       "a run is named by its id, or by an ending of it of at "
                       "least 4 digits");
        return NULL;
    }
    if (submit->n_args > 0) {
        return must_strdup(submit->args[0]);
    }
    int none = run_last(submit, NULL, &history, &run, err);
    if (none != 0) {
        if (none > 0) {
            (void)err_exit(err, EXIT_NOT_FOUND,
                           "you have not run anything yet");
        }
        return NULL;
    }
    id_format(&run->run, id);
    table_done(&history_answer_table, &history);
    return must_strdup(id);
}

int run_ask(struct submit *submit, char *name, struct run_answer *ret_answer,
            struct err *err)
{
    struct run_named named = {.run = name};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_SHOW,
                                         .payload = &named,
                                         .answer = &run_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

static bool runs_on(const struct run_answer *run, const char *target)
{
    for (size_t i = 0; i < run->executions.n; i++) {
        if (strcmp(list_at(&run->executions, struct execution_row, i).target,
                   target) == 0) {
            return true;
        }
    }
    return false;
}

int run_targets_read(const struct submit *submit, const struct run_answer *run,
                     struct list *targets, struct err *err)
{
    char shown[RUN_SHORT];

    run_short(&run->run.run, shown);
    flag_texts(submit, "target", targets);
    for (size_t i = 0; i < targets->n; i++) {
        const char *target = list_at(targets, char *, i);
        if (!runs_on(run, target)) {
            return err_exit(err, EXIT_DATA,
                            "run %s is not for target %s: submit result %s "
                            "names those that it is for",
                            shown, target, shown);
        }
    }
    return 0;
}

int recorded_find(struct submit *submit, struct run_answer *ret_answer,
                  struct err *err)
{
    _cleanup_free_ char *name = run_named(submit, err);
    int64_t end = clock_steady() + RECORD_WAIT;
    struct run_answer answer = {0};

    if (name == NULL || run_ask(submit, name, &answer, err) != 0) {
        return -1;
    }
    while (answer.run.outcome == OUTCOME_NONE && clock_steady() < end &&
           run_was_told(submit, &answer.run.run)) {
        (void)poll(NULL, 0, RECORD_AGAIN);
        table_done(&run_answer_table, &answer);
        if (run_ask(submit, name, &answer, err) != 0) {
            return -1;
        }
    }
    *ret_answer = answer;
    return 0;
}

static char *answer_how(const void *row)
{
    return run_text(&((const struct run_answer *)row)->run);
}

static char *answer_by(const void *row)
{
    return run_by_text(&((const struct run_answer *)row)->run);
}

static const struct column run_columns[] = {
    {"run", COLUMN_ID, .at = offsetof(struct run_answer, run.run)},
    {"command", COLUMN_TEXT, .at = offsetof(struct run_answer, run.command)},
    {"version", COLUMN_INT, .at = offsetof(struct run_answer, run.version)},
    {"arguments", COLUMN_PAIRS,
     .at = offsetof(struct run_answer, run.arguments)},
    {"asked by", COLUMN_MADE, .make = answer_by},
    {"asked", COLUMN_TIME, .at = offsetof(struct run_answer, run.asked)},
    {"ended", COLUMN_TIME, .at = offsetof(struct run_answer, run.finished)},
    {"outcome", COLUMN_MADE, .make = answer_how},
};

static char *execution_how(const void *row)
{
    const struct execution_row *execution = row;
    _cleanup_free_ char *how = execution_text(execution);

    return execution->attempt > 1
               ? must_printf("attempt %lld: %s", (long long)execution->attempt,
                             how)
               : take_ptr(how);
}

/* "0.31 s, 4.2M": processors' time, and memory. */
static char *execution_used(const void *row)
{
    const struct usage *usage = &((const struct execution_row *)row)->usage;

    return usage->memory == 0
               ? NULL
               : must_printf("%.2f s, %.1fM",
                             (double)(usage->user + usage->sys) / 1000,
                             (double)usage->memory / (1 << 20));
}

static const struct column execution_columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct execution_row, target)},
    {"outcome", COLUMN_MADE, .make = execution_how, .wide = true},
    {"started", COLUMN_TIME, .at = offsetof(struct execution_row, started)},
    {"ended", COLUMN_TIME, .at = offsetof(struct execution_row, finished)},
    {"chunks", COLUMN_INT, .at = offsetof(struct execution_row, chunks)},
    {"dropped", COLUMN_INT, .at = offsetof(struct execution_row, dropped)},
    {"used", COLUMN_MADE, .make = execution_used},
};

static char *notice_of(const void *row)
{
    return word_spoken(&outcome_words,
                       ((const struct notice_row *)row)->outcome);
}

/* "delayed (the receiver answered 500); tried again until …" */
static char *notice_fate(const void *row)
{
    const struct notice_row *notice = row;
    _cleanup_free_ char *until =
        notice->until == 0 ? NULL : time_text(notice->until);

    if (notice->fate == FATE_WAITING) {
        return must_strdup("waits for a notifier");
    }
    if (notice->fate == FATE_HELD) {
        return must_strdup("held back: enough was sent there");
    }
    return must_printf("%s%s%s%s%s%s", word_text(&fate_words, notice->fate),
                       notice->reason == NULL ? "" : " (",
                       notice->reason == NULL ? "" : notice->reason,
                       notice->reason == NULL ? "" : ")",
                       until == NULL ? "" : "; tried again until ",
                       until == NULL ? "" : until);
}

static const struct column notice_columns[] = {
    {"told", COLUMN_TEXT, .at = offsetof(struct notice_row, to)},
    {"end", COLUMN_MADE, .make = notice_of},
    {"notice", COLUMN_MADE, .make = notice_fate, .wide = true},
    {"at", COLUMN_TIME, .at = offsetof(struct notice_row, at)},
};

static int print_notices(const struct print *print, const struct list *notices,
                         struct err *err)
{
    struct noun noun = {.table = &notice_row_table,
                        .columns = notice_columns,
                        .n = ARRAY_SIZE(notice_columns)};

    if (notices->n == 0) {
        return 0;
    }
    return print_line(print, err, "%s", "") != 0
               ? -1
               : print_rows(print, &noun, notices, err);
}

static int print_run(const struct print *print, const struct run_answer *answer,
                     struct err *err)
{
    struct noun run = {.table = &run_answer_table,
                       .columns = run_columns,
                       .n = ARRAY_SIZE(run_columns)};
    struct noun executions = {.table = row_table(&run_answer_table),
                              .columns = execution_columns,
                              .n = ARRAY_SIZE(execution_columns)};

    if (print_row(print, &run, answer, err) != 0) {
        return -1;
    }
    if (print->format != FORMAT_TABLE) {
        return 0;
    }
    return print_line(print, err, "%s", "") != 0 ||
                   print_rows(print, &executions, &answer->executions, err) != 0
               ? -1
               : print_notices(print, &answer->notices, err);
}

int cmd_result(struct submit *submit, struct err *err)
{
    struct run_answer answer = {0};

    if (recorded_find(submit, &answer, err) != 0) {
        return -1;
    }
    int done = print_run(&submit->print, &answer, err);
    table_done(&run_answer_table, &answer);
    return done;
}
