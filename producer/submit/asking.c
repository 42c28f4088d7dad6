/*
 * asking.c: see asking.h and submit_ask() in submit.h: connection, session, own
 * key, each made when it is first needed.
 */
#include "producer/submit/asking.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "model/assignment.h"
#include "model/log_entry.h"
#include "model/target.h"
#include "producer/submit/heard.h"
#include "producer/submit/keyring.h"
#include "producer/submit/session_file.h"
#include "trust/known.h"

#define TRIES 3
#define AGAIN 200 /* ms, doubled: until a revoked authorizer has ended */
#define PLACES 8  /* of the revocation log, until others leave one to us */

static void on_late(void *arg, const char *what)
{
    (void)arg;
    say("waiting for %s", what);
}

/* Nothing is refused because of it: who asks can't mend it, but must know. */
static void on_strange(const struct checkpoint *seen,
                       const struct checkpoint *now)
{
    static const char help[] =
        "have an administrator run `submit audit verify`";
    long long partition = (long long)seen->partition;

    if (now->rows < seen->rows) {
        say("submit: the audit log went back: its partition %lld had %lld rows "
            "at an answer before, now %lld. Rows were removed, or the database "
            "was set back: %s",
            partition, (long long)seen->rows, (long long)now->rows, help);
    } else {
        say("submit: the audit log was written anew: row %lld of its partition "
            "%lld is not the one that it was at an answer before: %s",
            (long long)seen->rows, partition, help);
    }
}

/* A file that a power cut broke is learnt anew. */
static void recall_checkpoints(const struct submit *submit)
{
    struct checkpoints seen;
    struct err err = {0};

    if (profile_checkpoints_read(submit->profile, &seen, &err) != 0) {
        say("submit: %s: what the audit log was is not known any more",
            err.text);
        return;
    }
    *rpc_checkpoints(submit->rpc) = seen;
}

/* Another submit may have seen more meanwhile. */
static void remember_checkpoints(const struct submit *submit)
{
    const struct list *news = &rpc_checkpoints(submit->rpc)->list;
    struct checkpoints seen;
    struct err err = {0};

    if (news->n == 0) {
        return;
    }
    if (profile_checkpoints_read(submit->profile, &seen, &err) != 0) {
        err_clear(&err);
    }
    for (size_t i = 0; i < news->n; i++) {
        (void)checkpoints_take(&seen, &list_at(news, struct checkpoint, i));
    }
    if (profile_checkpoints_write(submit->profile, &seen, &err) != 0) {
        say("submit: %s", err.text);
    }
    table_done(&checkpoints_table, &seen);
}

int asking_connect(struct submit *submit, struct err *err)
{
    if (submit->rpc != NULL) {
        return heard_open(submit, err);
    }
    submit->rpc =
        rpc_new(&submit->profile->kafka, &submit->profile->roots, err);
    if (submit->rpc == NULL) {
        return -1;
    }
    recall_checkpoints(submit);
    rpc_on_strange(submit->rpc, on_strange);
    rpc_on_late(submit->rpc, on_late, NULL);
    return heard_open(submit, err);
}

void asking_done(struct submit *submit)
{
    if (submit->rpc != NULL && submit->profile != NULL) {
        remember_checkpoints(submit);
    }
    rpc_free(submit->rpc);
    known_free(submit->known);
    session_free(submit->session);
    key_pair_free(submit->own);
    submit->rpc = NULL;
    submit->known = NULL;
    submit->session = NULL;
    submit->own = NULL;
}

struct rpc *submit_rpc(struct submit *submit)
{
    return submit->rpc;
}

/* The own key */

static bool is_own(const struct profile *profile, const struct key_pair *keys)
{
    return memcmp(keys->key.b, profile->key.b, sizeof(keys->key.b)) == 0;
}

char *asking_password(const struct submit *submit, const char *file,
                      const char *instead, struct err *err)
{
    const char *own = profile_password_file(submit->profile);
    _cleanup_free_ char *path = file != NULL ? must_strdup(file)
                                : own != NULL
                                    ? profile_path(submit->profile, own)
                                    : NULL;

    if (path != NULL) {
        return secret_from_file(path, err);
    }
    _cleanup_free_ char *question =
        must_printf("Password of %s", submit->profile->email);
    return prompt_secret(question, instead, err);
}

static char *read_password(const struct submit *submit, const char *file,
                           struct err *err)
{
    return asking_password(submit, file,
                           "sign in on a terminal (submit login), or set "
                           "password_file in [profile] of the profile's config",
                           err);
}

