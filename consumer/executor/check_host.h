/*
 * check_host.h: `errand-executor --check-host`: what this host has for the
 * promises of an executor, and what it lacks, a line each, for a person.
 */
#pragma once

#include "consumer/executor/permitted.h"

struct host { /* what this host is told to be: halves.c */
    struct permitted permitted;
    struct account user; /* of the Kafka-facing half; no name: as it is */
    const char *state;
};

/* On standard output. */
void check_host(const struct host *host);
