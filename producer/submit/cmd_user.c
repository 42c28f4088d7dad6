/*
 * cmd_user.c: user invite, confirm, list.
 *
 * An invitation's key is made from a seed that only its code holds: as long as
 * no notifier is enrolled, the inviter hands it over. Who confirms an
 * administrator compares the key's fingerprint with the person; the key itself
 * comes from a checked chain, never from what the authorizer tells.
 */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "model/read.h"
#include "model/user.h"
#include "producer/submit/files.h"
#include "producer/submit/invitation.h"
#include "producer/submit/policy_now.h"

/* user invite */

struct invited {
    char *code;
    char *email;
    int role;
    int64_t until;
    bool mfa;
    bool service;
};

static const struct field invited_fields[] = {
    {"code", FIELD_TEXT, .at = offsetof(struct invited, code)},
    {"email", FIELD_TEXT, .at = offsetof(struct invited, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct invited, role)},
    {"until", FIELD_TIME, .at = offsetof(struct invited, until)},
    {"mfa", FIELD_BOOL, .at = offsetof(struct invited, mfa)},
    {"service", FIELD_BOOL, .at = offsetof(struct invited, service)},
};

static const struct table invited_table = {
    .name = "invited", TABLE(invited_fields), .size = sizeof(struct invited)};

static char *factor_of_invited(const void *row)
{
    const struct invited *invited = row;

    return must_strdup(invited->service ? "none (machine identity)"
                       : invited->mfa   ? "at the first login"
                                        : "none");
}

static const struct column invited_columns[] = {
    {"verification code", COLUMN_TEXT, .at = offsetof(struct invited, code)},
    {"for", COLUMN_TEXT, .at = offsetof(struct invited, email)},
    {"as", COLUMN_WORD, .at = offsetof(struct invited, role),
     .words = &role_words},
    {"second factor", COLUMN_MADE, .make = factor_of_invited},
    {"until", COLUMN_TIME, .at = offsetof(struct invited, until)},
};

static const struct noun invited_noun = {.table = &invited_table,
                                         .columns = invited_columns,
                                         .n = ARRAY_SIZE(invited_columns)};

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

/* A person has a second factor unless it is said otherwise; a machine identity
 * never. */
static int read_kind(const struct submit *submit, struct invited *invited,
                     struct err *err)
{
    bool with = flag_given(submit, "mfa");
    bool without = flag_given(submit, "no-mfa");

    invited->service = flag_given(submit, "service");
    invited->mfa = !without && !invited->service;
    if (with && without) {
        return err_exit(err, EXIT_USAGE, "--mfa and --no-mfa: which one?");
    }
    if (invited->service && (with || invited->role != ROLE_RUNNER)) {
        return err_exit(err, EXIT_USAGE,
                        "a machine identity is a runner, without a second "
                        "factor");
    }
    invited->email = invited->service ? account_normal(submit->args[0], err)
                                      : email_normal(submit->args[0], err);
    if (invited->email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    return 0;
}

static char *code_of(const unsigned char seed[static INVITATION_SEED],
                     const struct hash *root)
{
    unsigned char bytes[INVITATION_CODE];

    memcpy(bytes, seed, INVITATION_SEED);
    memcpy(bytes + INVITATION_SEED, root->b, INVITATION_CODE - INVITATION_SEED);
    char *code = code_encode(bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
    return code;
}

static int invite(struct submit *submit, struct invited *invited,
                  const unsigned char seed[static INVITATION_SEED],
                  struct err *err)
{
    const struct hash *root = &submit->profile->root;
    _cleanup_key_pair_ struct key_pair *keys = key_pair_from_invitation(seed);
    struct rules_answer policy = {0};

    if (policy_now(submit, &policy, err) != 0) {
        return -1;
    }
    int64_t life = policy.rules.invitation_ttl * 1000;
    table_done(&rules_answer_table, &policy);
    int64_t now = clock_now();
    struct user_invite payload = {
        .request.head = {.id = id_new(now), .issued = now},
        .user = user_id(root, &keys->key),
        .invitation = keys->key,
        .email = invited->email,
        .role = invited->role,
        .until = now + life,
        .mfa = invited->mfa,
        .service = invited->service,
    };

    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_USER_INVITE,
                                      .payload = &payload},
                   err) != 0) {
        return -1;
    }
    invited->until = payload.until;
    invited->code = code_of(seed, root);
    return 0;
}

static void tell_invited(const struct invited *invited)
{
    say("Hand the code over by a way that you trust; it is good once. With it "
        "they run: submit verify");
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
    int done = read_role(submit, &invited.role, err) != 0 ||
                       read_kind(submit, &invited, err) != 0 ||
                       invite(submit, &invited, seed, err) != 0
                   ? -1
                   : print_row(&submit->print, &invited_noun, &invited, err);
    if (done == 0) {
        tell_invited(&invited);
    }
    sodium_memzero(seed, sizeof(seed));
    table_done(&invited_table, &invited);
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
    _cleanup_free_ char *print = fingerprint(&person->key);
    _cleanup_free_ char *question =
        must_printf("Does %s read the same?", person->email);

    say("%s's key: %s", person->email, print);
    if (flag_given(submit, "yes")) {
        return 0;
    }
    int yes = prompt_yes(question, "compare the fingerprint, then --yes", err);
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
    return 0;
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

static char *kind_of_user(const void *row)
{
    const struct user_row *user = row;

    return must_strdup(user->service ? "service" : "person");
}

static const struct column user_columns[] = {
    {"email", COLUMN_TEXT, .at = offsetof(struct user_row, email),
     .wide = true},
    {"kind", COLUMN_MADE, .make = kind_of_user},
    {"role", COLUMN_WORD, .at = offsetof(struct user_row, role),
     .words = &role_words},
    {"mfa", COLUMN_WORD, .at = offsetof(struct user_row, mfa),
     .words = &mfa_state_words},
    {"state", COLUMN_WORD, .at = offsetof(struct user_row, state),
     .words = &user_state_words},
    {"invited by", COLUMN_TEXT, .at = offsetof(struct user_row, invited_by),
     .wide = true},
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
