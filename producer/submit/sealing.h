/*
 * sealing.h: a run's secrets, sealed to the executors that may need them.
 *
 * Which executors there are the authorizer tells; a key is believed from a
 * service.enrol alone, whose chain goes up to the root that this profile pins
 * and stands by the revocation log that it checked itself.
 */
#pragma once

#include "model/run.h"
#include "producer/submit/given.h"

/* Those that serve the targets: struct recipient, free() its items. -1: one of
 * the targets has none. */
struct recipient {
    struct key32 box;
};
int recipients_find(struct submit *submit, const char *command,
                    const struct list *targets, struct list *ret_recipients,
                    struct err *err);

/* run->boxes: each secret for each recipient. The run has its id, and the
 * session that it will be signed in is open. */
int secrets_seal(const struct submit *submit, const struct list *secrets,
                 const struct list *recipients, struct run_start *run,
                 struct err *err);
