/*
 * menu_command.c: the menu's page of one command: what it does, what it asks
 * for, what will happen; then it runs, is watched, and its end is told.
 */
#include <string.h>
#include <strings.h>

#include "model/parameter.h"
#include "producer/submit/follow.h"
#include "producer/submit/menu_parts.h"
#include "producer/submit/questions.h"
#include "producer/submit/saved.h"
#include "producer/submit/told.h"
#include "producer/submit/wrap.h"

#define VALUE_SHOWN 300 /* columns of a value before it is used */

struct page {
    struct menu *menu;
    const struct command_answer *command;
    struct questions questions;
    /* while it runs */
    size_t ended;
    size_t worked;
    int outcome; /* succeeded, or another one */
    bool left;   /* by Ctrl-C */
    char run[RUN_SHORT];
};

static void show_command(const struct page *page)
{
    const struct command_answer *command = page->command;
    const char *description = command->command.description;
    _cleanup_free_ char *where = told_places(&command->command.targets);
    _cleanup_free_ char *most = told_duration(command->timeout * 1000);
    size_t n = page->questions.n;

    console_gap();
    console_say("%s", command->command.name);
    if (description != NULL && description[0] != '\0') {
        console_say("%s", description);
    }
    console_say("It runs on %s, and is stopped if it takes longer than %s.",
                where, most);
    if (n > 0) {
        console_say("It asks %zu question%s. Nothing starts before you say so.",
                    n, n == 1 ? "" : "s");
    }
}

/* Before it starts */

/* "lines: 10", "shop: berlin (set by your administrator)"; NULL: no value. */
static void show_value(const struct parameter *parameter, const char *value)
{
    if (parameter->type == PARAMETER_SECRET) {
        console_note(2, "%s: you type it when it starts; it is not shown",
                     parameter->name);
        return;
    }
    if (value == NULL) {
        console_note(2, "%s: (left out)", parameter->name);
        return;
    }
    _cleanup_free_ char *shown =
        wrap_clip(value_shown(parameter, value), VALUE_SHOWN);
    console_note(2, "%s: %s%s", parameter->name, shown,
                 parameter->fixed != NULL ? " (set by your administrator)"
                                          : "");
}

static void show_plan(const struct page *page, const struct list *values,
                      const struct list *files)
{
    const struct command_answer *command = page->command;
    const struct list *parameters = &command->parameters;
    _cleanup_free_ char *where = told_places(&command->command.targets);
    _cleanup_free_ char *wait = told_duration(command->wait * 1000);

    console_gap();
    console_say("This is what will happen:");
    console_note(2, "%s runs on %s.", command->command.name, where);
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        const char *file = pairs_get(files, one->name);
        show_value(one, file != NULL ? file : pairs_get(values, one->name));
    }
    console_say("It has not started yet. Once it has, it goes on even if you "
                "leave; past runs (h) can stop it. If a machine is busy or "
                "off, it is waited for, up to "
                "%s.",
                wait);
}

/* TYPED_TEXT: start it. ret_no: not at all. */
static enum typed confirm(bool *ret_no)
{
    *ret_no = false;
    for (;;) {
        _cleanup_answer_ struct answer answer =
            console_ask("Start it now", "y yes, n no", true);
        bool yes = strcasecmp(answer.text, "y") == 0 ||
                   strcasecmp(answer.text, "yes") == 0;
        *ret_no = strcasecmp(answer.text, "n") == 0 ||
                  strcasecmp(answer.text, "no") == 0;
        if (answer.how != TYPED_TEXT || yes || *ret_no) {
            return answer.how;
        }
        console_say("Type y and press Enter to start it, or n to leave it.");
    }
}

/* While it runs */

static void on_ended(void *arg, const struct execution_row *row,
                     const char *run, size_t executions)
{
    struct page *page = arg;
    bool many = executions > 1;
    bool worked = row->outcome == OUTCOME_SUCCEEDED;
    _cleanup_free_ char *text = told_execution(row, many);

    if (page->ended == 0) {
        console_gap();
    }
    console_say("%s", text);
    if (page->ended == 0 || !worked) {
        page->outcome = row->outcome;
    }
    page->ended++;
    page->worked += worked;
    memcpy(page->run, run, sizeof(page->run));
    if (page->ended == executions) {
        page->menu->outcome = page->outcome;
        memcpy(page->menu->watched, run, sizeof(page->menu->watched));
    }
}

static void on_detached(void *arg)
{
    struct page *page = arg;

    page->left = true;
    console_say("You stopped watching; it goes on. Past runs (h) will show how "
                "it ended.");
}