/* Which file it opens is of no use to who typed it. */
static int mistyped(struct err *err)
{
    (void)err_exit(err, EXIT_NOT_ALLOWED, "wrong password");
    return 1;
}

/* Once: 0, 1 (wrong password that somebody typed), -1. */
static int unlock_once(struct submit *submit, const char *file, struct err *err)
{
    _cleanup_free_ char *path = profile_path(submit->profile, "key.json");
    bool service = submit->profile->service;
    bool typed = !service && file == NULL &&
                 profile_password_file(submit->profile) == NULL;
    _cleanup_secret_ char *password =
        service ? NULL : read_password(submit, file, err);
    _cleanup_key_pair_ struct key_pair *keys = NULL;

    if (password == NULL && !service) {
        return -1;
    }
    if (key_file_read(path, password, &keys, err) != 0) {
        return typed && err->status == EXIT_NOT_ALLOWED ? mistyped(err) : -1;
    }
    if (!is_own(submit->profile, keys)) {
        return err_exit(err, EXIT_CONFIG,
                        "%s: not the key that enrolment.json names", path);
    }
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);
    if (!keyring_put(name, keys) && typed) {
        say("the kernel's keyring can't be used here: the password is asked "
            "for each time");
    }
    submit->own = take_ptr(keys);
    return 0;
}

int asking_unlock(struct submit *submit, const char *file, struct err *err)
{
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);
    _cleanup_key_pair_ struct key_pair *kept = NULL;

    if (submit->own != NULL) {
        return 0;
    }
    kept = file == NULL ? keyring_get(name) : NULL;
    if (kept != NULL && is_own(submit->profile, kept)) {
        submit->own = take_ptr(kept);
        return 0;
    }
    for (int i = 0; i < TRIES; i++) {
        int done = unlock_once(submit, file, err);
        if (done <= 0) {
            return done;
        }
        if (i < TRIES - 1) {
            say("wrong password");
        }
    }
    return -1;
}

/* The session */

int asking_session(struct submit *submit, struct err *err)
{
    struct session_answer answer = {0};

    if (submit->session != NULL) {
        return 0;
    }
    int done = session_load(submit->profile, &submit->session, err);
    if (done <= 0) {
        return done;
    }
    done = asking_open_session(submit, &answer, err);
    table_done(&session_answer_table, &answer);
    return done;
}

/* Asking */

/* An entry of the revocation log follows the newest that was heard of. */
static void place_entry(const struct submit *submit,
                        const struct question *question)
{
    if (standing_is_entry(question->kind)) {
        struct log_entry *entry = question->payload;
        rpc_seen(submit->rpc, &entry->seq, &entry->prev);
        entry->seq++;
    } else if (question->kind == EVENT_ASSIGNMENT_ADD) {
        struct assignment_add *add = question->payload;
        struct hash head;
        rpc_seen(submit->rpc, &add->seq, &head);
    } else if (question->kind == EVENT_SCHEDULE_SET) {
        struct schedule_set *set = question->payload;
        struct hash head;
        rpc_seen(submit->rpc, &set->seq, &head);
    }
}

/* One that is there as it is asked for already needs none. */
static bool adds_target(const struct question *question)
{
    const struct target_set *set = question->payload;

    return question->kind == EVENT_TARGET_SET && hash_is_zero(&set->previous);
}

/* What counts is the log, not who told of it: an entry that is there was made,
 * also where the authorizer that made it ended itself by it; one that is not
 * was not, whatever the answer says. */
static int check_heard(struct submit *submit, const struct question *question,
                       const struct hash *asked, struct err *err)
{
    const struct log_entry *entry = question->payload;
    bool made = standing_is_entry(question->kind) && !adds_target(question);
    int done = heard_read_up(submit, made, err);

    if (!made) {
        return done;
    }
    int held = heard_entry(submit, entry->seq, asked);
    if (held > 0) {
        err_clear(err);
        return 0;
    }
    if (done != 0) {
        return -1;
    }
    return held == 0
               ? err_exit(err, EXIT_NOT_ALLOWED,
                          "this was answered as done, and the revocation log "
                          "does not show it: who answered can't be believed")
               : err_exit(err, EXIT_NO_ANSWER,
                          "this was answered as done, but the revocation log "
                          "can't be read now to see it");
}

/* An authorizer that was revoked this moment may still have answered: the same
 * bytes once more, for one that was not. */
