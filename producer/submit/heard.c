/* heard.c: see heard.h. */
#include "producer/submit/heard.h"

#include <poll.h>

#include "base/clock.h"
#include "revocation_log.h"
#include "trust/known.h"

/* ms, for what an answer says that there is */
#define WAIT 2000
#define WAIT_ENTRY 10000 /* the own entry is among it */

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

void heard_forget_told(struct submit *submit)
{
    const struct standing *standing = known_standing(submit->known);

    rpc_set_seen(submit->rpc, standing_seq(standing), standing_head(standing));
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

#define ALL INT64_MAX /* up to the log's end, as it is now */

static int begin(struct revocation_log *log, int64_t end, struct err *err)
{
    int done;

    while ((done = revocation_log_begin(log, err)) != 0 &&
           err->kind == ERR_RETRY && clock_steady() < end) {
        err_clear(err);
    }
    return done;
}

static int read_until(struct submit *submit, struct revocation_log *log,
                      int64_t seq, int64_t patience, struct err *err)
{
    int64_t end = clock_steady() + patience;

    if (begin(log, end, err) != 0) {
        return -1;
    }
    while (seq == ALL ? !revocation_log_current(log)
                      : known_seq(submit) < seq) {
        struct pollfd fd = {.fd = revocation_log_fd(log), .events = POLLIN};
        (void)poll(&fd, 1, 100);
        if (revocation_log_read(log, err) != 0) {
            return -1;
        }
        if (clock_steady() > end) {
            return err_set(err, ERR_RETRY, "it does not come");
        }
    }
    return 0;
}

/* Into a standing of its own, since what is added has to be kept first. */
static int read_up(struct submit *submit, int64_t seq, int64_t patience,
                   struct err *err)
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
    int done = read_until(submit, log, seq, patience, err);
    revocation_log_free(log);
    if (done != 0) { /* what came before that is known all the same */
        struct err ignored = {0};
        (void)known_write(submit->known, &ignored);
        return -1;
    }
    return known_sync(submit->known, err);
}

int heard_read_all(struct submit *submit, struct err *err)
{
    if (read_up(submit, ALL, WAIT_ENTRY, err) == 0) {
        return 0;
    }
    err->status = EXIT_NO_ANSWER;
    return err_wrap(err, "the revocation log can't be read now");
}

const struct standing *heard_standing(const struct submit *submit)
{
    return known_standing(submit->known);
}

int heard_current(struct submit *submit, struct err *err)
{
    int64_t seq = 0;
    struct hash head;

    rpc_seen(submit->rpc, &seq, &head);
    if (seq <= known_seq(submit) ||
        read_up(submit, seq, WAIT_ENTRY, err) == 0) {
        return 0;
    }
    err->status = EXIT_NO_ANSWER;
    return err_wrap(err, "the revocation log can't be read now");
}

int heard_read_up(struct submit *submit, bool entry, struct err *err)
{
    struct err ignored = {0};
    int64_t seq = 0;
    struct hash head;

    rpc_seen(submit->rpc, &seq, &head);
    if (seq > known_seq(submit)) {
        (void)read_up(submit, seq, entry ? WAIT_ENTRY : WAIT, &ignored);
    }
    return standing_service_revoked(known_standing(submit->known),
                                    rpc_speaks(submit->rpc))
               ? err_exit(err, EXIT_NOT_ALLOWED,
                          "this was answered by an authorizer that was "
                          "revoked: nothing of it is believed")
               : 0;
}

int heard_entry(const struct submit *submit, int64_t seq,
                const struct hash *entry)
{
    int64_t told = 0;
    struct hash head;

    if (standing_holds(known_standing(submit->known), seq, entry)) {
        return 1;
    }
    rpc_seen(submit->rpc, &told, &head);
    return known_seq(submit) >= seq || told < seq ? 0 : -1;
}

bool heard_revoked(const struct submit *submit, const struct hash *service)
{
    return standing_service_revoked(known_standing(submit->known), service);
}
