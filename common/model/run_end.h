/*
 * run_end.h: that a run has ended, as the authorizer tells it on errand.events:
 * run.ended, of commands that say `notify`.
 *
 * It bears what it is believed by: the command.save, which says who is told,
 * its chain, and the authorizer's own enrolment. Nothing of the run's output or
 * arguments is in it. A run that was lost and turns out otherwise ends twice.
 */
#pragma once

#include "model/envelope.h"
#include "model/notify.h"

#define RUN_END_TARGETS_MAX 64

struct target_end {
    char *target;
    int outcome;
    int64_t exit; /* 0: none is known, or it succeeded */
};

struct run_end {
    struct head head;
    struct id run;
    struct hash start;   /* its run.start */
    struct hash command; /* the command.save that it ran by */
    struct id user;      /* who asked … */
    char *asker;         /* … and their address; may be NULL */
    int64_t asked;
    int64_t ended;
    int outcome;         /* of the whole: the worst of its targets' */
    struct list targets; /* struct target_end */
    struct list envelopes;
};

extern const struct table run_end_table;
extern const struct field target_end_item;

/* Whether who is told on these outcomes is told of this end: of any target's
 * that is among them; of `succeeded` where all have. */
bool run_end_concerns(const struct run_end *end, const struct notify *notify);

/* The id of what is told of it to this address or webhook: the same however
 * often it is told. */
struct id notice_id(const struct run_end *end, const char *to);
