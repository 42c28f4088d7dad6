/*
 * revocation.h: an entry of the revocation log with the chain of who signed it:
 * in a record of errand.revocations, in a file, and on its way into a standing.
 *
 * On the topic the record is the request's own, as it was asked, with one more
 * header, errand-proof: {"envelopes": […]}. In a file, and between processes,
 * it is one line of JSON: {"entry": …, "proof": […]}.
 */
#pragma once

#include "trust/proof.h"

struct revocation {
    struct event *event;
    struct list proof; /* struct envelope: the signer's chain */
};

/* The hash of the root.init among these: the log's beginning. REJECT: none. */
int revocation_beginning(const struct list *envelopes, struct hash *ret_init,
                         struct err *err);

void revocation_done(struct revocation *entry);
#define _cleanup_revocation_ _cleanup_(revocation_done)

int revocation_to_record(const struct envelope *envelope,
                         const struct list *proof, struct record *ret_record,
                         struct err *err);
int revocation_from_record(const struct record *record,
                           struct revocation *ret_entry, struct err *err);

/* Appends the line, without its end. */
int revocation_encode(const struct envelope *envelope, const struct list *proof,
                      struct buf *out, struct err *err);
int revocation_decode(const void *json, size_t n, struct revocation *ret_entry,
                      struct err *err);

/* Judges the entry as the log stands before it, and adds it. 0; 1: it is there
 * already; RETRY: one before it is missing; REJECT: it may not be added. */
int revocation_admit(struct standing *standing, const struct roots *roots,
                     const struct revocation *entry, struct err *err);
