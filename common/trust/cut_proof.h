/*
 * cut_proof.h: whether a cut of the audit log is to be believed. Asked by the
 * authorizer before it drops a month, and by submit ever after.
 */
#pragma once

#include "model/cut.h"
#include "trust/proof.h"

/* REJECT, with the reason: not signed by an authorizer that the root key
 * enrolled and whose enrolment was in force, or earlier than the policy.set
 * that it names allows, or that one is no administrator's. What the two chains
 * need is in the proof, the policy too. */
int cut_check(struct proof *proof, const struct event *event, struct err *err);
