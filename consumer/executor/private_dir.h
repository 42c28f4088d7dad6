/*
 * private_dir.h: the directory of one execution: its working directory, HOME
 * and TMPDIR, with the files that came with the command.
 *
 * It stands in a directory that nobody but the spawner can write to, and
 * belongs to whom the command runs as. What is removed in the end was in the
 * hands of a stranger: nothing there is followed, neither a link nor a mount,
 * however deep it goes.
 */
#pragma once

#include "base/account.h"
#include "base/id.h"
#include "trust/proof.h"

/* Its path; the caller's to free. */
char *private_path(const char *directory, const struct id *execution);

/* Makes it with the files that come with an order, the command's and the run's;
 * `account` NULL: ours. REJECT: could not, or it was there before. */
int private_make(const char *path, const struct order *order,
                 const struct account *account, struct err *err);

/* With all that is in it. What can't be removed stays. */
void private_remove(const char *path);
