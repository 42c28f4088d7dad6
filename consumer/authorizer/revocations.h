/*
 * revocations.h: the revocation log as the authorizer keeps it: decided in
 * PostgreSQL, told on errand.revocations.
 *
 * An entry is decided in a transaction like any request; its place is unique
 * there. It is on the topic before anybody is answered anything that was
 * decided under it. What PostgreSQL holds is judged again when it is read: a
 * row gives nobody a right.
 */
#pragma once

#include "consumer/authorizer/decision.h"

struct authorizer;

struct revocations {
    struct hash init;          /* hash of root.init: the log's beginning */
    struct standing *standing; /* what PostgreSQL held when last looked at */
    int64_t published;         /* entries that are on the topic */
};

/* Reads what the database holds and compares it with the topic, which must not
 * hold more. RETRY: the broker or the database is away. */
int revocations_start(struct authorizer *authorizer, struct err *err);

/* Reads entries that are new; begins every transaction. */
int revocations_refresh(const struct daemon *daemon,
                        struct revocations *revocations, struct err *err);

/* What was added in a transaction that came to nothing is not there. */
void revocations_forget(struct revocations *revocations);

/* Puts all that the topic lacks onto it, in order, and waits until it is there.
 * RETRY: goes on where it was. */
int revocations_publish(struct authorizer *authorizer, struct err *err);

/* For handlers of entries, in this order around their own checks: is it the
 * next one, and may its signer add it (0; 1: refused; -1); and its row, once
 * the request is stored. */
int entry_check(struct asking *asking, struct err *err);
int entry_store(struct asking *asking, struct err *err);
