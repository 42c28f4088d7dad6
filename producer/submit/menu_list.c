/*
 * menu_list.c: the menu's first page: a person's commands, numbered, with what
 * they do and how their last run went.
 */
#include <string.h>
#include <strings.h>

#include "producer/submit/help.h"
#include "producer/submit/menu_parts.h"
#include "producer/submit/told.h"
#include "producer/submit/wrap.h"

#define PAGE 100       /* runs that one read tells */
#define PAGES 5        /* that are looked through for each command's last run */
#define TYPED_SHOWN 40 /* columns */

struct commands {
    struct commands_answer answer;
    struct run_row *last; /* by command; asked is 0 where none was found */
    bool all;             /* of its runs, not only the newest, were looked at */
};

static void commands_done(struct commands *commands)
{
    struct history_answer rows = {
        .runs = {commands->last, commands->answer.commands.n}};

    table_done(&history_answer_table, &rows);
    table_done(&commands_answer_table, &commands->answer);
}

#define _cleanup_commands_ _cleanup_(commands_done)

/* Takes the rows that are a command's newest; how many. */
static size_t take_last(struct commands *commands, struct list *runs)
{
    const struct list *all = &commands->answer.commands;
    size_t taken = 0;

    for (size_t i = 0; i < runs->n; i++) {
        struct run_row *run = &list_at(runs, struct run_row, i);
        for (size_t c = 0; c < all->n && run->command != NULL; c++) {
            if (commands->last[c].asked == 0 &&
                strcmp(list_at(all, struct command_row, c).name,
                       run->command) == 0) {
                commands->last[c] = *run;
                *run = (struct run_row){0};
                taken++;
            }
        }
    }
    return taken;
}

/* Of many runs only the newest are looked at: it costs the same however many
 * there are. */
static int find_last(struct submit *submit, struct commands *commands,
                     struct err *err)
{
    size_t left = commands->answer.commands.n;
    struct id before = {0};

    commands->last = must_calloc(left + 1, sizeof(*commands->last));
    for (int page = 0; page < PAGES && left > 0 && !commands->all; page++) {
        struct history_answer answer = {0};
        if (menu_history(submit, &before, PAGE, &answer, err) != 0) {
            return -1;
        }
        if (answer.runs.n > 0) {
            before =
                list_at(&answer.runs, struct run_row, answer.runs.n - 1).run;
        }
        commands->all = !answer.more || answer.runs.n == 0;
        left -= take_last(commands, &answer.runs);
        table_done(&history_answer_table, &answer);
    }
    return 0;
}

static int commands_ask(struct menu *menu, struct commands *ret_commands,
                        struct err *err)
{
    struct plain_request plain = {0};

    menu->submit->may_set_up = true;
    int done =
        submit_ask(menu->submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_LIST,
                                      .payload = &plain,
                                      .answer = &commands_answer_table,
                                      .ret_answer = &ret_commands->answer},
                   err) != 0
            ? -1
            : find_last(menu->submit, ret_commands, err);
    menu_rest(menu);
    return done;
}

/* "disk-report: What fills a directory" */
static char *item_of(const struct command_row *row)
{
    bool described = row->description != NULL && row->description[0] != '\0';

    return must_printf("%s%s%s", row->name, described ? ": " : "",
                       described ? row->description : "");
}

static char *last_of(const struct menu *menu, const struct commands *commands,
                     size_t i)
{
    const struct run_row *last = &commands->last[i];

    if (last->asked == 0) {
        return must_strdup(commands->all ? "Not run yet." : "Not run lately.");
    }
    _cleanup_free_ char *when = menu_when(menu, last);
    return must_printf("Last run %s: %s.", when, menu_how(menu, last));
}

static bool has_cards(const struct menu *menu)
{
    return verb_is_for(menu_verb("card add"), menu->submit->profile->role);
}

/* Nothing is there to be chosen. */
static struct answer ask_empty(const struct menu *menu, const char *others)
{
    bool administrator = menu->submit->profile->role == ROLE_ADMINISTRATOR;
    _cleanup_free_ char *may = must_printf("Enter to look again, %s", others);

    if (administrator) {
        console_say("No command has been saved yet: `submit help command "
                    "save` says how.");
    } else if (menu->inviter != NULL) {
        console_say("No command has been given to you yet. %s invited you: "
                    "ask them for what you need.",
                    menu->inviter);
    } else {
        console_say("No command has been given to you yet: ask your "
                    "administrator for what you need.");
    }
    return console_ask("What now", may, false);
}

/* Its number, or something else. */
static struct answer ask_command(const struct menu *menu,
                                 const struct commands *commands,
                                 size_t *ret_number)
{
    const char *others = has_cards(menu)
                             ? "h past runs, c payment cards, o sign out"
                             : "h past runs, o sign out";
    size_t n = commands->answer.commands.n;
    struct list items = {0};
    struct list below = {0};

    *ret_number = 0;
    console_gap();
    if (n == 0) {
        return ask_empty(menu, others);
    }
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *item = item_of(
            &list_at(&commands->answer.commands, struct command_row, i));
        _cleanup_free_ char *last = last_of(menu, commands, i);
        texts_add(&items, item);
        texts_add(&below, last);
    }
    console_say(n == 1 ? "Your command:" : "Your commands:");
    _cleanup_free_ char *may = must_printf("its number, %s", others);
    struct pick pick = {
        .question = "Which one", .may = may, .items = &items, .below = &below};
    struct answer answer = console_pick(&pick, ret_number);
    texts_done(&items);
    texts_done(&below);
    return answer;
}

/* By its number, or else by its name, which may be a number, too. */
static const char *command_meant(const struct commands *commands, size_t number,
                                 const char *text)
{
    const struct list *all = &commands->answer.commands;

    if (number > 0) {
        return list_at(all, struct command_row, number - 1).name;
    }
    for (size_t i = 0; i < all->n; i++) {
        const char *name = list_at(all, struct command_row, i).name;
        if (strcmp(name, text) == 0) {
            return name;
        }
    }
    return NULL;
}

static enum typed sign_out(struct menu *menu)
{
    struct err err = {0};

    if (menu_do(menu, "logout", NULL, 0, &err) < 0) {
        console_say("%s.", err.text);
    }
    return TYPED_QUIT;
}

/* One page after the list. */
static enum typed go(struct menu *menu, const struct commands *commands,
                     const struct answer *answer, size_t number)
{
    const char *name = command_meant(commands, number, answer->text);

    if (name != NULL) {
        return menu_command(menu, name);
    }
    if (strcasecmp(answer->text, "h") == 0) {
        return menu_runs(menu);
    }
    if (strcasecmp(answer->text, "c") == 0 && has_cards(menu)) {
        return menu_cards(menu);
    }
    if (strcasecmp(answer->text, "o") == 0) {
        return sign_out(menu);
    }
    if (answer->text[0] != '\0') {
        _cleanup_free_ char *typed = wrap_clip(answer->text, TYPED_SHOWN);
        console_say("'%s' can't be chosen here.", typed);
    }
    return TYPED_TEXT;
}

enum typed menu_list(struct menu *menu)
{
    _cleanup_commands_ struct commands commands = {0};
    struct err err = {0};
    size_t number;

    if (commands_ask(menu, &commands, &err) != 0) {
        return menu_failed(menu, &err);
    }
    _cleanup_answer_ struct answer answer =
        ask_command(menu, &commands, &number);
    return answer.how != TYPED_TEXT ? TYPED_QUIT
                                    : go(menu, &commands, &answer, number);
}