static bool is_file(const struct page *page, const char *name)
{
    const struct parameter *parameter =
        parameter_find(&page->command->parameters, name);

    return parameter != NULL && parameter->type == PARAMETER_FILE;
}

/* The words of `submit run`: a value that begins with @ would be a file. */
static char **words_of(const struct page *page, size_t *ret_n)
{
    struct list arguments = questions_arguments(&page->questions);
    char **words = must_calloc(arguments.n + 2, sizeof(*words));

    words[0] = must_strdup(page->command->command.name);
    for (size_t i = 0; i < arguments.n; i++) {
        const struct pair *pair = &list_at(&arguments, struct pair, i);
        bool at = pair->value[0] == '@' || is_file(page, pair->name);
        words[i + 1] =
            must_printf("%s=%s%s", pair->name, at ? "@" : "", pair->value);
    }
    *ret_n = arguments.n + 1;
    pairs_done(&arguments);
    return words;
}

static int start(struct page *page, struct err *err)
{
    struct telling telling = {
        .ended = on_ended, .detached = on_detached, .arg = page};
    size_t n;
    char **words = words_of(page, &n);

    console_gap();
    console_say("Starting it. What it writes comes here. Ctrl-C stops "
                "watching; the command itself goes on.");
    console_gap();
    page->menu->submit->telling = &telling;
    int status = menu_do(page->menu, "run", words, n, err);
    page->menu->submit->telling = NULL;
    for (size_t i = 0; i < n; i++) {
        free(words[i]);
    }
    free(words);
    return status;
}

/* What nobody could see in the sentences of its executions. */
static void tell_end(const struct page *page, int status, const struct err *err)
{
    if (status < 0) {
        console_gap();
        console_say(err->status == EXIT_NO_ANSWER
                        ? "It is not known how this ends: %s."
                        : "It was not started: %s.",
                    err->text[0] == '\0' ? "you went back" : err->text);
        return;
    }
    if (page->left) {
        return;
    }
    if (page->ended > 1) {
        console_say("It worked on %zu of %zu.", page->worked, page->ended);
    }
    if (page->worked < page->ended) {
        console_say("Tell %s, with the number of this run: %s",
                    menu_helper(page->menu), page->run);
    }
}

static enum typed run(struct page *page)
{
    struct err err = {0};
    int status = start(page, &err);

    tell_end(page, status, &err);
    console_gap();
    _cleanup_answer_ struct answer answer =
        console_ask("What now", "Enter for your commands", false);
    return answer.how == TYPED_QUIT ? TYPED_QUIT : TYPED_BACK;
}

/* Where files are is no content of theirs, which is read when it starts. */
static struct list take_files(const struct page *page, struct list *arguments)
{
    struct list files = {0};

    for (size_t i = 0; i < arguments->n; i++) {
        struct pair *one = &list_at(arguments, struct pair, i);
        if (is_file(page, one->name)) {
            pairs_add(&files, one->name, one->value);
            one->value[0] = '\0';
        }
    }
    return files;
}

/* The plan, and whether to carry it out. TYPED_BACK: to the last question. */
static enum typed plan(struct page *page, bool *ret_no)
{
    struct list arguments = questions_arguments(&page->questions);
    struct list values = {0};
    struct err err = {0};

    *ret_no = false;
    struct list files = take_files(page, &arguments);
    int done =
        arguments_check(&page->command->parameters, &arguments, &values, &err);
    pairs_done(&arguments);
    if (done != 0) {
        console_say("%s.", err.text);
        pairs_done(&files);
        return TYPED_BACK;
    }
    show_plan(page, &values, &files);
    pairs_done(&values);
    pairs_done(&files);
    return confirm(ret_no);
}

static enum typed ask_and_run(struct page *page)
{
    enum typed how = questions_ask(&page->questions, 0);
    bool no = false;

    while (how == TYPED_TEXT) {
        how = plan(page, &no);
        if (how == TYPED_TEXT && !no) {
            return run(page);
        }
        if (no || how == TYPED_QUIT || page->questions.n == 0) {
            console_say("Nothing was started.");
            return no ? TYPED_BACK : how;
        }
        how = questions_ask(&page->questions, page->questions.n - 1);
    }
    return how;
}

enum typed menu_command(struct menu *menu, const char *name)
{
    struct command_answer command = {0};
    struct err err = {0};

    int done = command_ask(menu->submit, name, &command, &err);
    menu_rest(menu);
    if (done != 0) {
        return menu_failed(menu, &err);
    }
    struct page page = {.menu = menu, .command = &command};
    questions_init(&page.questions, &command.parameters);
    show_command(&page);
    enum typed how = ask_and_run(&page);
    questions_done(&page.questions);
    table_done(&command_answer_table, &command);
    return how;
}
