/*
 * retention.h: what is old goes: months of requests and output are made ahead,
 * and dropped once the policy's `keep` is over, behind the small rows of their
 * runs (schema/README.md, "Months").
 *
 * In: the policy.set in force, the months that PostgreSQL has, the own clock.
 * Out: months; and for each one that is dropped, a signed audit.cut of what
 * went of the audit log's chains with it: in envelopes, in the same transaction
 * as the drop, and on errand.events after it. By which rule a month may be
 * dropped PostgreSQL's functions decide; that its rows say so is not enough:
 * the cut has to be one that submit will believe (trust/cut_proof.h), by the
 * own clock.
 */
#pragma once

#include "consumer/authorizer/authorizer.h"

/* Looks now and then, as the configuration says, and does one step; true: there
 * is another to do. What fails is logged, and done the next time. Requests wait
 * for a step: a hundred runs, or some thousand rows of the month. */
bool retention_tick(struct authorizer *authorizer);
