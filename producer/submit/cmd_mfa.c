/*
 * cmd_mfa.c: mfa setup, mfa status, user reset --mfa: second factors.
 */
#include "producer/submit/saved.h"
#include "producer/submit/second_factor.h"
#include "producer/submit/session_file.h"

int cmd_mfa_setup(struct submit *submit, struct err *err)
{
    return asking_unlock(submit, flag_value(submit, "password-file"), err) != 0
               ? -1
               : second_factor_set_up(submit, NULL, err);
}

static const char *meaning(int state)
{
    static const char *const meanings[] = {
        [MFA_NONE] = "the authorizer doesn't say",
        [MFA_OFF] = "no second factor: submit mfa setup makes one",
        [MFA_WANTED] = "wanted: set up at the next submit login",
        [MFA_ON] = "on: a session takes a code",
        [MFA_EXEMPT] = "none: a machine identity",
    };

    return meanings[state];
}

/* A session says it without a password; where there is none, the own key says
 * it without a code. */
static enum asker asks_by(const struct submit *submit)
{
    struct session_key *session = NULL;
    struct err ignored = {0};
    bool open = !flag_given(submit, "password-file") &&
                session_load(submit->profile, &session, &ignored) == 0;

    session_free(session);
    return open ? ASK_SESSION : ASK_OWN;
}

int cmd_mfa_status(struct submit *submit, struct err *err)
{
    struct plain_request plain = {0};
    struct session_answer answer = {0};
    enum asker by = asks_by(submit);

    if ((by == ASK_OWN &&
         asking_unlock(submit, flag_value(submit, "password-file"), err) !=
             0) ||
        submit_ask(submit,
                   &(struct question){.as = by,
                                      .kind = EVENT_SESSION_SHOW,
                                      .payload = &plain,
                                      .answer = &session_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_line(&submit->print, err, "%s: %s", answer.email,
                          meaning(answer.mfa));
    table_done(&session_answer_table, &answer);
    return done;
}

int second_factor_reset(struct submit *submit, const char *email,
                        struct err *err)
{
    struct mfa_reset payload = {0};

    if (user_find(submit, email, &payload.user, err) != 0 ||
        submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_MFA_RESET,
                                      .payload = &payload},
                   err) != 0) {
        return -1;
    }
    say("%s's second factor is gone, and their sessions are closed. They set "
        "up another at their next submit login.",
        email);
    return 0;
}
