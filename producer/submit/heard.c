/* heard.c: see heard.h. */
#include "producer/submit/heard.h"

#include <poll.h>

#include "base/clock.h"
#include "revocation_log.h"
#include "trust/known.h"

#define WAIT_MS 2000 /* for what an answer says that there is */

/* An answer from before what is known here is old. What an answer names beyond
 * that counts for this connection alone, until the log shows it: a thief of an
 * authorizer's key could name what never comes. */
static void set_seen(struct submit *submit)
{
    const struct standing *standing = known_standing(submit->known);
    int64_t seq = 0;
    struct hash head;

    rpc_set_standing(submit->rpc, standing);
    rpc_seen(submit->rpc, &seq, &head);
    if (standing_seq(standing) > seq) {
        rpc_set_seen(submit->rpc, standing_seq(standing),
                     standing_head(standing));
    }
}

int heard_open(struct submit *submit, struct err *err)
{
    struct profile *profile = submit->profile;
    _cleanup_free_ char *path = profile_path(profile, "revocations");
    struct hash init;

    if (submit->known == NULL) {
        if (revocation_beginning(&profile->enrolment, &init, err) != 0) {
            return err_wrap(err, "enrolment.json");
        }
        submit->known = known_open(&profile->roots, &init, path, err);
        if (submit->known == NULL) {
            err->status = EXIT_CONFIG;
            return -1;
        }
    }
    set_seen(submit);
    return 0;
}

static int on_entry(void *arg, const struct revocation *entry, struct err *err)
{
    return known_add(arg, entry, err);
}

/* Anybody may write to the topic. */
static int on_refused(void *arg, const struct record *record,
                      const struct err *why, struct err *err)
{
    (void)arg;
    (void)record;
    (void)why;
    (void)err;
    return 0;
}

static int64_t known_seq(const struct submit *submit)
{
    return standing_seq(known_standing(submit->known));
}

static int read_until(struct submit *submit, struct revocation_log *log,
                      int64_t seq, struct err *err)
{
    int64_t end = clock_steady() + WAIT_MS;

    if (revocation_log_begin(log, err) != 0) {
        return -1;
    }
    while (known_seq(submit) < seq && clock_steady() < end) {
        struct pollfd fd = {.fd = revocation_log_fd(log), .events = POLLIN};
        (void)poll(&fd, 1, 100);
        if (revocation_log_read(log, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Into a standing of its own, since what is added has to be kept first. */
static int read_up(struct submit *submit, int64_t seq, struct err *err)
{
    struct hash init;

    if (revocation_beginning(&submit->profile->enrolment, &init, err) != 0) {
        return -1;
    }
    _cleanup_standing_ struct standing *standing = standing_new(&init);
    struct revocation_watch watch = {.roots = &submit->profile->roots,
                                     .standing = standing,
                                     .seen = on_entry,
                                     .refused = on_refused,
                                     .arg = submit->known};
    struct revocation_log *log =
        revocation_log_new(&submit->profile->kafka, &watch, err);
    if (log == NULL) {
        return -1;
    }
    int done = read_until(submit, log, seq, err);
    revocation_log_free(log);
    return done == 0 ? known_sync(submit->known, err) : -1;
}

int heard_read_up(struct submit *submit, struct err *err)
{
    struct err ignored = {0};
    int64_t seq = 0;
    struct hash head;

    rpc_seen(submit->rpc, &seq, &head);
    if (seq > known_seq(submit)) {
        (void)read_up(submit, seq, &ignored);
    }
    return standing_service_revoked(known_standing(submit->known),
                                    rpc_speaks(submit->rpc))
               ? err_exit(err, EXIT_NOT_ALLOWED,
                          "this was answered by an authorizer that was "
                          "revoked: nothing of it is believed")
               : 0;
}

bool heard_holds(const struct submit *submit, int64_t seq,
                 const struct hash *entry)
{
    return standing_holds(known_standing(submit->known), seq, entry);
}
