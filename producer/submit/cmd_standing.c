/*
 * cmd_standing.c: user suspend, resume, remove, withdraw, role, resend, reset:
 * what takes away from a person, or gives otherwise.
 *
 * Each becomes an entry of the revocation log. What an administrator signed is
 * void once they are ended, but for what this entry keeps: so whoever ends one
 * sees by name what hangs on them, and says what shall go on (kept.h). Who it
 * is comes from a checked chain, never from what the authorizer tells.
 */
#include <string.h>

#include "base/clock.h"
#include "model/log_entry.h"
#include "model/read.h"
#include "producer/submit/saved.h"
#include "producer/submit/files.h"
#include "producer/submit/compared.h"
#include "producer/submit/reinvite.h"
#include "producer/submit/second_factor.h"
#include "producer/submit/kept.h"
#include "producer/submit/submit.h"

struct subject { /* whom it is about */
    struct user_answer answer;
    struct id user;
    struct person person; /* once they have verified */
    bool verified;
    bool mfa; /* as they were invited */
    bool service;
};

static void subject_done(struct subject *subject)
{
    table_done(&user_answer_table, &subject->answer);
}

#define _cleanup_subject_ _cleanup_(subject_done)

static int check_subject(const struct submit *submit, struct subject *subject,
                         const char *email, struct err *err)
{
    const struct user_answer *answer = &subject->answer;
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct invitation invited = {0};
    const char *known;

    if (proof_add_all(proof, &answer->envelopes, err) != 0) {
        return -1;
    }
    subject->verified = !hash_is_zero(&answer->verify);
    if (subject->verified
            ? proof_person(proof, &answer->verify, &subject->person, err) != 0
            : proof_invitation(proof, &answer->invite, &invited, err) != 0) {
        return -1;
    }
    known = subject->verified ? subject->person.email : invited.email;
    subject->user = subject->verified ? subject->person.user : invited.user;
    subject->mfa = subject->verified ? subject->person.mfa : invited.mfa;
    subject->service =
        subject->verified ? subject->person.service : invited.service;
    return strcmp(known, email) == 0
               ? 0
               : err_set(err, ERR_REJECT, "it is about %s", known);
}

static int find_subject(struct submit *submit, struct subject *ret_subject,
                        struct err *err)
{
    _cleanup_free_ char *email = account_normal(submit->args[0], err);

    if (email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (user_ask(submit, ASK_SESSION, email, &ret_subject->answer, err) != 0) {
        return err->status == EXIT_NOT_FOUND
                   ? err_exit(err, EXIT_NOT_FOUND, "there is no user %s", email)
                   : -1;
    }
    if (check_subject(submit, ret_subject, email, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "what was told of %s can't be trusted", email);
    }
    return 0;
}

static int ask_entry(struct submit *submit, enum event_kind kind, void *payload,
                     struct err *err)
{
    return submit_ask(
        submit,
        &(struct question){.as = ASK_OWN, .kind = kind, .payload = payload},
        err);
}

/* suspend, resume, remove, withdraw */

static int stand(struct submit *submit, enum event_kind kind,
                 enum kept_otherwise otherwise, struct subject *subject,
                 struct err *err)
{
    struct user_standing payload = {.user = subject->user};
    int done = 0;

    if (otherwise != KEPT_NOTHING) {
        done = kept_choose(submit, subject->answer.user.email, otherwise,
                           &payload.entry.keep, err);
    }
    if (done == 0) {
        done = ask_entry(submit, kind, &payload, err);
    }
    free(payload.entry.keep.items);
    return done;
}

int cmd_user_suspend(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0 ||
        stand(submit, EVENT_USER_SUSPEND, KEPT_ALL, &subject, err) != 0) {
        return -1;
    }
    say("%s is suspended: nothing that they ask for is done any more, until "
        "submit user resume %s",
        subject.answer.user.email, subject.answer.user.email);
    return 0;
}

int cmd_user_resume(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0 ||
        stand(submit, EVENT_USER_RESUME, KEPT_NOTHING, &subject, err) != 0) {
        return -1;
    }
    say("%s may go on. They sign in anew: submit login",
        subject.answer.user.email);
    return 0;
}

static int sure(const struct submit *submit, const char *email, struct err *err)
{
    _cleanup_free_ char *question = must_printf("Remove %s for good?", email);

    if (flag_given(submit, "yes")) {
        return 0;
    }
    int yes = prompt_yes(question, "--yes", err);
    if (yes < 0) {
        return -1;
    }
    return yes ? 0 : err_exit(err, EXIT_DATA, "nothing was removed");
}

int cmd_user_remove(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0 ||
        sure(submit, subject.answer.user.email, err) != 0 ||
        stand(submit, EVENT_USER_REMOVE, KEPT_ASK, &subject, err) != 0) {
        return -1;
    }
    say("%s is removed. What they did stays on record.",
        subject.answer.user.email);
    return 0;
}

