/*
 * check_host.h: `errand-executor --check-host`: what this host has for the
 * promises of an executor, and what it lacks, a line each, for a person.
 */
#pragma once

#include "consumer/executor/host.h"

/* On standard output. */
void check_host(const struct host *host);
