/*
 * signers.h: whose request this is, and whether they still stand.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* Sets asking->signer from the request's signatures; where they are good but
 * the session or invitation behind them is over, asking->late says so. -1,
 * REJECT: nobody known, or not signed by them. */
int signer_find(struct asking *asking, struct err *err);

/* What PostgreSQL has against the signer: a session that was closed, a key that
 * is no more. 0; 1: refused; -1. Sets asking->state. */
int signer_check_rows(struct asking *asking, struct err *err);
