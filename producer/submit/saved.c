/*
 * saved.c: see saved.h.
 */
#include "producer/submit/saved.h"

#include <string.h>

#include "base/suggest.h"
#include "model/read.h"

/* Among the commands that they may run, one that is called nearly so. */
static int suggest_command(struct submit *submit, const char *name,
                           struct err *err)
{
    struct plain_request plain = {0};
    struct commands_answer answer = {0};
    struct err ignored = {0};

    if (err->status != EXIT_NOT_FOUND ||
        submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_LIST,
                                      .payload = &plain,
                                      .answer = &commands_answer_table,
                                      .ret_answer = &answer},
                   &ignored) != 0) {
        return -1;
    }
    size_t n = answer.commands.n;
    _cleanup_free_ const char **known = must_calloc(n + 1, sizeof(*known));
    for (size_t i = 0; i < n; i++) {
        known[i] = list_at(&answer.commands, struct command_row, i).name;
    }
    const char *meant = suggest(name, known, n);
    int done =
        meant == NULL
            ? -1
            : err_exit(err, EXIT_NOT_FOUND,
                       "%s: " NOT_FOUND_TEXT "; did you mean %s?", name, meant);
    table_done(&commands_answer_table, &answer);
    return done;
}

static int ask_version(struct submit *submit, const char *name, int64_t version,
                       struct command_answer *ret_answer, struct err *err)
{
    struct command_named named = {.name = (char *)name, .version = version};

    if (!name_is_good(name)) {
        return err_exit(
            err, EXIT_DATA,
            "'%.80s' is no command's name: those are a-z, 0-9 and -", name);
    }
    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_SHOW,
                                      .payload = &named,
                                      .answer = &command_answer_table,
                                      .ret_answer = ret_answer},
                   err) != 0) {
        return -1;
    }
    if (strcmp(ret_answer->command.name, name) == 0) {
        return 0;
    }
    table_done(&command_answer_table, ret_answer);
    return err_exit(err, EXIT_NOT_ALLOWED,
                    "the answer is about another command than %s: nothing was "
                    "done",
                    name);
}

int command_ask(struct submit *submit, const char *name,
                struct command_answer *ret_answer, struct err *err)
{
    return ask_version(submit, name, 0, ret_answer, err) == 0
               ? 0
               : suggest_command(submit, name, err);
}

void saved_done(struct saved *saved)
{
    table_done(&command_save_table, &saved->save);
}

static int not_proved(struct err *err, const char *what, const char *name)
{
    (void)err_wrap(err,
                   "what came for %s '%s' is not proved up to the pinned "
                   "root, and not believed",
                   what, name);
    err->status = EXIT_DATA;
    return -1;
}

/* The only command.save of that name in the answer. */
static const struct envelope *save_envelope(const struct list *envelopes)
{
    const char *type = event_types[EVENT_COMMAND_SAVE].type;

    for (size_t i = 0; i < envelopes->n; i++) {
        const struct envelope *one = &list_at(envelopes, struct envelope, i);
        if (strcmp(one->type, type) == 0) {
            return one;
        }
    }
    return NULL;
}

/* Signed by an administrator in force, whose chain is among the envelopes: by
 * saved->author. */
static int check_save(const struct submit *submit, const struct list *envelopes,
                      const struct envelope *envelope, struct saved *saved,
                      struct err *err)
{
    const struct command_save *save = &saved->save;
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct person author;

    if (proof_add_all(proof, envelopes, err) != 0 ||
        proof_administrator(proof, &save->request.head.by, &author, err) != 0) {
        return -1;
    }
    if (!hash_equal(&save->request.head.root, &author.root) ||
        !envelope_signed_by(envelope, 0, &author.key)) {
        return err_set(err, ERR_REJECT, "its signature is not its author's");
    }
    saved->author = author;
    return 0;
}

int saved_read(const struct submit *submit, const char *name,
               const struct command_answer *answer, struct saved *ret_saved,
               struct err *err)
{
    const struct envelope *envelope = save_envelope(&answer->envelopes);
    struct saved saved = {0};

    if (envelope == NULL) {
        return err_exit(err, EXIT_NOT_ALLOWED,
                        "the script of '%s' is not shown to its runners", name);
    }
    if (event_decode(EVENT_COMMAND_SAVE, envelope, &saved.save, err) != 0) {
        return not_proved(err, "command", name);
    }
    if (check_save(submit, &answer->envelopes, envelope, &saved, err) != 0 ||
        (strcmp(saved.save.name, name) != 0 &&
         err_set(err, ERR_REJECT, "it is %s", saved.save.name) != 0)) {
        saved_done(&saved);
        return not_proved(err, "command", name);
    }
    saved.hash = envelope_hash(envelope);
    *ret_saved = saved;
    return 0;
}

int saved_find(struct submit *submit, const char *name, struct saved *ret_saved,
               struct err *err)
{
    return saved_find_version(submit, name, 0, ret_saved, err) == 0
               ? 0
               : suggest_command(submit, name, err);
}

/* version: 0: the newest. */
int saved_find_version(struct submit *submit, const char *name, int64_t version,
                       struct saved *ret_saved, struct err *err)
{
    struct command_answer answer = {0};
    struct saved saved = {0};

    if (ask_version(submit, name, version, &answer, err) != 0) {
        return -1;
    }
    int done = saved_read(submit, name, &answer, &saved, err);
    table_done(&command_answer_table, &answer);
    if (done == 0 && version != 0 && saved.save.version != version) {
        (void)err_set(err, ERR_REJECT, "it is version %lld",
                      (long long)saved.save.version);
        saved_done(&saved);
        return not_proved(err, "command", name);
    }
    if (done == 0) {
        *ret_saved = saved;
    }
    return done;
}

/* Who the envelopes say that this is. */
static int user_read(const struct submit *submit,
                     const struct user_answer *answer, const char *email,
                     struct id *ret_user, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct invitation invited = {0};
    struct person person = {0};
    const char *known = person.email;

    if (proof_add_all(proof, &answer->envelopes, err) != 0) {
        return -1;
    }
    if (!hash_is_zero(&answer->invite)) {
        if (proof_invitation(proof, &answer->invite, &invited, err) != 0) {
            return -1;
        }
        known = invited.email;
    } else if (proof_person(proof, &answer->verify, &person, err) != 0) {
        return -1;
    }
    if (strcmp(known, email) != 0) {
        return err_set(err, ERR_REJECT, "it is %s", known);
    }
    *ret_user = invited.email != NULL ? invited.user : person.user;
    return 0;
}

int user_ask(struct submit *submit, enum asker as, const char *email,
             struct user_answer *ret_answer, struct err *err)
{
    struct user_named named = {.email = (char *)email};

    return submit_ask(submit,
                      &(struct question){.as = as,
                                         .kind = EVENT_USER_SHOW,
                                         .payload = &named,
                                         .answer = &user_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

int user_find(struct submit *submit, const char *email, struct id *ret_user,
              struct err *err)
{
    _cleanup_free_ char *normal = account_normal(email, err);
    struct user_answer answer = {0};

    if (normal == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (user_ask(submit, ASK_SESSION, normal, &answer, err) != 0) {
        return err->status == EXIT_NOT_FOUND
                   ? err_exit(err, EXIT_NOT_FOUND, "there is no user %s",
                              normal)
                   : -1;
    }
    int done = user_read(submit, &answer, normal, ret_user, err);
    table_done(&user_answer_table, &answer);
    return done == 0 ? 0 : not_proved(err, "user", normal);
}
