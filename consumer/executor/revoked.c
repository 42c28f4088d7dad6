/*
 * revoked.c: the revocation log on its way through this half: read to its end
 * before anything is claimed, and each entry handed on to the spawner, which
 * judges it itself and keeps it. A host whose own enrolment is void would only
 * take runs from others, to refuse them: it ends.
 */
#include "base/clock.h"
#include "consumer/executor/executor.h"
#include "consumer/executor/link.h"

static int on_entry(void *arg, const struct revocation *entry, struct err *err)
{
    struct executor *executor = arg;
    _cleanup_message_ struct link_message message =
        link_message_of(LINK_ENTRY, &(struct id){0});

    if (revocation_encode(&entry->event->envelope, &entry->proof, &message.body,
                          err) != 0) {
        return -1;
    }
    message.head.length = (uint32_t)message.body.len;
    return link_send(executor->link, &message, err);
}

/* Whoever may write to the topic can put anything there. */
static int on_refused(void *arg, const struct record *record,
                      const struct err *why, struct err *err)
{
    const struct executor *executor = arg;

    (void)err;
    log_error(&executor->daemon->log, "passed over in the revocation log",
              L_INT("offset", record->offset), L_ERR(why));
    return 0;
}

int revoked_begin(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;

    if (executor->revocations == NULL) {
        struct revocation_watch watch = {.roots = &daemon->roots,
                                         .standing = executor->standing,
                                         .seen = on_entry,
                                         .refused = on_refused,
                                         .arg = executor};
        executor->revocations = revocation_log_new(&daemon->kafka, &watch, err);
    }
    return executor->revocations == NULL
               ? -1
               : revocation_log_begin(executor->revocations, err);
}

/* The spawner asks the same of itself, from what it keeps. */
static int check_self(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;
    _cleanup_proof_ struct proof *proof = proof_new(&daemon->roots, NULL, NULL);
    const struct service_enrol *enrol;

    proof_set_standing(proof, executor->standing);
    if (proof_add_all(proof, &daemon->enrolment, err) != 0 ||
        proof_service(proof, &daemon->by, SERVICE_EXECUTOR, executor->target,
                      clock_now(), &enrol, err) != 0) {
        (void)err_wrap(err, "this host is no executor any more");
        return daemon_no_more(err);
    }
    return 0;
}

/* A target that was removed is served until what ran there is told. */
static int check_place(const struct executor *executor, struct err *err)
{
    const struct place_standing *place =
        standing_place(executor->standing, executor->target);

    if (place == NULL || place->state != TARGET_REMOVED ||
        executor->all != NULL) {
        return 0;
    }
    (void)err_set(err, ERR_FATAL,
                  "target %s was removed: there is nothing to do here any more",
                  executor->target);
    return daemon_no_more(err);
}

int revoked_check(struct executor *executor, struct err *err)
{
    int64_t seq = standing_seq(executor->standing);

    if (check_place(executor, err) != 0) {
        return -1;
    }
    if (executor->stands_at == seq) {
        return 0;
    }
    if (check_self(executor, err) != 0) {
        return -1;
    }
    executor->stands_at = seq;
    return 0;
}

int revoked_read(struct executor *executor, struct err *err)
{
    return revocation_log_read(executor->revocations, err) == 0
               ? 0
               : err_wrap(err, "the revocation log");
}
