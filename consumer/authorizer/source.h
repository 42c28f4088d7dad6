/*
 * source.h: where the authorizer's proofs fetch their envelopes: PostgreSQL's
 * table `envelopes`, with the newest ones kept in memory. What was signed of
 * runs is beside its request, and goes with its month.
 *
 * What was fetched within a transaction that came to nothing must not be
 * believed: forget it all then.
 */
#pragma once

#include "io/postgres.h"
#include "trust/proof.h"

struct source;

struct source *source_new(struct postgres *postgres);
void source_free(struct source *source);

/* Drops all that is kept. */
void source_forget(struct source *source);

/* A proof_fetch; arg is the source. A user.verify brings its user.confirm. */
int source_fetch(void *arg, const struct hash *hash, struct proof *proof,
                 struct err *err);

/* The envelope of that hash as an event of this kind, the caller's. NULL: there
 * is none (REJECT), or it could not be looked up. */
struct event *source_event(struct source *source, const struct hash *hash,
                           enum event_kind kind, struct err *err);

/* An accepted request that is kept beside its row, of this hash and kind, the
 * caller's. NULL: the same. */
struct event *source_request(struct source *source, const struct id *id,
                             const struct hash *hash, enum event_kind kind,
                             struct err *err);
