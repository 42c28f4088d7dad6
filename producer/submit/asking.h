/*
 * asking.h: what submit_ask() stands on: the connection, the session, the own
 * key. For the verbs that deal with them directly: verify, login, logout, init.
 */
#pragma once

#include "producer/submit/submit.h"

struct session_key {
    struct key_pair *keys;
    struct envelope envelope; /* session.open */
    struct hash by;           /* its hash */
    int64_t until;
};

/* The connection, made where there is none: to the profile's broker. */
int asking_connect(struct submit *submit, struct err *err);

/* Releases all of it, and remembers what was seen. */
void asking_done(struct submit *submit);

/* The own password: from `file`, the profile's password file, or by asking;
 * `instead` is what to do where nobody can be asked. For secret_free(). */
char *asking_password(const struct submit *submit, const char *file,
                      const char *instead, struct err *err);

/* submit->own: unlocked from the keyring, by the password file (`file`, or the
 * profile's), or by asking. */
int asking_unlock(struct submit *submit, const char *file, struct err *err);

/* submit->session: the one that is stored, if it is in force; else a new one,
 * for which the own key is unlocked. */
int asking_session(struct submit *submit, struct err *err);

/* Opens a new one, whatever there is, and stores it; with a code of the second
 * factor where one is on, and setting one up where that is wanted and the verb
 * may (submit->may_set_up). In opening.c. */
int asking_open_session(struct submit *submit,
                        struct session_answer *ret_answer, struct err *err);
