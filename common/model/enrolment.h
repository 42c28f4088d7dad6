/*
 * enrolment.h: the daemons as members of an installation: service.enrol.
 *
 * An authorizer is enrolled by the root key alone, for at most 180 days; every
 * other kind by an administrator's own key.
 */
#pragma once

#include "model/request.h"

enum service_kind {
    SERVICE_NONE,
    SERVICE_AUTHORIZER,
    SERVICE_EXECUTOR,
    SERVICE_SCHEDULER,
    SERVICE_NOTIFIER,
    SERVICE_RECORDER, /* signs nothing and is never enrolled */
};

/* How an enrolment that was not revoked stands. */
enum service_state {
    SERVICE_IN_FORCE = 1,
    SERVICE_ENDED, /* its time is over */
    SERVICE_VOID   /* who enrolled it was ended, and it was not kept */
};

extern const struct words service_kind_words;
extern const struct words service_state_words;

#define DAY (24LL * 3600 * 1000)
#define AUTHORIZER_LIFE (90 * DAY)
#define AUTHORIZER_LIFE_MAX (180 * DAY)

struct service_enrol {
    struct request request; /* root-signed: head only, by == root */
    int kind;
    char *name;
    char *target;       /* executors only */
    int64_t generation; /* of the target; 0: its first */
    struct key32 key;
    struct key32 box;
    int64_t until; /* authorizers; 0: no end of its own */
};

extern const struct table service_enrol_table;

/* The generation of the target that an executor was enrolled for. */
int64_t enrolled_generation(const struct service_enrol *enrol);

/* The line that a daemon prints for who enrols it: a code (see codec.h) of
 * both public keys; the caller's to free. And back. */
char *key_line_make(const struct key32 *key, const struct key32 *box);
int key_line_read(const char *line, struct key32 *ret_key,
                  struct key32 *ret_box, struct err *err);
