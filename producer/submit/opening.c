/*
 * opening.c: asking_open_session(), see asking.h: a session, with a code of the
 * second factor where the authorizer wants one.
 *
 * The first try goes without a code, unless one was given beforehand: whether
 * one is needed is learnt from the refusal.
 */
#include <string.h>

#include "base/clock.h"
#include "producer/submit/naming.h"
#include "producer/submit/second_factor.h"
#include "producer/submit/session_file.h"

#define TRIES 3

struct opening {
    struct submit *submit;
    struct session_key *session;
    struct deciders deciders;
    bool learnt;
    bool renamed;
    char *code; /* NULL: none yet */
    struct session_answer answer;
};

static void opening_done(struct opening *opening)
{
    deciders_done(&opening->deciders);
    secret_free(opening->code);
    session_free(opening->session);
    table_done(&session_answer_table, &opening->answer);
}

static int seal_code(const struct opening *opening, struct session_open *open,
                     struct err *err)
{
    struct sealed content = {
        .purpose = (char *)PURPOSE_CODE,
        .signer = key_id(&open->key),
        .request = open->request.head.id,
        .value = {.data = (void *)opening->code, .len = strlen(opening->code)}};

    return deciders_seal(&opening->deciders, opening->submit->profile, &content,
                         &open->code, err);
}

static int ask(struct opening *opening, struct session_open *open,
               struct err *err)
{
    struct session_key *session = opening->session;
    struct rpc_call call = {.kind = EVENT_SESSION_OPEN,
                            .payload = open,
                            .first = opening->submit->own,
                            .second = session->keys,
                            .ret_hash = &session->by};

    if ((opening->code != NULL && seal_code(opening, open, err) != 0) ||
        rpc_ask(opening->submit->rpc, &call, &session_answer_table,
                &opening->answer, err) != 0) {
        return -1;
    }
    session->until = opening->answer.until;
    /* The same bytes once more: Ed25519 signs the same way each time. */
    return event_sign(EVENT_SESSION_OPEN, open, opening->submit->own,
                      session->keys, &session->envelope, err);
}

static int try_open(struct opening *opening, struct err *err)
{
    const struct profile *profile = opening->submit->profile;
    int64_t life = opening->submit->session_life;
    int64_t now = clock_now();
    struct session_open open = {
        .request.head = head_new(&profile->root, &profile->by, now),
        .key = opening->session->keys->key,
        .box = opening->session->keys->box,
        .until = now + (life == 0 ? SESSION_LIFE : life),
    };
    int done = ask(opening, &open, err);

    sealed_to_done(&open.code);
    return done;
}

/* A code, from the file that was named or from the person; and to whom it is
 * sealed. */
static int get_code(struct opening *opening, struct err *err)
{
    const char *file = opening->submit->code_file;

    if (!opening->learnt &&
        deciders_learn(opening->submit, &opening->deciders, err) != 0) {
        return -1;
    }
    opening->learnt = true;
    secret_free(opening->code);
    opening->code = code_ask("Code of your second factor", file, err);
    return opening->code == NULL ? -1 : 0;
}

/* 0: try again; -1. */
static int remedy(struct opening *opening, int status, struct err *err)
{
    struct submit *submit = opening->submit;

    if (status == REPLY_DENIED && !opening->renamed) {
        /* Whose role was changed learns by which envelope they are known now.
         */
        struct err ignored = {0};
        opening->renamed = true;
        return naming_refresh(submit, &ignored) == 0 ? 0 : -1;
    }
    if (status == REPLY_SET_UP && submit->may_set_up) {
        submit->may_set_up = false;
        return second_factor_set_up(submit, &opening->session->keys->key, err);
    }
    if (status != REPLY_CODE ||
        (opening->code != NULL && submit->code_file != NULL)) {
        return -1;
    }
    if (opening->code != NULL) {
        say("submit: %s", err->text);
    }
    return get_code(opening, err);
}

static int open_session(struct opening *opening, struct err *err)
{
    struct submit *submit = opening->submit;

    if (submit->code_file != NULL && get_code(opening, err) != 0) {
        return -1;
    }
    for (int i = 0; try_open(opening, err) != 0; i++) {
        if (i == TRIES || remedy(opening, rpc_status(submit->rpc), err) != 0) {
            return -1;
        }
    }
    return session_store(submit->profile, opening->session, err);
}

int asking_open_session(struct submit *submit,
                        struct session_answer *ret_answer, struct err *err)
{
    struct opening opening = {.submit = submit};

    if (asking_unlock(submit, NULL, err) != 0 ||
        asking_connect(submit, err) != 0) {
        return -1;
    }
    opening.session = must_calloc(1, sizeof(*opening.session));
    opening.session->keys = key_pair_new();
    int done = open_session(&opening, err);
    if (done == 0) {
        session_free(submit->session);
        submit->session = take_ptr(opening.session);
        *ret_answer = opening.answer;
        opening.answer = (struct session_answer){0};
    }
    opening_done(&opening);
    return done;
}
