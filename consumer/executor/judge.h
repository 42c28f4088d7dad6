/*
 * judge.h: whether this host starts what a dispatch orders: the spawner's
 * verdict, by what it alone knows.
 *
 * That is the roots that are pinned here, the revocation log as it judged and
 * kept each entry itself (known.h), which versions of commands it has seen
 * (versions.h), what it has started (started.h), and the clock. Nothing that
 * the other half says is believed.
 */
#pragma once

#include "consumer/executor/spawner.h"
#include "trust/proof.h"

struct judge {
    const struct spawner_plan *plan;
    struct known *known;
    struct started *started;
    struct versions *versions;
    struct verified *verified; /* signatures that were good before */
    int64_t stands_at; /* the log's seq at which the own enrolment held; -1 */
};

/* FATAL: one of its files can't be read, or is damaged. */
int judge_open(const struct spawner_plan *plan, struct judge *ret_judge,
               struct err *err);

/* The whole of a dispatch's proof. What is ordered belongs to the event and the
 * proof, which is new, of the plan's roots. Not 0: nothing may be started. */
int judge_dispatch(struct judge *judge, const struct event *event,
                   struct proof *proof, struct order *ret_order,
                   struct err *err);

/* Once, and in no older version than was seen: noted before it is started.
 * REJECT: it was, or can't be noted. */
int judge_note(struct judge *judge, const struct order *order,
               const struct id *execution, struct err *err);

/* Adds an entry to the revocation log. REJECT, RETRY: it is as if it had not
 * come; or it counts and can't be kept: then nothing is started until it is. */
int judge_entry(struct judge *judge, const struct buf *entry, struct err *err);
