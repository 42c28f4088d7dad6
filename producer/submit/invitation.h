/*
 * invitation.h: what a verification code is made of (design: "Authority"):
 * base32(seed, first half of the root's hash, checksum).
 */
#pragma once

#include "model/log_entry.h"
#include "producer/submit/submit.h"

#define INVITATION_SEED 16
#define INVITATION_CODE 32 /* bytes, without the checksum */

/* Invites somebody who is known again: fills in key and end, asks, and tells
 * the code as `user invite` does. */
int invitation_again(struct submit *submit, struct user_reinvite *reinvite,
                     struct err *err);
