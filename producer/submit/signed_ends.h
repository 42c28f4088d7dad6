/*
 * signed_ends.h: the audit log's checkpoints on errand.events, read by submit
 * itself and believed only where an authorizer that the root key enrolled
 * signed them, within its enrolment. Anybody may write to the topic: what can't
 * be believed is passed over, and counted.
 */
#pragma once

#include <stdbool.h>

#include "model/audit.h"
#include "trust/proof.h"

struct signed_ends;

typedef int on_signed_end(void *arg, const struct checkpoint *at,
                          struct err *err);

/* From the earliest record that is still there. The authorizers' enrolments are
 * in `proof`, which is borrowed for its life. Status 69: no broker. */
struct signed_ends *signed_ends_open(const struct list *kafka,
                                     struct proof *proof, struct err *err);
void signed_ends_close(struct signed_ends *ends);

/* Reads on until the topic's end as of now. Stops where `on` returns -1. */
int signed_ends_read(struct signed_ends *ends, on_signed_end *on, void *arg,
                     struct err *err);

/* True where no record was deleted yet: all that were ever sent are there. */
bool signed_ends_are_all(const struct signed_ends *ends);

/* Checkpoints that could not be believed so far. */
int64_t signed_ends_doubtful(const struct signed_ends *ends);
