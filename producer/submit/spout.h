/*
 * spout.h: where the output of executions comes out: their standard output on
 * ours, their standard error on ours.
 *
 * Alone, an execution's bytes pass as they are; on a terminal they are made
 * harmless first. Where a run has several targets, whole lines come out, each
 * with its target in front. What always holds: the bytes of one stream keep
 * their order, and each piece is on its way when spout_add() returns.
 */
#pragma once

#include "model/result.h"

struct spout;

/* `target` is put before each line; NULL: nothing is. */
struct spout *spout_new(const char *target);
void spout_free(struct spout *spout);

/* On a terminal, too, the bytes pass as they are. */
void spout_raw(struct spout *spout);

/* What came on the other stream is passed over. */
void spout_only(struct spout *spout, enum stream stream);

/* Status 74: can't write. */
int spout_add(struct spout *spout, const struct chunk *chunk, struct err *err);

/* What is held back of a last line that has no end. */
int spout_end(struct spout *spout, struct err *err);
