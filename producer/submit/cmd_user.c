/*
 * cmd_user.c: user confirm, user list. Inviting is cmd_invite.c.
 *
 * Who confirms an administrator compares the key's six words with the person;
 * the key itself comes from a checked chain, never from what the authorizer
 * tells.
 */
#include <string.h>

#include "model/mail.h"
#include "model/read.h"
#include "model/user.h"
#include "producer/submit/saved.h"
#include "producer/submit/compared.h"
#include "producer/submit/submit.h"

/* user confirm */

/* Who it is, by a chain that is checked here. */
static int check_person(const struct submit *submit,
                        const struct user_answer *answer, const char *email,
                        struct person *ret_person, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);

    if (hash_is_zero(&answer->verify)) {
        return err_exit(err, EXIT_DATA,
                        "%s has not followed the invitation yet", email);
    }
    if (proof_add_all(proof, &answer->envelopes, err) != 0 ||
        proof_person(proof, &answer->verify, ret_person, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "what was told of %s can't be trusted", email);
    }
    if (strcmp(ret_person->email, email) != 0) {
        return err_exit(err, EXIT_DATA, "the answer is about %s, not %s",
                        ret_person->email, email);
    }
    if (ret_person->role != ROLE_ADMINISTRATOR) {
        return err_exit(err, EXIT_DATA,
                        "%s is %s: only administrators are confirmed", email,
                        word_text(&role_words, ret_person->role));
    }
    return ret_person->in_force
               ? err_exit(err, EXIT_DATA, "%s is confirmed already", email)
               : 0;
}

static int find_person(struct submit *submit, const char *email,
                       struct person *ret_person, struct err *err)
{
    struct user_answer answer = {0};

    if (user_ask(submit, ASK_SESSION, email, &answer, err) != 0) {
        return -1;
    }
    int done = check_person(submit, &answer, email, ret_person, err);
    table_done(&user_answer_table, &answer);
    return done;
}

static int compare(const struct submit *submit, const struct person *person,
                   struct err *err)
{
    int yes = key_compare(submit, person, err);

    if (yes < 0) {
        return -1;
    }
    return yes ? 0
               : err_exit(err, EXIT_DATA,
                          "not confirmed: if it differs, somebody else "
                          "followed %s's invitation",
                          person->email);
}

static int confirm(struct submit *submit, const char *email, struct err *err)
{
    struct person person;

    if (find_person(submit, email, &person, err) != 0 ||
        compare(submit, &person, err) != 0) {
        return -1;
    }
    struct user_confirm payload = {
        .user = person.user, .key = person.key, .verify = person.by};
    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_USER_CONFIRM,
                                      .payload = &payload},
                   err) != 0) {
        return -1;
    }
    say("%s is an administrator now.", email);
    return key_print(submit, person.email, &person.key, err);
}

int cmd_user_confirm(struct submit *submit, struct err *err)
{
    _cleanup_free_ char *email = email_normal(submit->args[0], err);

    if (email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    return confirm(submit, email, err);
}

/* user list */

/* "sent", "refused: 550 no such user". */
static char *mail_text(const void *row)
{
    const struct user_row *user = row;
    const char *word = word_text(&fate_words, user->mail);

    if (user->mail == FATE_NONE) {
        return NULL;
    }
    return user->mail_reason == NULL
               ? must_strdup(word)
               : must_printf("%s: %s", word, user->mail_reason);
}

static char *state_make(const void *row)
{
    const struct user_row *user = row;

    return must_strdup(user->suspended
                           ? "suspended"
                           : word_text(&user_state_words, user->state));
}

static char *kind_of_user(const void *row)
{
    const struct user_row *user = row;

    return must_strdup(user->service ? "service" : "person");
}

static const struct column user_columns[] = {
    {"email", COLUMN_TEXT, .at = offsetof(struct user_row, email),
     .wide = true},
    {"name", COLUMN_TEXT, .at = offsetof(struct user_row, name), .wide = true},
    {"kind", COLUMN_MADE, .make = kind_of_user},
    {"role", COLUMN_WORD, .at = offsetof(struct user_row, role),
     .words = &role_words},
    {"mfa", COLUMN_WORD, .at = offsetof(struct user_row, mfa),
     .words = &mfa_state_words},
    {"state", COLUMN_MADE, .make = state_make},
    {"invited by", COLUMN_TEXT, .at = offsetof(struct user_row, invited_by),
     .wide = true},
    {"mail", COLUMN_MADE, .make = mail_text, .wide = true},
    {"verified", COLUMN_TIME, .at = offsetof(struct user_row, verified)},
    {"invited until", COLUMN_TIME,
     .at = offsetof(struct user_row, invited_until)},
    /* user show alone */
    {"confirmed", COLUMN_TIME, .at = offsetof(struct user_row, confirmed)},
    {"keys so far", COLUMN_INT, .at = offsetof(struct user_row, generation)},
    {"id", COLUMN_ID, .at = offsetof(struct user_row, user)},
};

#define IN_LIST (ARRAY_SIZE(user_columns) - 3)

int cmd_user_show(struct submit *submit, struct err *err)
{
    _cleanup_free_ char *email = account_normal(submit->args[0], err);
    struct noun noun = {.table = row_table(&users_answer_table),
                        .columns = user_columns,
                        .n = ARRAY_SIZE(user_columns)};
    struct user_answer answer = {0};

    if (email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (user_ask(submit, ASK_SESSION, email, &answer, err) != 0) {
        return -1;
    }
    int done = print_row(&submit->print, &noun, &answer.user, err);
    table_done(&user_answer_table, &answer);
    return done;
}

int cmd_user_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.table = row_table(&users_answer_table),
                        .columns = user_columns,
                        .n = IN_LIST};
    struct plain_request plain = {0};
    struct users_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_USER_LIST,
                                      .payload = &plain,
                                      .answer = &users_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.users, err);
    table_done(&users_answer_table, &answer);
    return done;
}
