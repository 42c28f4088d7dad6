/*
 * factors.c: see factors.h; and mfa.set.
 *
 * A person's row is locked before it is looked at, and changed only if it is
 * still what was looked at: of many requests with one code, in one batch or
 * before two authorizers, one finds it unused. What a refusal changes (a
 * failure counted) is committed with the refusal.
 */
#include "consumer/authorizer/factors.h"

#include <sodium.h>
#include <string.h>

#include "base/codec.h"
#include "consumer/authorizer/factor.h"
#include "consumer/authorizer/factor_key.h"
#include "consumer/authorizer/handlers.h"
#include "model/session.h"
#include "trust/sealed.h"

#define CODE_MAX 63

struct factor {
    struct factor_state state;
    bool on;
    struct hash hash; /* of the mfa.set that holds */
    struct key32 session;
    int64_t set;
    unsigned char secret[TOTP_SECRET];
};

static void factor_wipe(struct factor *factor)
{
    sodium_memzero(factor, sizeof(*factor));
}
#define _cleanup_factor_ _cleanup_(factor_wipe)

int factor_state_of(const struct person *person, const char *word)
{
    int state = word_value(&mfa_state_words, word);

    if (person->service) {
        return MFA_EXEMPT;
    }
    return state == MFA_EXEMPT || (state == MFA_OFF && person->mfa) ? MFA_WANTED
                                                                    : state;
}

static int read_factor(struct asking *asking, struct factor *factor,
                       struct err *err)
{
    const struct id *user = &asking->signer.person.user;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT hash, secret, session_key, step, failures, failed_at, "
           "set_at FROM factors WHERE user_id = $1 FOR UPDATE",
           &rows, err, P_ID(user)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0 || row_is_null(rows, 0, "secret")) {
        return 0;
    }
    *factor = (struct factor){
        .state = {.step = row_int(rows, 0, "step"),
                  .failures = row_int(rows, 0, "failures"),
                  .failed = row_time(rows, 0, "failed_at")},
        .on = true,
        .hash = row_hash(rows, 0, "hash"),
        .set = row_time(rows, 0, "set_at"),
    };
    _cleanup_buf_ struct buf session = row_bytes(rows, 0, "session_key");
    _cleanup_buf_ struct buf sealed = row_bytes(rows, 0, "secret");
    if (session.len == sizeof(factor->session.b)) {
        memcpy(factor->session.b, session.data, sizeof(factor->session.b));
    }
    return factor_decrypt(asking->factor_key, user, &sealed, factor->secret,
                          err) == 0
               ? 0
               : asking_refuse(asking, REPLY_DENIED, "%s", err->text);
}

/* Compare and set: what was decided on must still be there. */
static int write_state(struct asking *asking, const struct factor *factor,
                       const struct factor_state *now, struct err *err)
{
    const struct factor_state *was = &factor->state;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "UPDATE factors SET step = $4, failures = $5, failed_at = $6, "
           "session_key = NULL WHERE user_id = $1 AND step = $2 "
           "AND failures = $3",
           &rows, err, P_ID(&asking->signer.person.user), P_INT(was->step),
           P_INT(was->failures), P_INT(now->step), P_INT(now->failures),
           P_TIME(now->failed)) != 0) {
        return -1;
    }
    return rows_n(rows) == 1
               ? 0
               : err_set(err, ERR_RETRY,
                         "the second factor's row was changed meanwhile");
}

/* Boxes */

static const struct sealed_to *own_box(const struct asking *asking,
                                       const struct list *boxes)
{
    struct hash own = key_id(&asking->daemon->keys->box);

    for (size_t i = 0; i < boxes->n; i++) {
        const struct sealed_to *box = &list_at(boxes, struct sealed_to, i);
        if (hash_equal(&box->recipient, &own)) {
            return box;
        }
    }
    return NULL;
}

/* The key that the boxes name: a session's own, for what opens it. */
static struct hash signer(const struct asking *asking)
{
    const struct session_open *open = asking->request->payload;

