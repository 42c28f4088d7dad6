/*
 * cmd_invite.c: user invite, and invitations of somebody who is known.
 *
 * An invitation's key is made from a seed. Where notifiers are enrolled, the
 * seed goes sealed to each of them, and by mail to the invitee; else only its
 * code holds it, and the inviter hands that over.
 */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "model/invitation.h"
#include "model/user.h"
#include "producer/submit/notifiers.h"
#include "producer/submit/policy_now.h"
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
    bool mfa;
    bool service;
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
    {"invited", COLUMN_TEXT, .at = offsetof(struct invited, email)},
    {"as", COLUMN_WORD, .at = offsetof(struct invited, role),
     .words = &role_words},
    {"second factor", COLUMN_MADE, .make = factor_of_invited},
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
    return invited->service && (with || invited->role != ROLE_RUNNER)
               ? err_exit(err, EXIT_USAGE,
                          "a machine identity is a runner, without a second "
                          "factor")
               : 0;
}

static int read_invited(const struct submit *submit, struct invited *invited,
                        struct err *err)
{
    if (read_role(submit, &invited->role, err) != 0 ||
        read_kind(submit, invited, err) != 0) {
        return -1;
    }
    invited->email = invited->service ? account_normal(submit->args[0], err)
                                      : email_normal(submit->args[0], err);
    invited->name = flag_value(submit, "name");
    if (invited->email == NULL ||
        (invited->name != NULL &&
         display_name_check(invited->name, err) != 0)) {
        err->status = EXIT_DATA;
        return -1;
    }
    return 0;
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

/* To whom a mail can go: not to a machine that has a plain name. */
static int find_notifiers(struct submit *submit, struct invited *invited,
                          struct err *err)
{
    return strchr(invited->email, '@') == NULL
               ? 0
               : notifiers_find(submit, &invited->notifiers, err);
}

static int invitation_life(struct submit *submit, int64_t *ret_ms,
                           struct err *err)
{
    struct rules_answer policy = {0};

    if (policy_now(submit, &policy, err) != 0) {
        return -1;
    }
    *ret_ms = policy.rules.invitation_ttl * 1000;
    table_done(&rules_answer_table, &policy);
    return 0;
}

static int invite(struct submit *submit, struct invited *invited,
                  const unsigned char seed[static INVITATION_SEED],
                  struct err *err)
{
    const struct hash *root = &submit->profile->root;
    _cleanup_key_pair_ struct key_pair *keys = key_pair_from_invitation(seed);
    int64_t life = 0;

    if (invitation_life(submit, &life, err) != 0) {
        return -1;
    }
    int64_t now = clock_now();
    struct user_invite payload = {
        .request.head = {.id = id_new(now), .issued = now},
        .user = user_id(root, &keys->key),
        .invitation = keys->key,
        .email = invited->email,
        .name = (char *)invited->name,
        .role = invited->role,
        .until = now + life,
        .mfa = invited->mfa,
        .service = invited->service,
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
        say("%s: hand the code over by a way that you trust; it is good once. "
            "With it they run: submit verify",
            strchr(invited->email, '@') == NULL
                ? "A machine has no mailbox"
                : "No notifier is enrolled, so no mail goes out");
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
                       find_notifiers(submit, &invited, err) != 0 ||
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
    int64_t life = 0;

    if (invitation_life(submit, &life, err) != 0) {
        return -1;
    }
    head->issued = clock_now();
    head->id = id_new(head->issued);
    reinvite->invitation = keys->key;
    reinvite->until = head->issued + life;
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
    struct invited invited = {.email = reinvite->email,
                              .role = reinvite->role,
                              .mfa = reinvite->mfa,
                              .service = reinvite->service};

    randombytes_buf(seed, sizeof(seed));
    struct again again = {reinvite, &invited.notifiers, seed};
    int done = find_notifiers(submit, &invited, err) != 0
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
