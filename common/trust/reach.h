/*
 * reach.h: which targets a command's `targets` reach, by what the revocation
 * log says: the same code in submit, which names them in run.start, in the
 * authorizer and in the executor, each by the log that it checked itself.
 *
 * So no authorizer, honest or not, widens a run: the person's own machine
 * resolves labels, and signs plain names; and a host starts nothing unless its
 * own target is among what the command's author named, by the newest labels
 * that an administrator signed for it.
 */
#pragma once

#include "model/command.h"
#include "model/run.h"
#include "trust/standing.h"

/* Whether any of these (char *, see model/where.h) reaches this target. One
 * that was removed is reached by none; labels and `@all` reach only what the
 * log knows. standing may be NULL: then names alone count. */
bool reach_holds(const struct standing *standing, const struct list *wheres,
                 const char *target);

/* The same of a command's, in words; and the run was asked for of this target,
 * not of one before it that had its name. -1: REJECT. */
int reach_check(const struct standing *standing, const struct run_start *run,
                const struct command_save *command, const char *target,
                struct err *err);

/* Appends the names of all targets that both reach: what `only` says, within
 * what `wheres` allows; in the order in which they were added. */
void reach_within(const struct standing *standing, const struct list *wheres,
                  const char *only, struct list *ret_names);
