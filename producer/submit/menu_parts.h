/*
 * menu_parts.h: what the menu's pages share. Each page gives back how it was
 * left: TYPED_QUIT: from all of them.
 */
#pragma once

#include "model/result.h"
#include "producer/submit/console.h"
#include "producer/submit/shown.h"

struct menu {
    struct submit *submit;
    char *inviter;           /* their e-mail; NULL: nobody, or not known */
    char watched[RUN_SHORT]; /* the run whose end was seen last … */
    int outcome;             /* … which may be sooner than the record */
};

/* Whoever to turn to: "ann@example.org", "your administrator". */
const char *menu_helper(const struct menu *menu);

/* The row of a verb that there is. */
const struct verb *menu_verb(const char *name);

/* Does what a verb does, with these words behind it. Its exit status; -1: err,
 * without text where Ctrl-C at a question of its own left it. */
int menu_do(struct menu *menu, const char *verb, char **words, size_t n,
            struct err *err);

/* Closes the connection and forgets what is unlocked, before a question. */
void menu_rest(const struct menu *menu);

/* Tells what went wrong, and whether to go on. */
enum typed menu_failed(const struct menu *menu, const struct err *err);

/* How a run went, as far as is known here. */
const char *menu_how(const struct menu *menu, const struct run_row *run);

/* "today at 14:03 by you" */
char *menu_when(const struct menu *menu, const struct run_row *run);

/* run.history: a page of runs older than this one (zero: the newest). */
int menu_history(struct submit *submit, const struct id *before, int64_t limit,
                 struct history_answer *ret_answer, struct err *err);

/* The pages; the first is left for another only by quitting. */
enum typed menu_list(struct menu *menu);
enum typed menu_command(struct menu *menu, const char *name);
enum typed menu_runs(struct menu *menu);
enum typed menu_cards(struct menu *menu);
