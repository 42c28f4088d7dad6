/*
 * source.c: see source.h.
 *
 * Envelopes never change, so a cache by hash can't be wrong; but a user.confirm
 * may come after its user.verify. So the verify of an administrator is kept
 * only together with its confirmation.
 */
#include "consumer/authorizer/source.h"

#include <string.h>
#include <uthash.h>

#define KEPT_MAX 4096
#define KEPT_BYTES_MAX (64UL << 20)

struct kept {
    struct hash hash;
    struct envelope envelope;
    struct envelope confirm; /* of a user.verify; type NULL: none */
    UT_hash_handle hh;
};

struct source {
    struct postgres *postgres;
    struct kept *kept; /* the least recently used first */
    size_t bytes;
};

struct source *source_new(struct postgres *postgres)
{
    struct source *source = must_calloc(1, sizeof(*source));

    source->postgres = postgres;
    return source;
}

static size_t size_of(const struct kept *kept)
{
    return sizeof(*kept) + kept->envelope.payload.len +
           kept->confirm.payload.len;
}

static void kept_free(struct kept *kept)
{
    if (kept != NULL) {
        envelope_done(&kept->envelope);
        envelope_done(&kept->confirm);
        free(kept);
    }
}

static void kept_release(struct kept **kept)
{
    kept_free(*kept);
}

static void drop(struct source *source, struct kept *kept)
{
    HASH_DEL(source->kept, kept);
    source->bytes -= size_of(kept);
    kept_free(kept);
}

void source_forget(struct source *source)
{
    while (source->kept != NULL) {
        drop(source, source->kept);
    }
}

void source_free(struct source *source)
{
    if (source != NULL) {
        source_forget(source);
        free(source);
    }
}

static void keep(struct source *source, struct kept *kept)
{
    HASH_ADD(hh, source->kept, hash, sizeof(kept->hash), kept);
    source->bytes += size_of(kept);
    while (HASH_COUNT(source->kept) > KEPT_MAX ||
           source->bytes > KEPT_BYTES_MAX) {
        drop(source, source->kept);
    }
}

/* The envelope in a column of the first row; a null leaves it empty. */
static int read_envelope(const struct rows *rows, const char *column,
                         struct envelope *ret_envelope, struct err *err)
{
    _cleanup_buf_ struct buf bytes = row_bytes(rows, 0, column);

    return bytes.len == 0
               ? 0
               : envelope_decode(bytes.data, bytes.len, ret_envelope, err);
}

/* ret_kept is the caller's, NULL where there is none of that hash;
 * ret_complete: nothing can be added to it any more. */
static int look_up(struct source *source, const struct hash *hash,
                   struct kept **ret_kept, bool *ret_complete, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(source->postgres,
           "SELECT e.envelope, c.envelope AS confirm, u.role = 'administrator' "
           "AND c.hash IS NULL AS open FROM envelopes e "
           "LEFT JOIN users u ON u.verify_hash = e.hash "
           "AND e.type = 'errand.user.verify.v1' "
           "LEFT JOIN confirmations k ON k.verify_hash = e.hash "
           "LEFT JOIN envelopes c ON c.hash = k.confirm_hash "
           "WHERE e.hash = $1",
           &rows, err, P_HASH(hash)) != 0) {
        return -1;
    }
    *ret_kept = NULL;
    if (rows_n(rows) == 0) {
        return 0;
    }
    _cleanup_(kept_release) struct kept *kept = must_calloc(1, sizeof(*kept));
    kept->hash = *hash;
    if (read_envelope(rows, "envelope", &kept->envelope, err) != 0 ||
        read_envelope(rows, "confirm", &kept->confirm, err) != 0) {
        return err_wrap(err, "table envelopes");
    }
    *ret_complete = !row_bool(rows, 0, "open");
    *ret_kept = take_ptr(kept);
    return 0;
}

static struct kept *find(struct source *source, const struct hash *hash)
{
    struct kept *kept = NULL;

    HASH_FIND(hh, source->kept, hash, sizeof(*hash), kept);
    if (kept != NULL) { /* to the end: it was used */
        HASH_DEL(source->kept, kept);
        HASH_ADD(hh, source->kept, hash, sizeof(kept->hash), kept);
    }
    return kept;
}

static int add_to_proof(const struct kept *kept, struct proof *proof,
                        struct err *err)
{
    if (proof_add(proof, &kept->envelope, err) != 0) {
        return -1;
    }
    return kept->confirm.type == NULL ? 0
                                      : proof_add(proof, &kept->confirm, err);
}

int source_fetch(void *arg, const struct hash *hash, struct proof *proof,
                 struct err *err)
{
    struct source *source = arg;
    const struct kept *known = find(source, hash);
    _cleanup_(kept_release) struct kept *kept = NULL;
    bool complete = false;

    if (known != NULL) {
        return add_to_proof(known, proof, err);
    }
    if (look_up(source, hash, &kept, &complete, err) != 0) {
        return -1;
    }
    if (kept == NULL) {
        return 0;
    }
    int done = add_to_proof(kept, proof, err);
    if (complete) {
        keep(source, take_ptr(kept));
    }
    return done;
}

/* Takes it. The row's word for which one it is does not count. */
static struct event *expect(struct envelope *envelope, const struct hash *hash,
                            enum event_kind kind, struct err *err)
{
    _cleanup_event_ struct event *event = event_new_take(envelope, err);

    if (event != NULL && event->kind != kind) {
        (void)err_set(err, ERR_REJECT, "a %s where a %s belongs",
                      event->envelope.type, event_types[kind].type);
        return NULL;
    }
    if (event != NULL && !hash_equal(&event->hash, hash)) {
        (void)err_set(err, ERR_REJECT, "another %s than the one that is named",
                      event->envelope.type);
        return NULL;
    }
    return take_ptr(event);
}

struct event *source_event(struct source *source, const struct hash *hash,
                           enum event_kind kind, struct err *err)
{
    const struct kept *known = find(source, hash);
    _cleanup_(kept_release) struct kept *kept = NULL;
    bool complete;

    if (known == NULL) {
        if (look_up(source, hash, &kept, &complete, err) != 0) {
            return NULL;
        }
        known = kept;
    }
    if (known == NULL) {
        (void)err_set(err, ERR_REJECT, "an envelope is missing");
        return NULL;
    }
    struct envelope copy = envelope_dup(&known->envelope);
    return expect(&copy, hash, kind, err);
}

struct event *source_request(struct source *source, const struct id *id,
                             const struct hash *hash, enum event_kind kind,
                             struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct envelope envelope = {0};

    if (PG(source->postgres,
           "SELECT envelope FROM requests WHERE id = $1 "
           "AND decision = 'accepted' AND envelope IS NOT NULL",
           &rows, err, P_ID(id)) != 0) {
        return NULL;
    }
    if (rows_n(rows) == 0) {
        (void)err_set(err, ERR_REJECT, "a request's envelope is missing");
        return NULL;
    }
    if (read_envelope(rows, "envelope", &envelope, err) != 0) {
        (void)err_wrap(err, "table requests");
        return NULL;
    }
    return expect(&envelope, hash, kind, err);
}
