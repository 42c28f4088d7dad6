/*
 * decide.h: one record of errand.requests, decided.
 *
 * Works inside a transaction that its caller began: what comes out may be sent
 * once that is committed, and must be thrown away if it is not.
 */
#pragma once

#include "consumer/authorizer/decision.h"

struct authorizer;

struct decided {
    struct err dead;    /* where its kind is not NONE: for errand.dead */
    struct list places; /* struct place: topics that must be there first */
    struct list out;    /* struct record: dispatches, replies, event */
};

void decided_done(struct decided *decided);

/* -1: RETRY or FATAL; REJECT: a row that PostgreSQL won't have. */
int decide(struct authorizer *authorizer, const struct record *record,
           struct decided *ret_decided, struct err *err);
