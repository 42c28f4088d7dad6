/*
 * cmd_result.c: result, history: what became of runs, from the record.
 *
 * RUN is an id, a unique ending of one, or nothing: the newest run that this
 * person asked for. What this profile was told has ended may reach the record
 * some moments later: it is waited for.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "model/read.h"
#include "producer/submit/follow.h"
#include "producer/submit/recorded.h"
#include "producer/submit/shown.h"
#include "producer/submit/track.h"

#define RECORD_WAIT 5000 /* ms to wait for what was told has ended */
#define RECORD_AGAIN 50  /* ms between looks */
#define PAGE 100         /* runs that one read tells at most */
#define HISTORY_DEFAULT 20
#define HISTORY_MAX 1000

void run_short(const struct id *run, char text[static RUN_SHORT])
{
    char id[ID_TEXT];

    id_format(run, id);
    memcpy(text, id + strlen(id) - (RUN_SHORT - 1), RUN_SHORT);
}

char *run_text(const struct run_row *run)
{
    char *text = must_strdup(run->outcome == 0
                                 ? "goes on"
                                 : word_text(&outcome_words, run->outcome));

    for (char *c = strchr(text, '_'); c != NULL; c = strchr(c, '_')) {
        *c = ' ';
    }
    return text;
}

static int ask_history(struct submit *submit, const struct id *before,
                       int64_t limit, struct history_answer *ret_answer,
                       struct err *err)
{
    struct run_history history = {.limit = limit};

    if (before != NULL) {
        history.before = *before;
    }
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_HISTORY,
                                         .payload = &history,
                                         .answer = &history_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

int run_last(struct submit *submit, const char *command,
             struct history_answer *ret_history, struct run_row **ret_run,
             struct err *err)
{
    struct id before = {0};

    for (bool more = true; more;) {
        struct history_answer answer = {0};
        if (ask_history(submit, &before, PAGE, &answer, err) != 0) {
            return -1;
        }
        for (size_t i = 0; i < answer.runs.n; i++) {
            struct run_row *run = &list_at(&answer.runs, struct run_row, i);
            before = run->run;
            if (strcmp(run->asked_by, submit->profile->email) == 0 &&
                (command == NULL || strcmp(run->command, command) == 0)) {
                *ret_history = answer;
                *ret_run = run;
                return 0;
            }
        }
        more = answer.more && answer.runs.n > 0;
        table_done(&history_answer_table, &answer);
    }
    return 1;
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

static int show_run(struct submit *submit, char *name,
                    struct run_answer *ret_answer, struct err *err)
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

int recorded_find(struct submit *submit, struct run_answer *ret_answer,
                  struct err *err)
{
    _cleanup_free_ char *name = run_named(submit, err);
    int64_t end = clock_steady() + RECORD_WAIT;
    struct run_answer answer = {0};

    if (name == NULL || show_run(submit, name, &answer, err) != 0) {
        return -1;
    }
    while (answer.run.outcome == OUTCOME_NONE && clock_steady() < end &&
           run_was_told(submit, &answer.run.run)) {
        (void)poll(NULL, 0, RECORD_AGAIN);
        table_done(&run_answer_table, &answer);
        if (show_run(submit, name, &answer, err) != 0) {
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

static const struct column run_columns[] = {
    {"run", COLUMN_ID, .at = offsetof(struct run_answer, run.run)},
    {"command", COLUMN_TEXT, .at = offsetof(struct run_answer, run.command)},
    {"version", COLUMN_INT, .at = offsetof(struct run_answer, run.version)},
    {"arguments", COLUMN_PAIRS,
     .at = offsetof(struct run_answer, run.arguments)},
    {"asked by", COLUMN_TEXT, .at = offsetof(struct run_answer, run.asked_by)},
    {"asked", COLUMN_TIME, .at = offsetof(struct run_answer, run.asked)},
    {"ended", COLUMN_TIME, .at = offsetof(struct run_answer, run.finished)},
    {"outcome", COLUMN_MADE, .make = answer_how},
};

static char *execution_how(const void *row)
{
    return execution_text(row);
}

static const struct column execution_columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct execution_row, target)},
    {"outcome", COLUMN_MADE, .make = execution_how, .wide = true},
    {"started", COLUMN_TIME, .at = offsetof(struct execution_row, started)},
    {"ended", COLUMN_TIME, .at = offsetof(struct execution_row, finished)},
    {"chunks", COLUMN_INT, .at = offsetof(struct execution_row, chunks)},
    {"dropped", COLUMN_INT, .at = offsetof(struct execution_row, dropped)},
};

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
    return print_line(print, err, "%s", "") != 0
               ? -1
               : print_rows(print, &executions, &answer->executions, err);
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

static char *row_how(const void *row)
{
    return run_text(row);
}

static const struct column history_columns[] = {
    {"asked", COLUMN_TIME, .at = offsetof(struct run_row, asked)},
    {"command", COLUMN_TEXT, .at = offsetof(struct run_row, command)},
    {"outcome", COLUMN_MADE, .make = row_how},
    {"arguments", COLUMN_PAIRS, .at = offsetof(struct run_row, arguments),
     .wide = true},
    {"by", COLUMN_TEXT, .at = offsetof(struct run_row, asked_by), .wide = true},
    {"run", COLUMN_ID, .at = offsetof(struct run_row, run)},
};

static int read_limit(const struct submit *submit, int64_t *ret_limit,
                      struct err *err)
{
    const char *text = flag_value(submit, "limit");
    char *end = NULL;
    long limit = text != NULL ? strtol(text, &end, 10) : HISTORY_DEFAULT;

    if (limit < 1 || limit > HISTORY_MAX || (end != NULL && *end != '\0')) {
        return err_exit(err, EXIT_USAGE,
                        "--limit wants a number from 1 to %d, not '%s'",
                        HISTORY_MAX, text);
    }
    *ret_limit = limit;
    return 0;
}

/* The newest runs, page by page; what one page tells moves over. */
static int read_history(struct submit *submit, int64_t limit, struct list *runs,
                        struct err *err)
{
    struct id before = {0};
    bool more = true;

    while (more && (int64_t)runs->n < limit) {
        int64_t left = limit - (int64_t)runs->n;
        struct history_answer answer = {0};
        if (ask_history(submit, &before, left < PAGE ? left : PAGE, &answer,
                        err) != 0) {
            return -1;
        }
        for (size_t i = 0; i < answer.runs.n; i++) {
            struct run_row *run = &list_at(&answer.runs, struct run_row, i);
            struct run_row *to = list_grow(runs, sizeof(*to));
            before = run->run;
            *to = *run;
            *run = (struct run_row){0};
        }
        more = answer.more && answer.runs.n > 0;
        table_done(&history_answer_table, &answer);
    }
    return 0;
}

int cmd_history(struct submit *submit, struct err *err)
{
    struct history_answer all = {0};
    struct noun noun = {.nothing = "nothing was run yet",
                        .table = row_table(&history_answer_table),
                        .columns = history_columns,
                        .n = ARRAY_SIZE(history_columns),
                        .name = ARRAY_SIZE(history_columns) - 1};
    int64_t limit = HISTORY_DEFAULT;

    if (read_limit(submit, &limit, err) != 0) {
        return -1;
    }
    int done = read_history(submit, limit, &all.runs, err) != 0
                   ? -1
                   : print_rows(&submit->print, &noun, &all.runs, err);
    table_done(&history_answer_table, &all);
    return done;
}