    return key_id(asking->request->kind == EVENT_SESSION_OPEN
                      ? &open->key
                      : &asking->signer.person.key);
}

/* What is sealed to this authorizer, if it is for this very request. */
static int open_box(struct asking *asking, const struct list *boxes,
                    const char *purpose, struct buf *ret_value, struct err *err)
{
    const struct head *head = asking->request->payload;
    const struct sealed_to *box = own_box(asking, boxes);
    char user[ID_TEXT];

    if (box == NULL) {
        return asking_refuse(asking, REPLY_CODE, "%s",
                             boxes->n == 0
                                 ? "a code of your second factor is needed: "
                                   "submit login"
                                 : "the code is not sealed for the authorizer "
                                   "that decides: ask again");
    }
    id_format(&asking->signer.person.user, user);
    struct sealed pattern = {.root = head->root,
                             .purpose = (char *)purpose,
                             .signer = signer(asking),
                             .request = head->id,
                             .name = user};
    if (sealed_open(asking->daemon->keys, &box->box, &pattern, ret_value,
                    err) != 0) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s: %s", purpose,
                                   err->text)
                   : -1;
    }
    return 0;
}

/* As text; nothing that long is a code. */
static int open_code(struct asking *asking, const struct list *boxes,
                     const char *purpose, char code[static CODE_MAX + 1],
                     struct err *err)
{
    _cleanup_sealed_ struct buf value = {0};
    int done = open_box(asking, boxes, purpose, &value, err);

    if (done == 0 && value.len <= CODE_MAX) {
        memcpy(code, value.data, value.len);
        code[value.len] = '\0';
    }
    return done;
}

/* Judging */

static int refuse_failed(struct asking *asking, enum factor_verdict verdict,
                         const struct factor_state *state)
{
    int64_t wait = factor_wait(state, asking->now);

    if (factor_admit(state, asking->now) == FACTOR_LOCKED) {
        return asking_refuse(asking, REPLY_DENIED,
                             "too many codes were wrong: the second factor is "
                             "locked until an administrator resets it (submit "
                             "user reset %s --mfa)",
                             asking->signer.person.email);
    }
    if (wait > 0) {
        return asking_refuse(asking, REPLY_DENIED, "%sagain in %lld s",
                             verdict == FACTOR_WRONG
                                 ? "the code is not good: "
                                 : "too many codes were wrong: ",
                             (long long)wait);
    }
    return asking_refuse(asking, REPLY_CODE, "%s",
                         verdict == FACTOR_USED
                             ? "this code was used already: wait for the next"
                             : "the code is not good");
}

/* A recovery code is good once. */
static int judge_recovery(struct asking *asking, const struct factor *factor,
                          const char *code, int *ret_verdict, struct err *err)
{
    unsigned char bytes[RECOVERY_CODE];
    _cleanup_rows_ struct rows *rows = NULL;
    struct err mistyped;

    if (code_decode(code, bytes, sizeof(bytes), &mistyped) != 0) {
        *ret_verdict = FACTOR_WRONG;
        return 0;
    }
    struct hash hash = recovery_hash(&asking->signer.person.user, bytes);
    sodium_memzero(bytes, sizeof(bytes));
    if (PG(asking->daemon->postgres,
           "WITH taken AS (UPDATE recovery_codes SET used_at = $3 WHERE "
           "set_hash = $1 AND hash = $2 AND used_at IS NULL RETURNING 1) "
           "SELECT EXISTS (SELECT FROM taken) AS good, EXISTS (SELECT FROM "
           "recovery_codes WHERE set_hash = $1 AND hash = $2) AS known",
           &rows, err, P_HASH(&factor->hash), P_HASH(&hash),
           P_TIME(asking->now)) != 0) {
        return -1;
    }
    *ret_verdict = row_bool(rows, 0, "good")    ? FACTOR_GOOD
                   : row_bool(rows, 0, "known") ? FACTOR_USED
                                                : FACTOR_WRONG;
    return 0;
}

