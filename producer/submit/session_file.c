/* session_file.c: see session_file.h. The keys' file is the one that the
 * profile names, the envelope's stands beside it. */
#include "producer/submit/session_file.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"

#define MARGIN 5000 /* ms that a session must still have to be worth using */

void session_free(struct session_key *session)
{
    if (session != NULL) {
        key_pair_free(session->keys);
        envelope_done(&session->envelope);
        free(session);
    }
}

static char *envelope_path(const char *path)
{
    return must_printf("%.*s.open.json", (int)(strlen(path) - strlen(".json")),
                       path);
}

static int read_envelope(const char *path, struct envelope *ret_envelope,
                         struct err *err)
{
    _cleanup_free_ char *beside = envelope_path(path);
    _cleanup_buf_ struct buf json = {0};

    return file_read_private(beside, 65536, &json, err) != 0
               ? -1
               : envelope_decode(json.data, json.len, ret_envelope, err);
}

/* This profile's person's, these keys', and not over yet. */
static bool in_force(const struct profile *profile, struct session_key *session)
{
    struct session_open open;
    struct err ignored = {0};

    if (event_decode(EVENT_SESSION_OPEN, &session->envelope, &open, &ignored)) {
        return false;
    }
    session->until = open.until;
    session->by = envelope_hash(&session->envelope);
    bool good = hash_equal(&open.request.head.by, &profile->by) &&
                hash_equal(&open.request.head.root, &profile->root) &&
                memcmp(open.key.b, session->keys->key.b, 32) == 0 &&
                open.until > clock_now() + MARGIN;
    table_done(event_types[EVENT_SESSION_OPEN].table, &open);
    return good;
}

/* A file that can't be read is as good as none: a new session replaces it. */
int session_load(const struct profile *profile,
                 struct session_key **ret_session, struct err *err)
{
    _cleanup_free_ char *path = profile_session_path(profile, err);
    struct err ignored = {0};

    if (path == NULL) {
        return -1;
    }
    if (!file_exists(path)) {
        return 1;
    }
    struct session_key *session = must_calloc(1, sizeof(*session));
    if (key_file_read(path, NULL, &session->keys, &ignored) != 0 ||
        read_envelope(path, &session->envelope, &ignored) != 0 ||
        !in_force(profile, session)) {
        session_free(session);
        return 1;
    }
    *ret_session = session;
    return 0;
}

int session_store(const struct profile *profile,
                  const struct session_key *session, struct err *err)
{
    _cleanup_free_ char *path = profile_session_path(profile, err);
    _cleanup_free_ char *beside = path == NULL ? NULL : envelope_path(path);
    _cleanup_buf_ struct buf json = {0};

    if (path == NULL || envelope_encode(&session->envelope, &json, err) != 0 ||
        key_file_write(path, session->keys, NULL, true, err) != 0) {
        return -1;
    }
    return file_write(beside, json.data, json.len, 0600, true, err);
}

void session_forget(const struct profile *profile)
{
    struct err ignored = {0};
    _cleanup_free_ char *path = profile_session_path(profile, &ignored);
    _cleanup_free_ char *beside = path == NULL ? NULL : envelope_path(path);

    if (path != NULL) {
        (void)unlink(path);
        (void)unlink(beside);
    }
}
