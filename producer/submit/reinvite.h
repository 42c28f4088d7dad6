/*
 * reinvite.h: what user resend and user reset share with user invite.
 */
#pragma once

#include "model/log_entry.h"
#include "producer/submit/submit.h"

/* Invites somebody who is known again: fills in key and end, asks, and tells
 * what `user invite` does. */
int invitation_again(struct submit *submit, struct user_reinvite *reinvite,
                     struct err *err);
