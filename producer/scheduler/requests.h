/*
 * requests.h: what a scheduler asks of the authorizer, as signed events on
 * errand.requests. Nobody waits for the answer: PostgreSQL shows what became of
 * it.
 */
#pragma once

#include "service.h"
#include "trust/event.h"

#define REQUESTS_TOPIC "errand.requests"

/* Signs it, and queues it for the partition that its signer's key makes: one
 * scheduler's requests are in order. */
int request_say(struct daemon *daemon, enum event_kind kind,
                const void *payload, struct err *err);
