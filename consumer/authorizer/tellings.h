/*
 * tellings.h: to whom the end of a run is told, noted before it is.
 *
 * In: the command.save that the run was accepted by. Out: a row of the table
 * tellings for each whom this end concerns. It is decided once for an end: who
 * tells it again, after a kill, tells the same.
 *
 * Of one command's ends an address gets so many mails in so long a time
 * ([authorizer] notices, notices_in); what comes beyond is held back while it
 * ends as it last did, and the next mail says how many were. Calls of webhooks
 * are for machines, which count themselves: they all go.
 */
#pragma once

#include "consumer/authorizer/authorizer.h"
#include "model/command.h"
#include "model/run_end.h"

/* Notes it, in a transaction of its own, and fills end->holds. 0; 1: it
 * concerns nobody; -1. */
int tellings_note(const struct authorizer *authorizer, const struct id *command,
                  const struct command_save *save, struct run_end *end,
                  struct err *err);
