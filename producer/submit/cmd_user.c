/*
 * cmd_user.c: user invite, confirm, list.
 *
 * An invitation's key is made from a seed that only its code holds. Where a
 * notifier is enrolled, the seed travels sealed to it, and nobody here sees the
 * code; else the inviter hands it over. Who confirms an administrator compares
 * six words for the key with the person; the key itself comes from a checked
 * chain, never from what the authorizer tells.
 */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "model/invitation.h"
#include "model/mail.h"
#include "model/read.h"
#include "model/user.h"
#include "producer/submit/compared.h"
#include "producer/submit/notifiers.h"
#include "producer/submit/reinvite.h"
#include "producer/submit/submit.h"

/* user invite */

struct invited {
    char *code; /* NULL: it goes by mail */
    char *email;
    const char *name; /* the command line's */
    int role;
    int64_t until;
    bool mail;
    struct list notifiers; /* struct notifier */
};

static const struct field invited_fields[] = {
    {"code", FIELD_TEXT, .optional = true,
     .at = offsetof(struct invited, code)},
    {"email", FIELD_TEXT, .at = offsetof(struct invited, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct invited, role)},
    {"until", FIELD_TIME, .at = offsetof(struct invited, until)},
    {"mail", FIELD_BOOL, .at = offsetof(struct invited, mail)},
};

static const struct table invited_table = {
    .name = "invited", TABLE(invited_fields), .size = sizeof(struct invited)};

static const struct column invited_columns[] = {
    {"verification code", COLUMN_TEXT, .at = offsetof(struct invited, code)},
    {"invited", COLUMN_TEXT, .at = offsetof(struct invited, email)},
    {"as", COLUMN_WORD, .at = offsetof(struct invited, role),
     .words = &role_words},
    {"until", COLUMN_TIME, .at = offsetof(struct invited, until)},
};

/* The code's column comes first, and is left out where there is none to see. */
static struct noun invited_noun(const struct invited *invited)
{
    size_t skip = invited->code == NULL ? 1 : 0;

    return (struct noun){.table = &invited_table,
                         .columns = invited_columns + skip,
                         .n = ARRAY_SIZE(invited_columns) - skip};
}

static int read_role(const struct submit *submit, int *ret_role,
                     struct err *err)
{
    const char *word = flag_value(submit, "role");

    *ret_role = word == NULL ? ROLE_RUNNER : word_value(&role_words, word);
    if (*ret_role == ROLE_NONE) {
        _cleanup_free_ char *known = words_join(&role_words);
        return err_exit(err, EXIT_USAGE, "--role %.60s: expected %s", word,
                        known);
    }
    return 0;
}

static int read_invited(const struct submit *submit, struct invited *invited,
                        struct err *err)
{
    invited->email = email_normal(submit->args[0], err);
    invited->name = flag_value(submit, "name");
    if (invited->email == NULL ||
        (invited->name != NULL &&
         display_name_check(invited->name, err) != 0)) {
        err->status = EXIT_DATA;
        return -1;
    }
    return read_role(submit, &invited->role, err);
}

static char *code_of(const unsigned char seed[static INVITATION_SEED],
                     const struct hash *root)
{
    struct ticket ticket = {.half = id_of_hash(root)};

    memcpy(ticket.seed, seed, INVITATION_SEED);
    char *code = invitation_code(&ticket);
    invitation_wipe(&ticket);
    return code;
}

static int invite(struct submit *submit, struct invited *invited,
                  const unsigned char seed[static INVITATION_SEED],
                  struct err *err)
{
    const struct hash *root = &submit->profile->root;
    _cleanup_key_pair_ struct key_pair *keys = key_pair_from_invitation(seed);
    int64_t now = clock_now();
    struct user_invite payload = {
        .request.head = {.id = id_new(now), .issued = now},
        .user = user_id(root, &keys->key),
        .invitation = keys->key,
        .email = invited->email,
        .name = (char *)invited->name,
        .role = invited->role,
        .until = now + INVITATION_LIFE,
    };
    int done =
        notifiers_seal(submit, &invited->notifiers, seed, invited->email,
                       &payload.request.head.id, &payload.sealed, err) != 0
            ? -1
            : submit_ask(submit,
                         &(struct question){.as = ASK_OWN,
                                            .kind = EVENT_USER_INVITE,
                                            .payload = &payload},
                         err);

    sealed_seeds_done(&payload.sealed);
    if (done != 0) {
        return -1;
    }
    invited->until = payload.until;
    invited->mail = invited->notifiers.n > 0;
    invited->code = invited->mail ? NULL : code_of(seed, root);
    return 0;
}

static void tell_invited(const struct invited *invited)
{
    if (invited->mail) {
        say("A mail with the verification code is on its way to %s; `submit "
            "user list` shows what becomes of it.",
            invited->email);
    } else {
        say("No notifier is enrolled, so no mail goes out: hand the code over "
            "by a way that you trust; it is good once. With it they run: "
            "submit verify");
    }
    if (invited->role == ROLE_ADMINISTRATOR) {
        say("After that an administrator confirms them: submit user confirm %s",
            invited->email);
    }
}

