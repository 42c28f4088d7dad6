/*
 * revoked.c: the revocation log on its way through this half: read to its end
 * before anything is claimed, and each entry handed on to the spawner, which
 * judges it itself and keeps it.
 */
#include "consumer/executor/executor.h"
#include "consumer/executor/link.h"

static int on_entry(void *arg, const struct revocation *entry, struct err *err)
{
    struct executor *executor = arg;
    _cleanup_message_ struct link_message message = {
        .head = {.kind = LINK_ENTRY}, .out = -1, .err = -1};

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

int revoked_read(struct executor *executor, struct err *err)
{
    return revocation_log_read(executor->revocations, err) == 0
               ? 0
               : err_wrap(err, "the revocation log");
}
