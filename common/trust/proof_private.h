/*
 * proof_private.h: what proof.c, person.c, signer.c and allow.c share: the
 * set's entries and the steps from one link of a chain to the next.
 */
#pragma once

#include <uthash.h>

#include "trust/proof.h"

/* The proof's state in which an envelope named this person, with the whole
 * chain checked and marked. */
struct judged {
    uint64_t state;
    struct person person;
};

struct link {
    struct event *event;
    bool used;
    bool good[ENVELOPE_SIGNERS_MAX];        /* the signature verified … */
    struct key32 key[ENVELOPE_SIGNERS_MAX]; /* … under this key */
    bool kept;                 /* the event came from what is remembered, */
    struct verified *verified; /* and goes back there; NULL: nothing is */
    struct judged judged[2];   /* as it stands now; for an entry of the log */
    UT_hash_handle hh;
};

struct proof {
    const struct roots *roots;
    proof_fetch *fetch;
    void *arg;
    struct link *links;
    uint64_t state; /* another with each envelope more, and with the marks */
    const struct standing *standing; /* NULL: no log is known */
    struct verified *verified;       /* NULL: none is kept */
    int in_entry; /* within the chain of an entry, which was judged before */
};

/* A link that is in no set; NULL where the envelope is no event. */
struct link *link_new(const struct envelope *envelope, struct err *err);
void link_free(struct link *link);

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
                 struct invitation *ret_invitation, struct err *err);

/* Signature and root of one link; `who` for the message. */
int proof_signed(struct link *link, size_t i, const struct key32 *key,
                 const struct hash *root, const char *who, struct err *err);

/* By a schedule: the scheduler's tick, and the schedule.set that it names. Sets
 * the order's asker, who is that schedule's author. In scheduled.c. */
int proof_tick(struct proof *proof, struct link *ticked, struct order *order,
               struct err *err);

/* Signed by a root key that is pinned here. */
int proof_root_signed(struct proof *proof, struct link *link, struct err *err);

/* As many as the command wants have approved it. */
int proof_approved(struct proof *proof, const struct order *order,
                   struct err *err);

/* -1: it is not signed by the key that its `by` names. */
int proof_not_signed(const struct event *event, struct err *err);

/* Of the installation with this root. */
int proof_same_root(const struct event *event, const struct hash *root,
                    struct err *err);
