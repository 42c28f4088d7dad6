/*
 * notify.h: who is told when a run of a command has ended, and after which
 * outcomes: `notify = ops@example.org, webhook:pager on failed, lost`.
 *
 * An address is one that mail can be sent to; a webhook has a name, and its URL
 * and secrets are the notifier's alone: neither stands in a command, on a
 * topic or in a table. What a line says in short (`any`, `not succeeded`) is
 * signed at length.
 */
#pragma once

#include "model/result.h"
#include "model/user.h"

#define NOTIFY_MAX 16 /* of a command */
#define NOTIFY_WEBHOOK "webhook:"
#define OUTCOMES (OUTCOME_LOST) /* how many there are */

struct notify {
    char *to;       /* an address in lower case, or "webhook:NAME" */
    struct list on; /* int: enum outcome */
};

extern const struct field notify_item;
extern const struct field outcome_item;

/* The webhook's name; NULL: it is an address. */
const char *notify_webhook(const char *to);

/* Reads what stands behind `notify =` and appends a struct notify for each that
 * it names. -1: REJECT. */
int notify_parse(const char *value, struct list *notify, struct err *err);

/* Addresses and names are good and stand there once; outcomes likewise. -1:
 * REJECT. */
int notify_check(const struct list *notify, struct err *err);

/* The same as a file's line would say it; the caller's to free. */
char *notify_text(const struct notify *notify);
