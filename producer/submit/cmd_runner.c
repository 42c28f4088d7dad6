/*
 * cmd_runner.c: list, show: the commands that a person may run, and what each
 * of them asks for.
 */
#include <string.h>

#include "base/clock.h"
#include "model/limits.h"
#include "producer/submit/saved.h"
#include "producer/submit/shown.h"

int commands_print(struct submit *submit, const struct noun *noun,
                   struct err *err)
{
    struct plain_request plain = {0};
    struct commands_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_LIST,
                                      .payload = &plain,
                                      .answer = &commands_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, noun, &answer.commands, err);
    table_done(&commands_answer_table, &answer);
    return done;
}

static const struct column list_columns[] = {
    {"name", COLUMN_TEXT, .at = offsetof(struct command_row, name)},
    {"description", COLUMN_TEXT,
     .at = offsetof(struct command_row, description), .wide = true},
    {"targets", COLUMN_TEXTS, .at = offsetof(struct command_row, targets),
     .wide = true},
};

int cmd_list(struct submit *submit, struct err *err)
{
    return commands_print(
        submit,
        &(struct noun){.nothing = "no command is assigned to you",
                       .table = row_table(&commands_answer_table),
                       .columns = list_columns,
                       .n = ARRAY_SIZE(list_columns)},
        err);
}

/* How it is called: "submit run disk-report [dir=PATH]". */
static char *usage_make(const void *row)
{
    const struct command_answer *answer = row;
    struct buf out = {0};

    (void)buf_addf(&out, "submit run %s", answer->command.name);
    for (size_t i = 0; i < answer->parameters.n; i++) {
        const struct parameter *one =
            &list_at(&answer->parameters, struct parameter, i);
        bool secret = one->type == PARAMETER_SECRET; /* is asked for */
        bool needed = one->required && one->fallback == NULL && !secret;
        if (one->fixed != NULL) {
            continue;
        }
        (void)buf_addf(&out, needed ? " %s=%s" : " [%s=%s]", one->name,
                       secret || one->type == PARAMETER_FILE
                           ? "@FILE"
                           : word_text(&parameter_type_words, one->type));
    }
    return buf_take(&out);
}

static char *notify_make(const void *row)
{
    const struct command_answer *answer = row;
    struct buf out = {0};

    for (size_t i = 0; i < answer->notify.n; i++) {
        _cleanup_free_ char *one =
            notify_text(&list_at(&answer->notify, struct notify, i));
        (void)buf_addf(&out, "%s%s", i == 0 ? "" : "; ", one);
    }
    return out.len == 0 ? NULL : buf_take(&out);
}

static char *approve_make(const void *row)
{
    const struct approval *approve =
        &((const struct command_answer *)row)->approve;
    _cleanup_free_ char *whose = approval_text(approve);
    char within[24];

    if (whose == NULL) {
        return NULL;
    }
    duration_format(approve->within, within, sizeof(within));
    return must_printf("%s, within %s", whose, within);
}

/* "10 targets at once; ends after 2 errors; 3 more attempts, 10s apart". */
static char *pace_make(const void *row)
{
    const struct pace *pace = &((const struct command_answer *)row)->pace;
    struct buf out = {0};
    char apart[24];

    if (pace->max_parallel != NULL) {
        (void)buf_addf(&out, "; %s of its targets at once", pace->max_parallel);
    }
    if (pace->max_errors != NULL) {
        (void)buf_addf(&out, "; ends after errors on %s", pace->max_errors);
    }
    if (pace->retry > 0) {
        duration_format(pace_backoff(pace) / 1000, apart, sizeof(apart));
        (void)buf_addf(&out, "; %lld more attempt%s, %s apart",
                       (long long)pace->retry, pace->retry == 1 ? "" : "s",
                       apart);
    }
    if (pace->concurrency != CONCURRENCY_ALLOW) {
        (void)buf_addf(&out, "; one run at a time%s%s, others %s",
                       pace->concurrency_key == NULL ? "" : " for each ",
                       pace->concurrency_key == NULL ? ""
                                                     : pace->concurrency_key,
                       word_text(&concurrency_words, pace->concurrency));
    }
    _cleanup_free_ char *all = out.len == 0 ? NULL : buf_take(&out);
    return all == NULL ? NULL : must_strdup(all + strlen("; "));
}