static int judge(struct asking *asking, const struct factor *factor,
                 const char *code, struct err *err)
{
    struct factor_state state = factor->state;
    int64_t step = 0;
    int verdict = FACTOR_NONE;

    if (strlen(code) != TOTP_DIGITS) {
        if (judge_recovery(asking, factor, code, &verdict, err) != 0) {
            return -1;
        }
    } else {
        verdict =
            (int)factor_judge(factor->secret, code, asking->now, &state, &step);
    }
    factor_note(&state, (enum factor_verdict)verdict, step, asking->now);
    if (write_state(asking, factor, &state, err) != 0) {
        return -1;
    }
    return verdict == FACTOR_GOOD
               ? 0
               : refuse_failed(asking, (enum factor_verdict)verdict, &state);
}

/* A code that must be good now, in these boxes. */
static int check_code(struct asking *asking, const struct factor *factor,
                      const struct list *boxes, struct err *err)
{
    char code[CODE_MAX + 1] = "";

    if (factor_admit(&factor->state, asking->now) != FACTOR_GOOD) {
        return refuse_failed(asking, FACTOR_WAIT, &factor->state);
    }
    int done = open_code(asking, boxes, PURPOSE_CODE, code, err)
                   ?: judge(asking, factor, code, err);
    sodium_memzero(code, sizeof(code));
    return done;
}

static int refuse_unset(struct asking *asking)
{
    return asking_refuse(asking, REPLY_SET_UP,
                         "a second factor must be set up first: submit login, "
                         "on a terminal");
}

static bool leads_to_session(enum event_kind kind)
{
    return kind == EVENT_SESSION_OPEN || kind == EVENT_SESSION_SHOW ||
           kind == EVENT_MFA_SET;
}

int factor_check_own(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (asking->signer.kind != SIGNER_OWN ||
        (asking->mfa != MFA_ON && asking->mfa != MFA_WANTED) ||
        leads_to_session(asking->request->kind)) {
        return 0;
    }
    if (PG(asking->daemon->postgres,
           "SELECT 1 AS one FROM sessions WHERE user_id = $1 AND until > $2 "
           "AND opened_at > $3 AND closed_at IS NULL LIMIT 1",
           &rows, err, P_ID(&asking->signer.person.user), P_TIME(asking->now),
           P_TIME(asking->now - SESSION_LIFE - CLOCK_SKEW)) != 0) {
        return -1;
    }
    return rows_n(rows) == 1 ? 0
           : asking->mfa == MFA_WANTED
               ? refuse_unset(asking)
               : asking_refuse(asking, REPLY_CODE,
                               "sign in with your second factor first: submit "
                               "login");
}

/* mfa.set's own code opens this session, too, if it is at once. */
static bool is_first_session(const struct asking *asking,
                             const struct factor *factor,
                             const struct session_open *open)
{
    static const struct key32 none;

    return memcmp(factor->session.b, none.b, sizeof(none.b)) != 0 &&
           memcmp(factor->session.b, open->key.b, sizeof(open->key.b)) == 0 &&
           asking->now < factor->set + REQUEST_LIFE;
}

int factor_check_open(struct asking *asking, struct err *err)
{
    const struct session_open *open = asking->request->payload;
    _cleanup_factor_ struct factor factor = {0};

    if (asking->mfa == MFA_OFF || asking->mfa == MFA_EXEMPT) {
        return 0;
    }
    int done = read_factor(asking, &factor, err);
    if (done != 0) {
        return done;
    }
    if (!factor.on) {
        return refuse_unset(asking);
    }
    return is_first_session(asking, &factor, open)
               ? write_state(asking, &factor, &factor.state, err)
               : check_code(asking, &factor, &open->code, err);
}

/* mfa.set */

static int check_set(struct asking *asking, const struct mfa_set *set)
{
    if (asking->mfa == MFA_EXEMPT) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a machine identity has no second factor");
    }
    if (set->recovery.n != RECOVERY_CODES) {
        return asking_refuse(asking, REPLY_INVALID,
                             "%zu recovery codes instead of %d",
                             set->recovery.n, RECOVERY_CODES);
    }
    for (size_t i = 0; i < set->recovery.n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (hash_equal(&list_at(&set->recovery, struct hash, i),
                           &list_at(&set->recovery, struct hash, j))) {
                return asking_refuse(asking, REPLY_INVALID,
                                     "a recovery code is there twice");
            }
        }
    }
    return 0;
}