int cmd_user_invite(struct submit *submit, struct err *err)
{
    unsigned char seed[INVITATION_SEED];
    struct invited invited = {0};

    randombytes_buf(seed, sizeof(seed));
    int done = read_invited(submit, &invited, err) != 0 ||
                       notifiers_find(submit, &invited.notifiers, err) != 0 ||
                       invite(submit, &invited, seed, err) != 0
                   ? -1
                   : 0;
    if (done == 0) {
        struct noun noun = invited_noun(&invited);
        done = print_row(&submit->print, &noun, &invited, err);
        tell_invited(&invited);
    }
    sodium_memzero(seed, sizeof(seed));
    notifiers_done(&invited.notifiers);
    table_done(&invited_table, &invited);
    return done;
}

/* An invitation of somebody who is known. */
struct again {
    struct user_reinvite *reinvite;
    const struct list *notifiers;
    const unsigned char *seed;
};

/* The boxes say for which request they are: another id wants others. */
static int seal_again(struct submit *submit, void *arg, struct err *err)
{
    const struct again *again = arg;
    struct user_reinvite *reinvite = again->reinvite;

    sealed_seeds_done(&reinvite->sealed);
    return notifiers_seal(submit, again->notifiers, again->seed,
                          reinvite->email, &reinvite->entry.request.head.id,
                          &reinvite->sealed, err);
}

static int ask_again(struct submit *submit, struct again *again,
                     struct err *err)
{
    struct user_reinvite *reinvite = again->reinvite;
    struct head *head = &reinvite->entry.request.head;
    _cleanup_key_pair_ struct key_pair *keys =
        key_pair_from_invitation(again->seed);

    head->issued = clock_now();
    head->id = id_new(head->issued);
    reinvite->invitation = keys->key;
    reinvite->until = head->issued + INVITATION_LIFE;
    int done = seal_again(submit, again, err) != 0
                   ? -1
                   : submit_ask(submit,
                                &(struct question){.as = ASK_OWN,
                                                   .kind = EVENT_USER_REINVITE,
                                                   .payload = reinvite,
                                                   .anew = seal_again,
                                                   .arg = again},
                                err);
    sealed_seeds_done(&reinvite->sealed);
    return done;
}

int invitation_again(struct submit *submit, struct user_reinvite *reinvite,
                     struct err *err)
{
    unsigned char seed[INVITATION_SEED];
    struct invited invited = {.email = reinvite->email, .role = reinvite->role};

    randombytes_buf(seed, sizeof(seed));
    struct again again = {reinvite, &invited.notifiers, seed};
    int done = notifiers_find(submit, &invited.notifiers, err) != 0
                   ? -1
                   : ask_again(submit, &again, err);
    if (done == 0) {
        invited.until = reinvite->until;
        invited.mail = invited.notifiers.n > 0;
        invited.code =
            invited.mail ? NULL : code_of(seed, &submit->profile->root);
        struct noun noun = invited_noun(&invited);
        done = print_row(&submit->print, &noun, &invited, err);
        tell_invited(&invited);
        free(invited.code);
    }
    notifiers_done(&invited.notifiers);
    sodium_memzero(seed, sizeof(seed));
    return done;
}

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
    struct user_named named = {.email = (char *)email};
    struct user_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_USER_SHOW,
                                      .payload = &named,
                                      .answer = &user_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = check_person(submit, &answer, email, ret_person, err);
    table_done(&user_answer_table, &answer);
    return done;
}

static int compare(const struct submit *submit, const struct person *person,
                   struct err *err)
{
    _cleanup_free_ char *words = key_words(&person->key);
    _cleanup_free_ char *question = must_printf(
        "Does %s read the same six words to you, not by mail?", person->email);

    say("%s's key: %s", person->email, words);
    if (flag_given(submit, "yes")) {
        return 0;
    }
    int yes = prompt_yes(question, "compare the six words, then --yes", err);
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

static const struct column user_columns[] = {
    {"email", COLUMN_TEXT, .at = offsetof(struct user_row, email),
     .wide = true},
    {"name", COLUMN_TEXT, .at = offsetof(struct user_row, name), .wide = true},
    {"role", COLUMN_WORD, .at = offsetof(struct user_row, role),
     .words = &role_words},
    {"state", COLUMN_MADE, .make = state_make},
    {"invited by", COLUMN_TEXT, .at = offsetof(struct user_row, invited_by),
     .wide = true},
    {"mail", COLUMN_MADE, .make = mail_text, .wide = true},
    {"verified", COLUMN_TIME, .at = offsetof(struct user_row, verified)},
    {"invited until", COLUMN_TIME,
     .at = offsetof(struct user_row, invited_until)},
};

int cmd_user_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.table = row_table(&users_answer_table),
                        .columns = user_columns,
                        .n = ARRAY_SIZE(user_columns)};
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
