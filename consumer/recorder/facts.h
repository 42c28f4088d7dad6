/*
 * facts.h: what is recorded of the executions and executors that a batch speaks
 * of: read from PostgreSQL at once, then kept up to date by the verdicts.
 */
#pragma once

#include "consumer/recorder/recorder.h"

struct facts;

/* Reads what the items need. */
struct facts *facts_load(struct recorder *recorder, const struct item *items,
                         size_t n, struct err *err);
void facts_free(struct facts *facts);
static inline void facts_release(struct facts **facts)
{
    facts_free(*facts);
}
#define _cleanup_facts_ _cleanup_(facts_release)

/* What is known of the execution of a readable result. */
struct known *facts_known(struct facts *facts, const struct event *result);

/* What is known of a hello's executor; and what became of it. */
struct heard facts_heard(const struct facts *facts,
                         const struct executor_hello *hello);
void facts_hear(struct facts *facts, const struct heard *heard,
                const struct executor_hello *hello);
