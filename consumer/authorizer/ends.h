/*
 * ends.h: telling on errand.events that runs have ended, where their command
 * says that somebody is to hear of it.
 *
 * In: the table notices, which triggers fill with the outcome; the command.save
 * that the run was accepted by. Out: run.ended. A row goes once its event is
 * delivered: after a kill it is told again, with the same id. What is void by
 * now (its author was removed, and it was not kept) tells nobody anything.
 */
#pragma once

#include "consumer/authorizer/authorizer.h"

/* Tells what there is, once a second at most. RETRY: again, later. */
int ends_tell(struct authorizer *authorizer, struct err *err);