int cmd_user_withdraw(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0) {
        return -1;
    }
    if (subject.verified) {
        return err_exit(err, EXIT_DATA,
                        "%s has followed the invitation already: submit user "
                        "remove %s",
                        subject.answer.user.email, subject.answer.user.email);
    }
    if (stand(submit, EVENT_USER_REMOVE, KEPT_NOTHING, &subject, err) != 0) {
        return -1;
    }
    say("The invitation of %s is withdrawn.", subject.answer.user.email);
    return 0;
}

/* role */

static int compare(const struct submit *submit, const struct person *person,
                   struct err *err)
{
    int yes = key_compare(submit, person, err);

    if (yes < 0) {
        return -1;
    }
    return yes ? 0
               : err_exit(err, EXIT_DATA,
                          "%s stays %s: if it differs, somebody else has "
                          "their key",
                          person->email, word_text(&role_words, person->role));
}

static int change_role(struct submit *submit, const struct subject *subject,
                       int role, struct err *err)
{
    const struct person *person = &subject->person;
    struct user_role payload = {.user = subject->user,
                                .naming = person->by,
                                .key = person->key,
                                .role = role};
    int done = 0;

    if (role == ROLE_ADMINISTRATOR) {
        done = compare(submit, person, err);
    } else if (person->role == ROLE_ADMINISTRATOR) {
        done = kept_choose(submit, person->email, KEPT_ASK, &payload.entry.keep,
                           err);
    }
    if (done == 0) {
        done = ask_entry(submit, EVENT_USER_ROLE, &payload, err);
    }
    free(payload.entry.keep.items);
    return done;
}

int cmd_user_role(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};
    int role = word_value(&role_words, submit->args[1]);

    if (role == ROLE_NONE) {
        _cleanup_free_ char *known = words_join(&role_words);
        return err_exit(err, EXIT_USAGE, "'%.60s' is no role: expected %s",
                        submit->args[1], known);
    }
    if (find_subject(submit, &subject, err) != 0) {
        return -1;
    }
    const char *email = subject.answer.user.email;
    if (!subject.verified) {
        return err_exit(err, EXIT_DATA,
                        "%s has not followed the invitation yet: submit user "
                        "withdraw %s, then invite them as %s",
                        email, email, submit->args[1]);
    }
    if (change_role(submit, &subject, role, err) != 0) {
        return -1;
    }
    say("%s is %s now. Their sessions have ended: submit login", email,
        word_text(&role_words, role));
    return 0;
}

/* resend, reset */

static int reinvite(struct submit *submit, const struct subject *subject,
                    enum kept_otherwise otherwise, struct err *err)
{
    const struct user_row *row = &subject->answer.user;
    struct user_reinvite payload = {.user = subject->user,
                                    .email = row->email,
                                    .role = row->role,
                                    .mfa = subject->mfa,
                                    .service = subject->service,
                                    .generation =
                                        row->generation + subject->verified};
    int done = 0;

    if (otherwise != KEPT_NOTHING && row->role == ROLE_ADMINISTRATOR) {
        done = kept_choose(submit, row->email, otherwise, &payload.entry.keep,
                           err);
    }
    if (done == 0) {
        done = invitation_again(submit, &payload, err);
    }
    free(payload.entry.keep.items);
    return done;
}

int cmd_user_resend(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0) {
        return -1;
    }
    if (subject.verified) {
        return err_exit(err, EXIT_DATA,
                        "%s has followed the invitation already; a lost "
                        "password: submit user reset %s --password",
                        subject.answer.user.email, subject.answer.user.email);
    }
    return reinvite(submit, &subject, KEPT_NOTHING, err);
}

static int reset_password(struct submit *submit, struct err *err)
{
    _cleanup_subject_ struct subject subject = {0};

    if (find_subject(submit, &subject, err) != 0) {
        return -1;
    }
    if (!subject.verified) {
        return err_exit(err, EXIT_DATA,
                        "%s has not followed the invitation yet: submit user "
                        "resend %s",
                        subject.answer.user.email, subject.answer.user.email);
    }
    if (reinvite(submit, &subject, KEPT_ASK, err) != 0) {
        return -1;
    }
    say("Their old key opens nothing any more; what was assigned to them "
        "stays.");
    return 0;
}

int cmd_user_reset(struct submit *submit, struct err *err)
{
    bool password = flag_given(submit, "password");

    if (password == flag_given(submit, "mfa")) {
        return err_exit(err, EXIT_USAGE,
                        "what is lost? --password or --mfa: `submit help user "
                        "reset`");
    }
    return password ? reset_password(submit, err)
                    : second_factor_reset(submit, submit->args[0], err);
}
