/*
 * history.h: the runs that somebody may see, page by page, as a table of
 * filters asks for them.
 */
#pragma once

#include "consumer/authorizer/views.h"
#include "model/read.h"

/* Fills the answer, for table_done() of history_answer_table. However many runs
 * there are, no more than so many of them are looked at in one go. */
int history_read(struct postgres *postgres, const struct seer *seer,
                 const struct run_history *asked,
                 struct history_answer *ret_answer, struct err *err);
