/*
 * spawner.h: the half of the executor that makes children.
 *
 * A small program of its own (errand-spawner; spawner_main.c), which knows no
 * Kafka and believes nothing that the Kafka-facing half says: it reads the
 * dispatch itself and checks its whole proof against the root keys that it read
 * at start, its target, the clock and the revocation log, of which it judges
 * and keeps each entry itself, and only then makes a child, as whom this host
 * allows (permitted.h). It alone opens what is sealed to this host: it keeps
 * that half of the host's keys, the other half keeps the other (and each
 * forgets what is not its own). It has no more children at once than the host
 * has slots. In come START, END, ENTRY and RELOAD, out go REFUSED, STARTED,
 * EXITED and what it read again itself (link.h). EXITED is said once nothing of
 * an execution is alive. When the other half dies, everything here is ended
 * first.
 *
 * It resolves no host's name and opens no socket, but for what the system's own
 * database of users wants at a RELOAD. No seccomp filter holds it to that:
 * the kernel has children inherit a filter, and those may do what their user
 * may. So it keeps its privileges, where it has any, for who runs as root.
 */
#pragma once

#include "consumer/executor/link.h"
#include "consumer/executor/permitted.h"
#include "trust/keys.h"

/* The descriptors that errand-spawner is started with, beside standard output
 * and error; its one argument is the configuration's path. */
enum spawner_fd { SPAWNER_LINK = 0, SPAWNER_LOCK = 3, SPAWNER_FDS };

struct spawner_plan {
    const struct roots *roots;
    const char *target;
    const char *directory; /* for the children's private ones */
    const char *cgroups;   /* cgroup.h's base; NULL: none */
    struct permitted *permitted;
    /* Reads that anew; the answer to a RELOAD, the caller's. */
    struct link_message (*reload)(void *arg, struct permitted *permitted);
    void *reload_arg;
    int64_t in_flight; /* ms from a claim to its START, at most */
    const struct account
        *user; /* the other half's, and a masker's; NULL: ours */
    const struct list *enrolment; /* struct envelope: the own one's chain, */
    struct hash by;               /* and its hash */
    struct key_pair *keys;        /* of which only the box's half stays there */
    struct hash init;             /* where the revocation log begins */
    const char *log;              /* the file of its own that keeps that log */
    const char *started;          /* and what it has started; see started.h */
    const char *versions;         /* and which versions it saw; versions.h */
    int link;                     /* its end of the socket pair */
};

/* Serves its link until the other half closes it. The keys' other half is
 * forgotten. */
_Noreturn void spawner_serve(const struct spawner_plan *plan);

/* Says why on standard error, and ends: with the error's status, or 1. */
_Noreturn void spawner_fail(const struct err *err);
