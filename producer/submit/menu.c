/*
 * menu.c: see menu.h: joining, signing in, and the list of commands; the other
 * pages are menu_command.c, menu_runs.c and menu_cards.c.
 */
#include "producer/submit/menu.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/read.h"
#include "producer/submit/asking.h"
#include "producer/submit/help.h"
#include "producer/submit/menu_parts.h"
#include "producer/submit/session_file.h"
#include "producer/submit/told.h"

#define PAGE 100 /* runs that one read tells */
#define PAGES 5  /* that are looked through for each command's last run */

/* What the pages share */

const char *menu_helper(const struct menu *menu)
{
    return menu->inviter != NULL ? menu->inviter : "your administrator";
}

void menu_rest(const struct menu *menu)
{
    asking_done(menu->submit);
}

static const struct verb *verb_named(const char *name)
{
    size_t i = 0;

    while (strcmp(verbs[i].name, name) != 0) {
        i++;
    }
    return &verbs[i];
}

int menu_do(struct menu *menu, const char *verb, char **words, size_t n,
            struct err *err)
{
    struct submit *submit = menu->submit;

    submit->verb = verb_named(verb);
    submit->args = words;
    submit->n_args = n;
    submit->may_set_up = true;
    (void)console_interrupted();
    int status = submit->verb->run(submit, err);
    console_interrupts();
    if (console_interrupted() && status < 0) {
        err->text[0] = '\0';
    }
    submit->verb = NULL;
    submit->args = NULL;
    submit->n_args = 0;
    menu_rest(menu);
    return status;
}

enum typed menu_failed(const struct menu *menu, const struct err *err)
{
    console_gap();
    if (err->text[0] != '\0') {
        console_say("That did not work: %s.", err->text);
        if (err->status == EXIT_NOT_ALLOWED) {
            console_say("If you cannot go on, ask %s.", menu_helper(menu));
        }
    }
    _cleanup_answer_ struct answer answer =
        console_ask("What now", "Enter to try again", false);
    return answer.how == TYPED_TEXT ? TYPED_TEXT : TYPED_QUIT;
}

int menu_outcome(const struct menu *menu, const struct run_row *run)
{
    char shown[RUN_SHORT];

    run_short(&run->run, shown);
    return run->outcome == OUTCOME_NONE && strcmp(shown, menu->watched) == 0
               ? menu->outcome
               : run->outcome;
}

char *menu_when(const struct menu *menu, const struct run_row *run)
{
    _cleanup_free_ char *when = told_moment(run->asked, clock_now());
    bool own = strcmp(run->asked_by, menu->submit->profile->email) == 0;

    return must_printf("%s by %s", when, own ? "you" : run->asked_by);
}

/* Who this is */

/* Of what names the own key: who signed the newest invitation. */
static char *find_inviter(const struct profile *profile)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&profile->roots, NULL, NULL);
    struct invitation newest = {0};
    struct person inviter;
    struct err ignored = {0};

    if (proof_add_all(proof, &profile->enrolment, &ignored) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < profile->enrolment.n; i++) {
        struct hash hash =
            envelope_hash(&list_at(&profile->enrolment, struct envelope, i));
        struct invitation one;
        if (proof_invitation(proof, &hash, &one, &ignored) == 0 &&
            id_equal(&one.user, &profile->user) &&
            one.generation >= newest.generation) {
            newest = one;
        }
    }
    return newest.email != NULL &&
                   proof_person(proof, &newest.by, &inviter, &ignored) == 0
               ? must_strdup(inviter.email)
               : NULL;
}

/* 1: there is none yet. */
static int open_profile(struct menu *menu, struct err *err)
{
    struct submit *submit = menu->submit;
    _cleanup_free_ char *directory = profile_directory(err);
    _cleanup_free_ char *config =
        directory == NULL ? NULL : must_printf("%s/config", directory);

    if (config == NULL) {
        return -1;
    }
    if (!file_exists(config)) {
        return 1;
    }
    submit->profile = profile_open(err);
    if (submit->profile == NULL) {
        return -1;
    }
    free(menu->inviter);
    menu->inviter = find_inviter(submit->profile);
    return 0;
}

static enum typed join(struct menu *menu)
{
    struct err err = {0};

