/* revocations.c: see revocations.h. */
#include "consumer/authorizer/revocations.h"

#include <string.h>

#include "consumer/authorizer/authorizer.h"
#include "model/log_entry.h"
#include "revocation_log.h"
#include "trust/revocation.h"

#define WAIT_MS 100                /* for records of the topic */
#define FLUSH_MS 1000              /* then the log says what it waits for */
#define PUBLISH_MAX 100            /* entries at a time */
#define REVOCATIONS_LOCK "7310003" /* advisory, within a transaction */

void revocations_forget(struct revocations *revocations)
{
    standing_free(revocations->standing);
    revocations->standing = standing_new(&revocations->init);
}

/* Row i as an entry: its envelope, and its signer's chain beside it. */
static int read_entry(const struct rows *rows, size_t i,
                      struct revocation *ret_entry, struct err *err)
{
    _cleanup_buf_ struct buf line = row_bytes(rows, i, "entry");

    return revocation_decode(line.data, line.len, ret_entry, err) != 0
               ? err_wrap(err, "table revocations")
               : 0;
}

int revocations_refresh(const struct daemon *daemon,
                        struct revocations *revocations, struct err *err)
{
    struct standing *standing = revocations->standing;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(daemon->postgres,
           "SELECT entry FROM revocations WHERE seq > $1 ORDER BY seq", &rows,
           err, P_INT(standing_seq(standing))) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_revocation_ struct revocation entry = {0};
        if (read_entry(rows, i, &entry, err) != 0 ||
            revocation_admit(standing, &daemon->roots, &entry, err) != 0) {
            err->kind = err->kind == ERR_REJECT ? ERR_FATAL : err->kind;
            return -1;
        }
    }
    return 0;
}

/* The topic, read to its end at start */

static int on_seen(void *arg, const struct revocation *entry, struct err *err)
{
    (void)arg;
    (void)entry;
    (void)err;
    return 0;
}

static int on_refused(void *arg, const struct record *record,
                      const struct err *why, struct err *err)
{
    struct authorizer *authorizer = arg;

    log_warning(&authorizer->daemon->log, "passed over in the revocation log",
                L_INT("offset", record->offset), L_ERR(why));
    return daemon_dead(authorizer->daemon, record, why, err);
}

static int read_topic(struct authorizer *authorizer, struct standing *told,
                      struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    struct revocation_watch watch = {.roots = &daemon->roots,
                                     .standing = told,
                                     .seen = on_seen,
                                     .refused = on_refused,
                                     .arg = authorizer};
    struct revocation_log *log =
        revocation_log_new(&daemon->kafka, &watch, err);

    if (log == NULL) {
        return -1;
    }
    int done = revocation_log_begin(log, err);
    while (done == 0 && !revocation_log_current(log)) {
        int fd = revocation_log_fd(log);
        daemon_wait(authorizer->daemon, &fd, 1, WAIT_MS);
        done = daemon_ending(daemon) ? err_set(err, ERR_RETRY, "ending")
                                     : revocation_log_read(log, err);
    }
    revocation_log_free(log);
    return done;
}

/* The topic holds a beginning of what the database holds. */
static int compare(const struct standing *told, const struct standing *held,
                   struct err *err)
{
    int64_t seq = standing_seq(told);

    if (standing_seq(held) < seq) {
        return err_set(err, ERR_FATAL,
                       "the revocation log has %lld entries and the database "
                       "only %lld: it is an older copy, in which what was "
                       "taken away is given again. Restore a newer one (see "
                       "the runbook)",
                       (long long)seq, (long long)standing_seq(held));
    }
    return standing_holds(held, seq, standing_head(told))
               ? 0
               : err_set(err, ERR_FATAL,
                         "entry %lld of the revocation log is another one in "
                         "the database: one of them is not this installation's",
                         (long long)seq);
}

int revocations_start(struct authorizer *authorizer, struct err *err)
{
    struct revocations *revocations = &authorizer->revocations;
    _cleanup_standing_ struct standing *told = standing_new(&revocations->init);

    revocations_forget(revocations);
    if (read_topic(authorizer, told, err) != 0 ||
        revocations_refresh(authorizer->daemon, revocations, err) != 0 ||
        compare(told, revocations->standing, err) != 0) {
        return -1;
    }
    revocations->published = standing_seq(told);
    return revocations_publish(authorizer, err);
}

