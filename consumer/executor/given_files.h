/*
 * given_files.h: the files that a run brings (parameters of type `file`), put
 * into its private directory.
 */
#pragma once

#include "base/account.h"
#include "trust/proof.h"

/* Writes each where values_place_files() says that it is, below the private
 * directory that `directory` is open on; `account` NULL: ours. REJECT: it can't
 * be put there. */
int given_files_put(int directory, const struct order *order,
                    const struct account *account, struct err *err);