static const struct column command_columns[] = {
    {"name", COLUMN_TEXT, .at = offsetof(struct command_answer, command.name)},
    {"description", COLUMN_TEXT,
     .at = offsetof(struct command_answer, command.description)},
    {"version", COLUMN_INT,
     .at = offsetof(struct command_answer, command.version)},
    {"saved", COLUMN_TIME,
     .at = offsetof(struct command_answer, command.saved)},
    {"targets", COLUMN_TEXTS,
     .at = offsetof(struct command_answer, command.targets)},
    {"timeout", COLUMN_SECONDS, .at = offsetof(struct command_answer, timeout)},
    {"waits", COLUMN_SECONDS, .at = offsetof(struct command_answer, wait)},
    {"goes on", COLUMN_MADE, .make = pace_make},
    {"approved by", COLUMN_MADE, .make = approve_make},
    {"usage", COLUMN_MADE, .make = usage_make},
    {"notify", COLUMN_MADE, .make = notify_make},
    {"saved by", COLUMN_TEXT,
     .at = offsetof(struct command_answer, command.saved_by)},
    {"runners", COLUMN_TEXTS, .at = offsetof(struct command_answer, runners)},
};

#define RUNNER_COLUMNS (ARRAY_SIZE(command_columns) - 3)

static char *default_make(const void *row)
{
    const struct parameter *one = row;

    if (one->fixed != NULL) {
        return must_printf("%s (always)", one->fixed);
    }
    if (one->fallback != NULL) {
        return must_strdup(one->fallback);
    }
    return must_strdup(one->required ? "(required)" : "(none)");
}

static char *choices_make(const void *row)
{
    const struct parameter *one = row;
    struct buf out = {0};

    (void)buf_adds(&out, word_text(&parameter_type_words, one->type));
    for (size_t i = 0; i < one->choices.n; i++) {
        (void)buf_addf(&out, "%s%s", i == 0 ? ": " : "|",
                       list_at(&one->choices, char *, i));
    }
    _cleanup_free_ char *limits = limits_text(one);
    (void)buf_addf(&out, "%s%s", limits == NULL ? "" : ", ",
                   limits == NULL ? "" : limits);
    return buf_take(&out);
}

static const struct column parameter_columns[] = {
    {"parameter", COLUMN_TEXT, .at = offsetof(struct parameter, name)},
    {"type", COLUMN_MADE, .make = choices_make},
    {"default", COLUMN_MADE, .make = default_make},
    {"help", COLUMN_TEXT, .at = offsetof(struct parameter, help), .wide = true},
};

static int print_parameters(const struct submit *submit,
                            const struct command_answer *answer,
                            struct err *err)
{
    struct noun noun = {.table = &parameter_table,
                        .columns = parameter_columns,
                        .n = ARRAY_SIZE(parameter_columns)};

    if (answer->parameters.n == 0) {
        return 0;
    }
    return print_line(&submit->print, err, "%s", "") != 0
               ? -1
               : print_rows(&submit->print, &noun, &answer->parameters, err);
}

static int print_last(struct submit *submit, const char *name, struct err *err)
{
    struct history_answer history = {0};
    struct run_row *run;

    int none = run_last(submit, name, &history, &run, err);
    if (none != 0) {
        return none < 0 ? -1 : 0;
    }
    char id[RUN_SHORT];
    run_short(&run->run, id);
    _cleanup_free_ char *when = time_text(run->asked);
    _cleanup_free_ char *how = run_text(run);
    int done = print_line(&submit->print, err, "%s", "") != 0
                   ? -1
                   : print_line(&submit->print, err,
                                "your last run: %s, %s (submit result %s)",
                                when, how, id);
    table_done(&history_answer_table, &history);
    return done;
}

/* all: as an administrator sees it. */
static int print_command(struct submit *submit,
                         const struct command_answer *answer, bool all,
                         struct err *err)
{
    struct noun noun = {.table = &command_answer_table,
                        .columns = command_columns,
                        .n =
                            all ? ARRAY_SIZE(command_columns) : RUNNER_COLUMNS};

    if (print_row(&submit->print, &noun, answer, err) != 0) {
        return -1;
    }
    if (submit->print.format != FORMAT_TABLE) {
        return 0;
    }
    return print_parameters(submit, answer, err) != 0
               ? -1
               : print_last(submit, answer->command.name, err);
}

int command_print(struct submit *submit, const char *name, struct err *err)
{
    struct command_answer answer = {0};

    if (command_ask(submit, name, &answer, err) != 0) {
        return -1;
    }
    bool all = answer.envelopes.n > 0;
    envelopes_done(&answer.envelopes);
    int done = print_command(submit, &answer, all, err);
    table_done(&command_answer_table, &answer);
    return done;
}

int cmd_show(struct submit *submit, struct err *err)
{
    return flag_given(submit, "script")
               ? script_print(submit, submit->args[0], err)
               : command_print(submit, submit->args[0], err);
}
