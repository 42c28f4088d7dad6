/*
 * profile.h: one person's directory: configuration, locked key, root pin,
 * session, what was seen.
 *
 * ERRAND_PROFILE, by default ~/.config/errand. Files: config, key.json,
 * enrolment.json (the envelopes that name the person's key, and their chain),
 * root.pub, session.json, audit.json, revocations, cards.json, cache/. The
 * session is in $XDG_RUNTIME_DIR/errand/<hash of the profile's path>/ where
 * there is one. All but config and root.pub are 0600 in directories of 0700.
 */
#pragma once

#include "io/config.h"
#include "model/audit.h"
#include "trust/keys.h"

struct profile {
    char *directory; /* absolute */
    struct config config;
    struct list kafka;  /* struct pair: [kafka], completed by ERRAND_BROKERS */
    struct roots roots; /* the pins */
    struct hash root;   /* the one that enrolment goes up to */
    struct list enrolment; /* struct envelope: the one that names the own key
                              first */
    struct hash by;        /* its hash */
    struct key32 key;      /* the own key, as it says */
    struct id user;
    char *email;
    int role;     /* as invited */
    bool service; /* a machine identity: its key is in clear */
};

/* The directory that counts now; the caller's to free. */
char *profile_directory(struct err *err);

/* The roots that a directory's config pins: none where there is no config, or
 * it names none. roots_done(), after -1 too. */
int profile_pins(const char *directory, struct roots *ret_roots,
                 struct err *err);

/* How the broker is reached from a directory that may be nobody's profile yet:
 * its config, if there is one, these brokers (NULL: none), and ERRAND_BROKERS,
 * the first that says. pairs_done(). */
int profile_brokers(const char *directory, const char *brokers,
                    struct list *ret_kafka, struct err *err);

/* Reads it; NULL: status 78 with what helps ("submit init", "submit verify").
 */
struct profile *profile_open(struct err *err);
void profile_free(struct profile *profile);

/* A file's path in it (an absolute one as it is); the caller's to free. */
char *profile_path(const struct profile *profile, const char *name);

/* The file that the session is in; its directory is made; the caller's. */
char *profile_session_path(const struct profile *profile, struct err *err);

/* What the own key is called in the kernel's keyring; the caller's to free. */
char *profile_keyring_name(const struct profile *profile);

/* [profile] password_file; NULL: none. */
const char *profile_password_file(const struct profile *profile);

/* [profile] answer_within, in ms: how long an answer is waited for. */
int64_t profile_answer_within(const struct profile *profile);

/* The audit log's checkpoints that replies named; a file of their own, for they
 * change with each reply, and nothing is lost where the newest one is. */
int profile_checkpoints_read(const struct profile *profile,
                             struct checkpoints *ret_seen, struct err *err);
int profile_checkpoints_write(const struct profile *profile,
                              const struct checkpoints *seen, struct err *err);

/* Envelopes by hash, kept in cache/. 0: found; 1: not there. What is read is
 * checked to be of that hash. Keeping is best effort. */
int profile_cache_get(const struct profile *profile, const struct hash *hash,
                      struct envelope *ret_envelope);
void profile_cache_put(const struct profile *profile,
                       const struct envelope *envelope);