static int send_entry(const struct authorizer *authorizer,
                      const struct revocation *entry, struct err *err)
{
    struct record record = {0};

    if (revocation_to_record(&entry->event->envelope, &entry->proof, &record,
                             err)) {
        return -1;
    }
    int sent = kafka_writer_send(authorizer->daemon->writer, &record, 0, err);
    record_done(&record);
    return sent;
}

static int publish_some(struct authorizer *authorizer, struct err *err)
{
    struct revocations *revocations = &authorizer->revocations;
    struct kafka_writer *writer = authorizer->daemon->writer;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(authorizer->daemon->postgres,
           "SELECT entry FROM revocations WHERE seq > $1 AND seq <= $2 "
           "ORDER BY seq LIMIT $3::integer",
           &rows, err, P_INT(revocations->published),
           P_INT(standing_seq(revocations->standing)),
           P_INT(PUBLISH_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_revocation_ struct revocation entry = {0};
        if (read_entry(rows, i, &entry, err) != 0 ||
            send_entry(authorizer, &entry, err) != 0) {
            return -1;
        }
    }
    if (kafka_writer_flush(writer, FLUSH_MS, err) != 0) {
        return err_wrap(err, "errand.revocations");
    }
    revocations->published += (int64_t)rows_n(rows);
    return 0;
}

int revocations_publish(struct authorizer *authorizer, struct err *err)
{
    const struct revocations *revocations = &authorizer->revocations;

    while (revocations->published < standing_seq(revocations->standing)) {
        if (publish_some(authorizer, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Entries as they are decided */

/* Others who would add one wait here until this transaction is over. */
static int lock(struct asking *asking, struct err *err)
{
    return PG(asking->daemon->postgres,
              "SELECT pg_advisory_xact_lock(" REVOCATIONS_LOCK ")", NULL, err);
}

static int check_place(struct asking *asking, const struct log_entry *entry)
{
    const struct standing *standing = asking->revocations->standing;

    if (entry->seq == standing_seq(standing) + 1 &&
        hash_equal(&entry->prev, standing_head(standing))) {
        return 0;
    }
    return asking_refuse(asking, REPLY_BEHIND,
                         "something else was changed meanwhile: sign it again "
                         "as entry %lld of the revocation log",
                         (long long)standing_seq(standing) + 1);
}

/* As the log stands now, which may be other than when the batch began. */
static int check_signer(struct asking *asking, struct err *err)
{
    proof_set_standing(asking->proof, asking_standing(asking));
    proof_forget_used(asking->proof);
    if (proof_entry(asking->proof, asking->request, err) == 0) {
        return 0;
    }
    return err->kind == ERR_REJECT
               ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
               : -1;
}

int entry_check(struct asking *asking, struct err *err)
{
    return lock(asking, err) != 0 ||
                   revocations_refresh(asking->daemon, asking->revocations,
                                          err) != 0
               ? -1
               : check_place(asking, asking->request->payload)
                     ?: check_signer(asking, err);
}

int entry_store(struct asking *asking, struct err *err)
{
    const struct log_entry *entry = asking->request->payload;
    _cleanup_envelopes_ struct list proof = {0};
    _cleanup_buf_ struct buf line = {0};

    proof_used(asking->proof, &proof);
    if (proof.n > PROOF_MAX) {
        return err_set(err, ERR_REJECT,
                       "an entry's proof has %zu envelopes: at most %d",
                       proof.n, PROOF_MAX);
    }
    if (revocation_encode(&asking->request->envelope, &proof, &line, err) !=
            0 ||
        PG(asking->daemon->postgres,
           "INSERT INTO revocations (seq, hash, entry, signed_by, signed_at) "
           "VALUES ($1, $2, $3, $4, $5)",
           NULL, err, P_INT(entry->seq), P_HASH(&asking->request->hash),
           P_BUF(&line), P_ID(&asking->signer.person.user),
           P_TIME(entry->request.head.issued)) != 0) {
        return -1;
    }
    return standing_add(asking->revocations->standing, asking->request, err);
}
