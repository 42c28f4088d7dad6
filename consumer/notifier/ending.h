/*
 * ending.h: what a run.ended says that somebody is told, once it is believed.
 *
 * Pure. It is believed where an authorizer whose enrolment goes up to a pinned
 * root signed it; whom it concerns is taken from nothing but the command.save
 * that came with it, which an administrator in force signed.
 */
#pragma once

#include "model/command.h"
#include "model/run_end.h"
#include "trust/event.h"
#include "trust/keys.h"

struct ending {
    const struct run_end *end; /* the event's */
    struct command_save saved; /* who is told, and the command's name */
};

/* Checks the event, which was appended to its topic at this moment, and must
 * live as long as ret_ending. REJECT: it can't be believed, and why. */
int ending_read(const struct roots *roots, const struct event *event,
                int64_t moment, struct ending *ret_ending, struct err *err);

void ending_done(struct ending *ending);
#define _cleanup_ending_ _cleanup_(ending_done)