    console_say("You have not joined on this computer yet.\n"
                "If you were invited, have the mail at hand: what you paste "
                "next is the block in it, or the code that somebody gave you. "
                "Then you choose a password. It is not shown while you type.\n"
                "If you have joined on another computer, `submit help key` "
                "says how to bring your key here.");
    _cleanup_answer_ struct answer answer =
        console_ask("Follow your invitation now", "y yes", false);
    if (answer.how != TYPED_TEXT) {
        return TYPED_QUIT;
    }
    if (strcasecmp(answer.text, "y") != 0 &&
        strcasecmp(answer.text, "yes") != 0) {
        return TYPED_TEXT;
    }
    int status = menu_do(menu, "verify", NULL, 0, &err);
    profile_free(menu->submit->profile); /* read anew, as any other */
    menu->submit->profile = NULL;
    return status < 0 && err.text[0] != '\0' ? menu_failed(menu, &err)
                                             : TYPED_TEXT;
}

/* Signed in: TYPED_TEXT. */
static enum typed sign_in(struct menu *menu)
{
    const struct profile *profile = menu->submit->profile;
    struct session_key *session = NULL;
    struct err err = {0};

    while (session_load(profile, &session, &err) > 0) {
        if (!profile->service && profile_password_file(profile) == NULL) {
            console_gap();
            console_say("You are not signed in. Type your password next; it "
                        "is not shown while you type.");
        }
        if (menu_do(menu, "login", NULL, 0, &err) < 0 &&
            menu_failed(menu, &err) == TYPED_QUIT) {
            return TYPED_QUIT;
        }
        err_clear(&err);
    }
    session_free(session);
    return TYPED_TEXT;
}

/* The list */

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

static char *item_of(const struct menu *menu, const struct commands *commands,
                     size_t i)
{
    const struct command_row *row =
        &list_at(&commands->answer.commands, struct command_row, i);
    const struct run_row *last = &commands->last[i];
    bool described = row->description != NULL && row->description[0] != '\0';

    if (last->asked == 0) {
        return must_printf("%s%s%s\n%s.", row->name, described ? ": " : "",
                           described ? row->description : "",
                           commands->all ? "Not run yet" : "Not run lately");
    }
    _cleanup_free_ char *when = menu_when(menu, last);
    return must_printf("%s%s%s\nLast run %s: %s.", row->name,
                       described ? ": " : "", described ? row->description : "",
                       when, told_run(menu_outcome(menu, last)));
}

static bool has_cards(const struct menu *menu)
{
    return verb_is_for(verb_named("card add"), menu->submit->profile->role);
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

    *ret_number = 0;
    console_gap();
    if (n == 0) {
        return ask_empty(menu, others);
    }
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *item = item_of(menu, commands, i);
        texts_add(&items, item);
    }
    console_say(n == 1 ? "Your command:" : "Your commands:");
    _cleanup_free_ char *may = must_printf("its number, %s", others);
    struct pick pick = {.question = "Which one", .may = may, .items = &items};
    struct answer answer = console_pick(&pick, ret_number);
    texts_done(&items);
    return answer;
}

/* By its number, or by its name. */
static const char *command_meant(const struct commands *commands, size_t number,
                                 const char *text)
{
    const struct list *all = &commands->answer.commands;

    for (size_t i = 0; i < all->n; i++) {
        const char *name = list_at(all, struct command_row, i).name;
        if (i + 1 == number || strcmp(name, text) == 0) {
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
        console_say("'%.40s' can't be chosen here.", answer->text);
    }
    return TYPED_TEXT;
}

static enum typed show_commands(struct menu *menu)
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

/* Once, for who has just come. */
static void welcome(const struct menu *menu)
{
    const struct profile *profile = menu->submit->profile;

    console_gap();
    console_say("You are %s. Type a number or a letter that is offered, and "
                "press Enter. At every question b goes back and q quits, and "
                "nothing starts before you were asked whether it shall.",
                profile->email);
    if (profile->role == ROLE_ADMINISTRATOR) {
        console_say("As an administrator you can do more than run commands: "
                    "`submit help` tells what.");
    }
}

static int menu_loop(struct menu *menu, struct err *err)
{
    enum typed how = TYPED_TEXT;
    bool welcomed = false;

    while (how != TYPED_QUIT) {
        int none = menu->submit->profile != NULL ? 0 : open_profile(menu, err);
        if (none < 0) {
            return -1;
        }
        if (none > 0) {
            how = join(menu);
            continue;
        }
        how = sign_in(menu);
        if (how != TYPED_QUIT) {
            if (!welcomed) {
                welcome(menu);
                welcomed = true;
            }
            how = show_commands(menu);
        }
    }
    return 0;
}

int menu(struct submit *submit, struct err *err)
{
    struct menu menu = {.submit = submit};

    console_interrupts();
    submit->print.format = FORMAT_TABLE;
    int done = menu_loop(&menu, err);
    free(menu.inviter);
    return done;
}
