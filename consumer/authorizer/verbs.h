/*
 * verbs.h: the verbs: who may ask them, and who handles them. The table in
 * verbs.c is the access list; policy.h reads it.
 */
#pragma once

#include <stdbool.h>

#include "consumer/authorizer/decision.h"

/* Bits of signer kinds, of roles, and of kinds of services. */
#define BY(kind) (1U << (kind))
#define OWN BY(SIGNER_OWN)
#define SESSION BY(SIGNER_SESSION)
#define INVITATION BY(SIGNER_INVITATION)
#define SERVICE BY(SIGNER_SERVICE)
#define ADMINISTRATOR BY(ROLE_ADMINISTRATOR)
#define PAYING (ADMINISTRATOR | BY(ROLE_RUNNER_BILLING))
#define SCHEDULER BY(SERVICE_SCHEDULER)
#define ANYONE (ADMINISTRATOR | BY(ROLE_RUNNER) | BY(ROLE_RUNNER_BILLING))

typedef int handler(struct asking *asking, struct err *err);

struct verb {
    enum event_kind kind;
    unsigned signers; /* kinds of keys */
    unsigned roles;   /* of the person behind an own or a session's key; of a
                         daemon's: the kinds of services */
    enum { EVEN_UNCONFIRMED, IN_FORCE } standing; /* of an administrator */
    enum { CHANGE, READ } effect;
    handler *handler;
};

/* NULL: no verb that can be asked. */
const struct verb *verb_of(enum event_kind kind);
