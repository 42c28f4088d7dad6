/*
 * cmd_cancel.c: cancel: ends a run, on all of its targets or on some, and waits
 * until nothing of it is alive any more.
 *
 * What is said comes from the record, which is looked at in growing intervals:
 * an execution that is being cancelled may end by itself first, and then that
 * is what is said.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "model/run.h"
#include "producer/submit/follow.h"
#include "producer/submit/recorded.h"
#include "producer/submit/shown.h"
#include "producer/submit/track.h"

#define LOOK_FIRST 100 /* ms between looks at the record */
#define LOOK_MOST 1000
#define LATE 3000 /* ms after which it says what it waits for */

struct cancelling {
    struct submit *submit;
    struct run_cancel cancel; /* its targets: which are meant */
    char id[ID_TEXT];
    char shown[RUN_SHORT];
    struct run_answer run;
    struct list over; /* char *: had ended before anything was asked */
};

static bool is_meant(const struct cancelling *c,
                     const struct execution_row *row)
{
    if (texts_hold(&c->over, row->target)) {
        return false;
    }
    return c->cancel.targets.n == 0 ||
           texts_hold(&c->cancel.targets, row->target);
}

/* Of several attempts on a target the last one: rows are sorted so. */
static bool is_last(const struct run_answer *run, size_t i)
{
    const struct execution_row *rows = run->executions.items;

    return i + 1 == run->executions.n ||
           strcmp(rows[i].target, rows[i + 1].target) != 0;
}

/* The next execution that is meant, from *i on; NULL: none. */
static const struct execution_row *next_meant(const struct cancelling *c,
                                              size_t *i)
{
    for (; *i < c->run.executions.n; (*i)++) {
        const struct execution_row *row =
            &list_at(&c->run.executions, struct execution_row, *i);
        if (is_last(&c->run, *i) && is_meant(c, row)) {
            (*i)++;
            return row;
        }
    }
    return NULL;
}

static size_t count_left(const struct cancelling *c, bool asked)
{
    const struct execution_row *row;
    size_t n = 0;

    for (size_t i = 0; (row = next_meant(c, &i)) != NULL;) {
        n += row->state != EXECUTION_ENDED && (asked || row->cancelled == 0);
    }
    return n;
}

static int look(struct cancelling *c, struct err *err)
{
    struct run_answer answer = {0};

    if (run_ask(c->submit, c->id, &answer, err) != 0) {
        return -1;
    }
    table_done(&run_answer_table, &c->run);
    c->run = answer;
    return 0;
}

static int too_late(const struct cancelling *c, struct err *err)
{
    _cleanup_buf_ struct buf how = {0};
    const struct execution_row *row;

    for (size_t i = 0; (row = next_meant(c, &i)) != NULL;) {
        _cleanup_free_ char *text = execution_text(row);
        (void)buf_addf(&how, "%s%s on %s", how.len > 0 ? ", " : "", text,
                       row->target);
    }
    return err_exit(err, EXIT_DATA,
                    "it is too late to cancel run %s, it has ended: %.300s",
                    c->shown, buf_text(&how));
}

static int ask(struct cancelling *c, struct err *err)
{
    struct err refused = {0};

    c->cancel.run = c->run.run.run;
    if (submit_ask(c->submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_RUN_CANCEL,
                                      .payload = &c->cancel},
                   &refused) == 0) {
        return 0;
    }
    /* It may have ended between the look and the asking. */
    if (refused.status == EXIT_DATA && look(c, err) == 0 &&
        count_left(c, true) == 0) {
        return too_late(c, err);
    }
    *err = refused;
    return -1;
}

static void on_interrupt(int signal)
{
    static const char text[] =
        "\nsubmit: it is being cancelled all the same: submit result tells\n";

    (void)signal;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_NO_ANSWER);
}

static void tell_late(const struct cancelling *c)
{
    const struct execution_row *row;

    for (size_t i = 0; (row = next_meant(c, &i)) != NULL;) {
        if (row->state != EXECUTION_ENDED) {
            say("waiting for %s%s to say that nothing of it is alive any more",
                row->target, row->silent ? ", which is silent," : "");
        }
    }
}

static int wait_for_end(struct cancelling *c, struct err *err)
{
    int64_t began = clock_steady();
    int interval = LOOK_FIRST;
    bool told = false;

    while (count_left(c, true) > 0) {
        if (!told && clock_steady() - began > LATE) {
            told = true;
            tell_late(c);
        }
        (void)poll(NULL, 0, interval);
        interval = 2 * interval > LOOK_MOST ? LOOK_MOST : 2 * interval;
        if (look(c, err) != 0) {
            return err_wrap(err, "run %s is being cancelled", c->shown);
        }
    }
    return 0;
}

static int tell_end(const struct cancelling *c)
{
    const struct telling *telling = c->submit->telling;
    const struct execution_row *row;
    int status = 0;

    for (size_t i = 0; (row = next_meant(c, &i)) != NULL;) {
        _cleanup_free_ char *how = execution_text(row);
        if (telling != NULL) {
            telling->ended(telling->arg, row, c->shown, c->run.executions.n);
        } else {
            say("%s on %s: %s; run %s", c->run.run.command, row->target, how,
                c->shown);
        }
        if (row->outcome != OUTCOME_CANCELLED) {
            status = EXIT_OUTCOME; /* it ended by itself, or before */
        }
    }
    return status;
}

static void pass_over_ended(struct cancelling *c)
{
    for (size_t i = 0; i < c->run.executions.n; i++) {
        const struct execution_row *row =
            &list_at(&c->run.executions, struct execution_row, i);
        if (is_last(&c->run, i) && row->state == EXECUTION_ENDED &&
            (row->outcome == OUTCOME_SUCCEEDED ||
             row->attempt >= c->run.attempts)) {
            texts_add(&c->over, row->target);
        }
    }
}

static int cancel_run(struct cancelling *c, struct err *err)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    if (run_targets_read(c->submit, &c->run, &c->cancel.targets, err) != 0) {
        return -1;
    }
    if (count_left(c, true) == 0 && c->run.run.outcome != OUTCOME_NONE) {
        return too_late(c, err);
    }
    pass_over_ended(c);
    if (count_left(c, false) == 0) {
        say("run %s is being cancelled already", c->shown);
    }
    if (ask(c, err) != 0) { /* also then: what was to end it may be lost */
        return -1;
    }
    if (flag_given(c->submit, "detach")) {
        say("run %s is being cancelled: submit result %s tells how it ended",
            c->shown, c->shown);
        return 0;
    }
    if (c->submit->telling == NULL) {
        (void)sigaction(SIGINT, &action, NULL);
    }
    return wait_for_end(c, err) != 0 ? -1 : tell_end(c);
}

int cmd_cancel(struct submit *submit, struct err *err)
{
    struct cancelling c = {.submit = submit};

    if (recorded_find(submit, &c.run, err) != 0) {
        return -1;
    }
    id_format(&c.run.run.run, c.id);
    run_short(&c.run.run.run, c.shown);
    int done = cancel_run(&c, err);
    table_done(&run_answer_table, &c.run);
    table_done(&run_cancel_table, &c.cancel);
    texts_done(&c.over);
    return done;
}
