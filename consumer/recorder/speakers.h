/*
 * speakers.h: who signed what the recorder reads.
 *
 * In comes an event; out goes the service whose key signed it, if that service
 * is enrolled: its service.enrol is in PostgreSQL, was accepted (table
 * `services`; an authorizer's is the root key's own word), and its chain goes
 * up to a pinned root (trust/proof.h). What the broker had after that service
 * was revoked is nobody's; what it had before stays. Envelopes are fetched when
 * they are first needed and then remembered.
 */
#pragma once

#include "consumer/recorder/rows.h"
#include "trust/proof.h"

struct speakers;

/* Both are borrowed. */
struct speakers *speakers_new(const struct roots *roots,
                              struct postgres *postgres);
void speakers_free(struct speakers *speakers);

/* The signer of an event that the broker had at this moment. REJECT: none that
 * may say such a thing, and why; RETRY, FATAL: PostgreSQL could not be asked.
 */
int speaker_find(struct speakers *speakers, const struct event *event,
                 int64_t moment, struct speaker *ret_speaker, struct err *err);
