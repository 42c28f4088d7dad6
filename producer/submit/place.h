/*
 * place.h: the directory in which somebody becomes a member by an invitation.
 *
 * It is nobody's yet; or an earlier try left its key there; or it is the
 * profile of the very person who is invited anew, since their password was
 * reset: their key there opens nothing any more, and gives way.
 */
#pragma once

#include "producer/submit/profile.h"
#include "trust/proof.h"

struct place {
    char *directory;
    struct roots pins; /* by its config: none where it is nobody's yet */
    struct id user;    /* whose key is there; zero: none is */
    struct hash begun; /* the invitation's key, by its id, where a user.verify
                          names that key; zero: none does */
    int64_t aside;     /* in the names of what was set aside; 0: nothing was */
};

#define _cleanup_place_ _cleanup_(place_done)

/* The profile's directory. -1: what is there is somebody's, and unreadable. */
int place_read(struct place *place, struct err *err);
void place_done(struct place *place);

/* How the broker is reached from there: its config, brokers ("": not told),
 * ERRAND_BROKERS, the first that says. pairs_done(). */
int place_brokers(const struct place *place, const char *brokers,
                  struct list *ret_kafka, struct err *err);

/* Whether an earlier try by this invitation is there. */
bool place_was_begun(const struct place *place, const struct key32 *invitation);

/* Whether who is invited by this, under this root, may become a member there:
 * status 65 where it is somebody else's. */
int place_check_invited(const struct place *place, const struct key32 *root,
                        const struct invitation *invited, struct err *err);

/* The config names its root already: there is nothing to add. */
bool place_is_configured(const struct place *place);

/* Whether a key is there, and the root that it belongs to. */
bool place_is_keyed(const struct place *place);

/* Makes room for another key: the one that is there, and what names it, get
 * other names. They come back, or go for good. */
void place_set_aside(struct place *place);
void place_restore(const struct place *place);
void place_forget(const struct place *place);

/* Status 65 where a directory is somebody's. */
int place_check_free(const char *directory, struct err *err);
