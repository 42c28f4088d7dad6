/*
 * notice.h: what people and machines are told of a run's end: a mail's bytes,
 * and the body of a webhook's call.
 *
 * Pure: the same end makes the same bytes. Command, run, who asked, when, and
 * how it ended on each target; nothing of its output, its arguments or its
 * script: who may see those asks `submit`.
 */
#pragma once

#include "base/buf.h"
#include "consumer/notifier/ending.h"

#define NOTICE_LIFE (72LL * 3600 * 1000) /* of a mail; a webhook's is set */

/* Appends the mail to this one of those who are told. -1: out of memory. */
int notice_mail(const struct ending *ending, const struct notify *notify,
                const char *from, struct buf *out);

/* Appends the body, in JSON: type, timestamp and data, as Standard Webhooks has
 * it. */
int notice_json(const struct ending *ending, struct buf *out, struct err *err);
