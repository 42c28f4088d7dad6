/*
 * menu_runs.c: the menu's pages of past runs: the newest ones, and one of them:
 * what was asked, how it went, what it wrote.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "model/read.h"
#include "producer/submit/follow.h"
#include "producer/submit/menu_parts.h"
#include "producer/submit/recorded.h"
#include "producer/submit/told.h"
#include "producer/submit/wrap.h"

#define RUNS 50         /* that are listed */
#define VALUE_SHOWN 300 /* columns of an argument */

int menu_history(struct submit *submit, const struct id *before, int64_t limit,
                 struct history_answer *ret_answer, struct err *err)
{
    struct run_history history = {.before = *before, .limit = limit};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_HISTORY,
                                         .payload = &history,
                                         .answer = &history_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

/* One run */

static void show_execution(const struct execution_row *row, bool many)
{
    _cleanup_free_ char *ended = told_execution(row, many);

    if (row->state == EXECUTION_ENDED) {
        console_say("%s", ended);
    } else if (row->state == EXECUTION_RUNNING) {
        console_say("On %s it runs now.", row->target);
    } else {
        console_say("On %s it has not begun yet.", row->target);
    }
}

static void show_run(const struct menu *menu, const struct run_answer *answer)
{
    const struct run_row *run = &answer->run;
    const struct list *executions = &answer->executions;
    _cleanup_free_ char *when = menu_when(menu, run);
    char shown[RUN_SHORT];

    run_short(&run->run, shown);
    console_gap();
    console_say("%s, asked for %s.", run->command, when);
    for (size_t i = 0; i < run->arguments.n; i++) {
        const struct pair *pair = &list_at(&run->arguments, struct pair, i);
        _cleanup_free_ char *value = wrap_clip(pair->value, VALUE_SHOWN);
        console_note(2, "%s: %s", pair->name, value);
    }
    for (size_t i = 0; i < executions->n; i++) {
        show_execution(&list_at(executions, struct execution_row, i),
                       executions->n > 1);
    }
    console_say("The number of this run is %s.", shown);
}

/* A verb on this run; what goes wrong is told. */
static int do_verb(struct menu *menu, const char *verb, char *id)
{
    struct err err = {0};
    char *words[] = {id, NULL};

    console_gap();
    int status = menu_do(menu, verb, words, 1, &err);
    if (status < 0 && err.text[0] != '\0') {
        console_say("That did not work: %s.", err.text);
    }
    return status;
}

static void on_ended(void *arg, const struct execution_row *row,
                     const char *run, size_t executions)
{
    _cleanup_free_ char *how = told_execution(row, executions > 1);

    (void)arg;
    (void)run;
    console_gap();
    console_say("%s", how);
}

static void on_detached(void *arg)
{
    (void)arg;
    console_gap();
    console_say("You stopped watching; it goes on.");
}

static void watch(struct menu *menu, char *id)
{
    struct telling telling = {.ended = on_ended, .detached = on_detached};

    console_gap();
    console_say("What it writes comes here. Ctrl-C stops watching; the command "
                "itself goes on.");
    menu->submit->telling = &telling;
    (void)do_verb(menu, "watch", id);
    menu->submit->telling = NULL;
}

/* Asked for once more: it can't be taken back. */
static enum typed stop(struct menu *menu, char *id)
{
    struct telling telling = {.ended = on_ended, .detached = on_detached};

    console_gap();
    console_say("It is ended with all that it has started. What it has done by "
                "now stays done.");
    _cleanup_answer_ struct answer answer =
        console_ask("Stop it now", "y yes, n no", true);
    if (answer.how != TYPED_TEXT || strcasecmp(answer.text, "y") != 0) {
        return answer.how;
    }
    menu->submit->telling = &telling;
    (void)do_verb(menu, "cancel", id);
    menu->submit->telling = NULL;
    return TYPED_TEXT;
}

static int find_run(struct menu *menu, char *id, struct run_answer *ret_answer,
                    struct err *err)
{
    struct submit *submit = menu->submit;
    char *words[] = {id, NULL};

    submit->args = words;
    submit->n_args = 1;
    int done = recorded_find(submit, ret_answer, err);
    submit->args = NULL;
    submit->n_args = 0;
    menu_rest(menu);
    return done;
}

/* What to do with it. TYPED_TEXT: something was done; TYPED_BACK: nothing more.
 */
static enum typed ask_what(struct menu *menu, char *id, bool goes_on)
{
    _cleanup_answer_ struct answer typed = console_ask(
        "What now",
        goes_on ? "w watch it, s stop it, o what it wrote, Enter for past runs"
                : "o what it wrote, Enter for past runs",
        true);

    if (typed.how != TYPED_TEXT) {
        return typed.how;
    }
    if (strcasecmp(typed.text, "o") == 0) {
        (void)do_verb(menu, "output", id);
        console_gap();
        return TYPED_TEXT;
    }
    if (goes_on && strcasecmp(typed.text, "w") == 0) {
        watch(menu, id);
        return TYPED_TEXT;
    }
    return goes_on && strcasecmp(typed.text, "s") == 0 ? stop(menu, id)
                                                       : TYPED_BACK;
}

/* TYPED_TEXT: back to the list of runs. */
static enum typed one_run(struct menu *menu, const struct run_row *row)
{
    enum typed how = TYPED_TEXT;
    char id[ID_TEXT];

    id_format(&row->run, id);
    while (how == TYPED_TEXT) {
        struct run_answer answer = {0};
        struct err err = {0};
        if (find_run(menu, id, &answer, &err) != 0) {
            return menu_failed(menu, &err);
        }
        show_run(menu, &answer);
        bool goes_on = answer.run.outcome == OUTCOME_NONE;
        table_done(&run_answer_table, &answer);
        how = ask_what(menu, id, goes_on);
    }
    return how == TYPED_QUIT ? TYPED_QUIT : TYPED_TEXT;
}

/* The list */

static char *item_of(const struct menu *menu, const struct run_row *run)
{
    _cleanup_free_ char *when = menu_when(menu, run);

    return must_printf("%s, %s: %s", run->command, when, menu_how(menu, run));
}

static enum typed list_runs(struct menu *menu, const struct list *runs)
{
    struct list items = {0};
    struct pick pick = {.question = "Which one",
                        .may = "its number",
                        .items = &items,
                        .back = true};
    size_t number;

    for (size_t i = 0; i < runs->n; i++) {
        _cleanup_free_ char *item =
            item_of(menu, &list_at(runs, struct run_row, i));
        texts_add(&items, item);
    }
    console_gap();
    console_say("Past runs, the newest first:");
    _cleanup_answer_ struct answer answer = console_pick(&pick, &number);
    texts_done(&items);
    if (answer.how != TYPED_TEXT) {
        return answer.how;
    }
    return number > 0
               ? one_run(menu, &list_at(runs, struct run_row, number - 1))
               : TYPED_TEXT;
}

enum typed menu_runs(struct menu *menu)
{
    enum typed how = TYPED_TEXT;

    while (how == TYPED_TEXT) {
        struct history_answer answer = {0};
        struct id newest = {0};
        struct err err = {0};
        int done = menu_history(menu->submit, &newest, RUNS, &answer, &err);
        menu_rest(menu);
        if (done != 0) {
            return menu_failed(menu, &err);
        }
        if (answer.runs.n == 0) {
            console_say("Nothing was run yet.");
            how = TYPED_BACK;
        } else {
            how = list_runs(menu, &answer.runs);
        }
        table_done(&history_answer_table, &answer);
    }
    return how;
}
