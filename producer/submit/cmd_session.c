/*
 * cmd_session.c: login, logout, whoami: the session on this machine.
 */
#include <string.h>

#include "base/clock.h"
#include "model/session.h"
#include "producer/submit/greet.h"
#include "producer/submit/keyring.h"
#include "producer/submit/session_file.h"

void greet(const struct session_answer *answer)
{
    _cleanup_free_ char *until = time_text(answer->until);

    say("Signed in as %s (%s) until %s.%s", answer->email,
        word_text(&role_words, answer->role), until,
        answer->state == USER_VERIFIED
            ? " Another administrator has to confirm you first."
            : "");
}

/* --ttl, within what any session may last. */
static int read_life(struct submit *submit, struct err *err)
{
    const char *ttl = flag_value(submit, "ttl");
    int64_t seconds = 0;

    if (ttl == NULL) {
        return 0;
    }
    if (duration_parse(ttl, &seconds, err) != 0 || seconds < 60 ||
        seconds * 1000 > SESSION_LIFE) {
        return err_exit(err, EXIT_USAGE,
                        "--ttl %.40s: a session lasts 1m at least and 8h at "
                        "most",
                        ttl);
    }
    submit->session_life = seconds * 1000;
    return 0;
}

int cmd_login(struct submit *submit, struct err *err)
{
    struct session_answer answer = {0};

    submit->code_file = flag_value(submit, "code-file");
    submit->may_set_up = true;
    if (read_life(submit, err) != 0) {
        return -1;
    }
    if (asking_unlock(submit, flag_value(submit, "password-file"), err) != 0 ||
        asking_open_session(submit, &answer, err) != 0) {
        return -1;
    }
    greet(&answer);
    table_done(&session_answer_table, &answer);
    return 0;
}

/* Whatever the authorizer says to it, this machine knows neither any more. */
static void forget(const struct profile *profile)
{
    _cleanup_free_ char *name = profile_keyring_name(profile);

    session_forget(profile);
    keyring_forget(name);
}

int cmd_logout(struct submit *submit, struct err *err)
{
    int none = session_load(submit->profile, &submit->session, err);

    if (none < 0) {
        return -1;
    }
    if (none > 0) {
        forget(submit->profile);
        say("Not signed in.");
        return 0;
    }
    struct session_close close = {.session = submit->session->by};
    int done = submit_ask(submit,
                          &(struct question){.as = ASK_SESSION,
                                             .kind = EVENT_SESSION_CLOSE,
                                             .payload = &close},
                          err);
    forget(submit->profile);
    if (done != 0) {
        return err_wrap(err, "signed out here, but the session itself goes on "
                             "until its end");
    }
    say("Signed out.");
    return 0;
}

static char *kind_of_asker(const void *row)
{
    const struct session_answer *answer = row;

    return must_strdup(answer->service ? "service" : "person");
}

static const struct column whoami_columns[] = {
    {"email", COLUMN_TEXT, .at = offsetof(struct session_answer, email)},
    {"role", COLUMN_WORD, .at = offsetof(struct session_answer, role),
     .words = &role_words},
    {"state", COLUMN_WORD, .at = offsetof(struct session_answer, state),
     .words = &user_state_words},
    {"kind", COLUMN_MADE, .make = kind_of_asker},
    {"mfa", COLUMN_WORD, .at = offsetof(struct session_answer, mfa),
     .words = &mfa_state_words},
    {"until", COLUMN_TIME, .at = offsetof(struct session_answer, until)},
};

int cmd_whoami(struct submit *submit, struct err *err)
{
    static const struct noun noun = {.table = &session_answer_table,
                                     .columns = whoami_columns,
                                     .n = ARRAY_SIZE(whoami_columns)};
    struct plain_request plain = {0};
    struct session_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_SESSION_SHOW,
                                      .payload = &plain,
                                      .answer = &session_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_row(&submit->print, &noun, &answer, err);
    table_done(&session_answer_table, &answer);
    return done;
}
