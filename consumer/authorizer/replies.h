/*
 * replies.h: a decision as records for errand.replies: cut into parts, signed,
 * sealed to the asker's box.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* Appends one record (struct record) for each part. */
int replies_make(const struct asking *asking, struct list *out,
                 struct err *err);

/* Where the replies to a request go. */
const struct reply_to *reply_address(const struct event *request);