static int ask_believed(struct submit *submit, const struct question *question,
                        const struct rpc_call *call, struct err *err)
{
    for (int i = 0;; i++) {
        if (rpc_ask(submit->rpc, call, question->answer, question->ret_answer,
                    err) != 0) {
            return -1;
        }
        if (check_heard(submit, question, call->ret_hash, err) == 0) {
            return 0;
        }
        if (question->answer != NULL && question->ret_answer != NULL) {
            table_done(question->answer, question->ret_answer);
        }
        if (i == TRIES || !heard_revoked(submit, rpc_speaks(submit->rpc))) {
            return -1;
        }
        err_clear(err);
        heard_forget_told(submit);
        (void)poll(NULL, 0, AGAIN << i);
    }
}

static int ask_once(struct submit *submit, const struct question *question,
                    struct err *err)
{
    bool own = question->as == ASK_OWN;
    struct head *head = question->payload;
    struct hash asked = {0};

    if ((own ? asking_unlock(submit, NULL, err)
             : asking_session(submit, err)) ||
        asking_connect(submit, err) != 0) {
        return -1;
    }
    head->root = submit->profile->root;
    head->by = own ? submit->profile->by : submit->session->by;
    place_entry(submit, question);
    struct rpc_call call = {.kind = question->kind,
                            .payload = question->payload,
                            .first = own ? submit->own : submit->session->keys,
                            .second = question->second,
                            .before = question->before,
                            .arg = question->arg,
                            .ret_hash = &asked};
    if (ask_believed(submit, question, &call, err) != 0) {
        return -1;
    }
    if (question->ret_hash != NULL) {
        *question->ret_hash = asked;
    }
    return 0;
}

/* An entry for which another came first is signed again, in its new place. */
static int ask_in_place(struct submit *submit, const struct question *question,
                        struct err *err)
{
    struct head *head = question->payload;
    int done = ask_once(submit, question, err);

    for (int i = 1; done != 0 && i < PLACES && submit->rpc != NULL &&
                    rpc_status(submit->rpc) == REPLY_BEHIND;
         i++) {
        head->id = id_new(clock_now());
        done = question->anew != NULL &&
                       question->anew(submit, question->arg, err) != 0
                   ? -1
                   : ask_once(submit, question, err);
    }
    return done;
}

/* An own key alone is not enough where its person has a second factor: a
 * session has to be open, too, which took a code. What leads to one is asked
 * without. */
static bool wants_session(const struct question *question)
{
    return question->as == ASK_OWN && question->kind != EVENT_SESSION_SHOW &&
           question->kind != EVENT_USER_SHOW && question->kind != EVENT_MFA_SET;
}

/* The one that is stored had ended before its time. What is made for one id
 * can't be asked under another. */
static int ask_signed_in(struct submit *submit, const struct question *question,
                         bool fixed, struct err *err)
{
    struct head *head = question->payload;
    struct session_answer answer = {0};

    if (submit->rpc == NULL || rpc_status(submit->rpc) != REPLY_CODE) {
        return -1;
    }
    session_forget(submit->profile);
    if (asking_open_session(submit, &answer, err) != 0) {
        return -1;
    }
    table_done(&session_answer_table, &answer);
    if (fixed) {
        return err_exit(err, EXIT_NOT_ALLOWED,
                        "your session had ended; you are signed in again: "
                        "give the command once more");
    }
    head->id = (struct id){0}; /* the one before is decided */
    return ask_once(submit, question, err);
}

int submit_ask(struct submit *submit, const struct question *question,
               struct err *err)
{
    struct head *head = question->payload;
    struct session_answer answer = {0};
    bool stored = submit->session == NULL;
    bool fixed = !id_is_zero(&head->id);

    if (wants_session(question) && asking_session(submit, err) != 0) {
        return -1;
    }
    if (ask_in_place(submit, question, err) == 0) {
        return 0;
    }
    if (wants_session(question)) {
        return ask_signed_in(submit, question, fixed, err);
    }
    if (question->as != ASK_SESSION || err->status != EXIT_NOT_ALLOWED ||
        !stored || submit->session == NULL || submit->rpc == NULL ||
        !rpc_sign_in(submit->rpc)) {
        return -1;
    }
    session_forget(submit->profile);
    if (asking_open_session(submit, &answer, err) != 0) {
        return -1;
    }
    table_done(&session_answer_table, &answer);
    head->id = id_new(clock_now()); /* the one before is decided */
    return ask_once(submit, question, err);
}
