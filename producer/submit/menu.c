/*
 * menu.c: see menu.h: joining and signing in, and what its pages share, which
 * are menu_list.c, menu_command.c, menu_runs.c and menu_cards.c.
 */
#include "producer/submit/menu.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "producer/submit/asking.h"
#include "producer/submit/menu_parts.h"
#include "producer/submit/session_file.h"
#include "producer/submit/told.h"

/* What the pages share */

const char *menu_helper(const struct menu *menu)
{
    return menu->inviter != NULL ? menu->inviter : "your administrator";
}

void menu_rest(const struct menu *menu)
{
    asking_done(menu->submit);
}

const struct verb *menu_verb(const char *name)
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

    submit->verb = menu_verb(verb);
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

const char *menu_how(const struct menu *menu, const struct run_row *run)
{
    char shown[RUN_SHORT];

    run_short(&run->run, shown);
    bool watched =
        run->outcome == OUTCOME_NONE && strcmp(shown, menu->watched) == 0;
    return told_run(watched ? menu->outcome : run->outcome, run_waits(run));
}

char *menu_when(const struct menu *menu, const struct run_row *run)
{
    _cleanup_free_ char *when = told_moment(run->asked, clock_now());
    bool own = strcmp(run->asked_by, menu->submit->profile->email) == 0;

    return id_is_zero(&run->schedule)
               ? must_printf("%s by %s", when, own ? "you" : run->asked_by)
               : must_printf("%s by itself", when);
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

    console_say("You have not joined on this computer yet.");
    console_say("If you were invited, have the mail at hand: what you paste "
                "next is the block in it, or the code that somebody gave you. "
                "Then you choose a password. It is not shown while you type. "
                "Ctrl-C goes back.");
    console_say("If you have joined on another computer, `submit help key` "
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
    const struct submit *submit = menu->submit;
    struct session_key *session = NULL;
    struct err err = {0};

    while (session_load(submit->profile, &session, &err) > 0) {
        if (!submit->profile->service &&
            profile_password_file(submit->profile) == NULL) {
            console_gap();
            console_say("You are not signed in. Type your password next; it "
                        "is not shown while you type. Ctrl-C goes back.");
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

/* All of it */

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
            how = menu_list(menu);
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
