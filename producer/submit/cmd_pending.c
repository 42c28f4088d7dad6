/*
 * cmd_pending.c: pending, approve, reject: the runs that wait for this person's
 * approval, and their vote.
 *
 * A vote signs hashes. So whoever casts it is shown first what they stand for,
 * from the very envelopes (waits.h), and asked whether it is meant.
 */
#include <string.h>

#include "producer/submit/shown.h"
#include "producer/submit/waits.h"

static char *row_waits(const void *row)
{
    return waits_text(&((const struct run_row *)row)->pending);
}

static const struct column pending_columns[] = {
    {"asked", COLUMN_TIME, .at = offsetof(struct run_row, asked)},
    {"command", COLUMN_TEXT, .at = offsetof(struct run_row, command)},
    {"by", COLUMN_TEXT, .at = offsetof(struct run_row, asked_by), .wide = true},
    {"arguments", COLUMN_PAIRS, .at = offsetof(struct run_row, arguments),
     .wide = true},
    {"waits", COLUMN_MADE, .make = row_waits, .wide = true},
    {"until", COLUMN_TIME, .at = offsetof(struct run_row, pending.until)},
    {"run", COLUMN_ID, .at = offsetof(struct run_row, run)},
};

static int list_pending(struct submit *submit, struct err *err)
{
    struct noun noun = {.nothing = "nothing waits for your approval",
                        .table = row_table(&pendings_answer_table),
                        .columns = pending_columns,
                        .n = ARRAY_SIZE(pending_columns),
                        .name = ARRAY_SIZE(pending_columns) - 1};
    struct plain_request plain = {0};
    struct pendings_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_PENDING_LIST,
                                      .payload = &plain,
                                      .answer = &pendings_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.runs, err);
    table_done(&pendings_answer_table, &answer);
    return done;
}

int cmd_pending(struct submit *submit, struct err *err)
{
    _cleanup_voted_on_ struct voted_on on = {0};

    if (submit->n_args == 0) {
        return flag_given(submit, "script")
                   ? err_exit(err, EXIT_USAGE, "--script: of which run?")
                   : list_pending(submit, err);
    }
    if (voted_on_find(submit, submit->args[0], &on, err) != 0) {
        return -1;
    }
    if (!flag_given(submit, "script")) {
        return voted_on_print(submit, &on, err);
    }
    const struct command_save *save = on.save->payload;
    return print_bytes(&submit->print, save->script.data, save->script.len,
                       err);
}

/* Votes */

static int check_meant(const struct submit *submit, const struct voted_on *on,
                       const char *verb, struct err *err)
{
    const struct command_save *save = on->save->payload;
    struct submit shows = *submit;

    if (flag_given(submit, "yes")) {
        return 0;
    }
    shows.print.out = stderr;
    if (prompt_can() && voted_on_print(&shows, on, err) != 0) {
        return -1;
    }
    _cleanup_free_ char *question =
        must_printf("%s this run of %s?", verb, save->name);
    int yes = prompt_yes(question, "--yes", err);
    return yes < 0    ? -1
           : yes == 1 ? 0
                      : err_exit(err, EXIT_DATA, "nothing was said");
}

static int read_comment(const struct submit *submit, struct vote *vote,
                        struct err *err)
{
    const char *comment = flag_value(submit, "comment");

    if (comment == NULL) {
        return 0;
    }
    if (strlen(comment) > COMMENT_MAX) {
        return err_exit(err, EXIT_DATA,
                        "--comment: %zu bytes, and at most %d can be",
                        strlen(comment), COMMENT_MAX);
    }
    vote->comment = must_strdup(comment);
    return 0;
}

static int cast(struct submit *submit, enum event_kind kind,
                const struct voted_on *on, struct voted_answer *ret_answer,
                struct err *err)
{
    const struct run_start *run = on->run->payload;
    struct vote vote = {.run = on->run->hash, .command = on->save->hash};

    for (size_t i = 0; i < run->targets.n; i++) {
        texts_add(&vote.targets, list_at(&run->targets, char *, i));
    }
    int done =
        read_comment(submit, &vote, err) != 0
            ? -1
            : submit_ask(submit,
                         &(struct question){.as = ASK_SESSION,
                                            .kind = kind,
                                            .payload = &vote,
                                            .answer = &voted_answer_table,
                                            .ret_answer = ret_answer},
                         err);
    table_done(&vote_table, &vote);
    return done;
}

static int vote(struct submit *submit, enum event_kind kind, const char *verb,
                struct voted_on *on, struct err *err)
{
    struct voted_answer answer = {0};
    char shown[RUN_SHORT];

    if (voted_on_find(submit, submit->args[0], on, err) != 0 ||
        check_meant(submit, on, verb, err) != 0 ||
        cast(submit, kind, on, &answer, err) != 0) {
        return -1;
    }
    const struct command_save *save = on->save->payload;
    run_short(&on->answer.id, shown);
    if (kind == EVENT_RUN_REJECT) {
        say("run %s of %s is rejected: nothing of it begins", shown,
            save->name);
    } else if (answer.lacking == 0) {
        say("run %s of %s is approved, and begins", shown, save->name);
    } else {
        say("your approval of run %s of %s counts; %lld more %s needed", shown,
            save->name, (long long)answer.lacking,
            answer.lacking == 1 ? "is" : "are");
    }
    return 0;
}

int cmd_approve(struct submit *submit, struct err *err)
{
    _cleanup_voted_on_ struct voted_on on = {0};

    return vote(submit, EVENT_RUN_APPROVE, "Approve", &on, err);
}

int cmd_reject(struct submit *submit, struct err *err)
{
    _cleanup_voted_on_ struct voted_on on = {0};

    return vote(submit, EVENT_RUN_REJECT, "Reject", &on, err);
}
