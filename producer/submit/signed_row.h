/*
 * signed_row.h: whether the request that a row of the audit log keeps is the
 * one that it tells of, and signed by who it says: for auditor.c.
 */
#pragma once

#include "model/audit.h"
#include "trust/proof.h"

/* `proof` has what its signer's chain needs. -1: what is wrong, in words. */
int signed_row_check(const struct audit_row *row, struct proof *proof,
                     struct err *err);