/* The new secret, with a code that shows that the person has it, too. */
static int open_new(struct asking *asking, const struct mfa_set *set,
                    struct factor *new, struct err *err)
{
    _cleanup_sealed_ struct buf secret = {0};
    char code[CODE_MAX + 1] = "";
    int done = open_box(asking, &set->secret, PURPOSE_SECRET, &secret, err)
                   ?: open_code(asking, &set->code, PURPOSE_FIRST, code, err);

    if (done != 0) {
        return done;
    }
    if (secret.len != TOTP_SECRET) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a secret has %d bytes, this one %zu", TOTP_SECRET,
                             secret.len);
    }
    memcpy(new->secret, secret.data, TOTP_SECRET);
    enum factor_verdict verdict = factor_judge(new->secret, code, asking->now,
                                               &new->state, &new->state.step);
    sodium_memzero(code, sizeof(code));
    return verdict == FACTOR_GOOD
               ? 0
               : asking_refuse(asking, REPLY_CODE,
                               "the first code is not good: look at the clock "
                               "of the device that shows it");
}

/* Who has a factor shows a code of it, or a recovery code, to get another. */
static int check_current(struct asking *asking, const struct mfa_set *set,
                         struct err *err)
{
    _cleanup_factor_ struct factor old = {0};

    return read_factor(asking, &old, err)
               ?: (old.on ? check_code(asking, &old, &set->current, err) : 0);
}

static int store_factor(struct asking *asking, const struct factor *new,
                        struct err *err)
{
    const struct mfa_set *set = asking->request->payload;
    const struct id *user = &asking->signer.person.user;
    unsigned char sealed[FACTOR_SEALED];
    static const struct key32 none;
    bool session = memcmp(set->session.b, none.b, sizeof(none.b)) != 0;

    factor_encrypt(asking->factor_key, user, new->secret, sealed);
    return PG(asking->daemon->postgres,
              "INSERT INTO factors (user_id, hash, secret, secret_key_id, "
              "session_key, step, failures, set_at) "
              "VALUES ($1, $2, $3, $4, $5, $6, 0, $7) "
              "ON CONFLICT (user_id) DO UPDATE SET hash = $2, secret = $3, "
              "secret_key_id = $4, session_key = $5, step = $6, failures = 0, "
              "failed_at = NULL, set_at = $7, reset_at = NULL",
              NULL, err, P_ID(user), P_HASH(&asking->request->hash),
              P_BYTES(sealed, sizeof(sealed)), P_HASH(&asking->factor_key->id),
              session ? P_KEY(&set->session) : P_NULL, P_INT(new->state.step),
              P_TIME(asking->decision.at));
}

static int store_recovery(struct asking *asking, struct err *err)
{
    const struct mfa_set *set = asking->request->payload;

    for (size_t i = 0; i < set->recovery.n; i++) {
        if (PG(asking->daemon->postgres,
               "INSERT INTO recovery_codes (set_hash, hash) VALUES ($1, $2)",
               NULL, err, P_HASH(&asking->request->hash),
               P_HASH(&list_at(&set->recovery, struct hash, i))) != 0) {
            return -1;
        }
    }
    return 0;
}

int on_mfa_set(struct asking *asking, struct err *err)
{
    const struct mfa_set *set = asking->request->payload;
    _cleanup_factor_ struct factor new = {0};

    return check_set(asking, set)
               ?: open_new(asking, set, &new, err)
               ?: check_current(asking, set, err)
               ?: asking_made(asking, &asking->request->hash,
                              &asking->signer.person.user, 0, err)
               ?: asking_store(asking, err)
               ?: store_factor(asking, &new, err)
               ?: store_recovery(asking, err);
}
