/*
 * proof_private.h: what proof.c and allow.c share: the set's entries and the
 * steps from one link of a chain to the next.
 */
#pragma once

#include <uthash.h>

#include "trust/proof.h"

struct link {
    struct event *event;
    bool used;
    bool good[ENVELOPE_SIGNERS_MAX];        /* the signature verified … */
    struct key32 key[ENVELOPE_SIGNERS_MAX]; /* … under this key */
    uint64_t judged;      /* the proof's state in which it named this person, */
    struct person person; /* with the whole chain checked and marked */
    UT_hash_handle hh;
};

struct proof {
    const struct roots *roots;
    proof_fetch *fetch;
    void *arg;
    struct link *links;
    uint64_t state; /* another with each envelope more, and with the marks */
};

/* The entry of that hash, fetched where there is a source; marked as used. */
struct link *proof_link(struct proof *proof, const struct hash *hash,
                        struct err *err);
struct link *proof_link_of(struct proof *proof, const struct hash *hash,
                           enum event_kind kind, struct err *err);

bool link_signed_by(struct link *link, size_t i, const struct key32 *key);

/* Signed by an administrator in force with their own key. */
int proof_by_administrator(struct proof *proof, struct link *link,
                           struct person *ret_person, struct err *err);

/* A user.verify, both signatures, and its invitation. */
int proof_verify(struct proof *proof, struct link *link, int depth,
                 const struct user_invite **ret_invite, struct err *err);
