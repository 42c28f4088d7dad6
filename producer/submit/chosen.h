/*
 * chosen.h: which targets a run names: those that the command allows, narrowed
 * by -t, never widened.
 *
 * Labels are resolved here, by the revocation log that this profile checked
 * itself, and signed as names: an authorizer can leave a target out, but has no
 * way to add one.
 */
#pragma once

#include "producer/submit/submit.h"

/* Appends the names of those that are asked for (char *, as where.h; none: all
 * of the command's). What is drained or gone is left out, and told; what is
 * asked for by its name is not: of that the authorizer says why. -1, status 65:
 * there is none, or the command is not for one that is asked for. */
int targets_choose(struct submit *submit, const struct command_row *command,
                   const struct list *asked, struct list *ret_targets,
                   struct err *err);

/* Says which of a command's labels no target has yet: it may be mistyped. After
 * an answer. */
void targets_tell_unreached(const struct submit *submit,
                            const struct list *wheres);
