/*
 * heard.h: the revocation log as this profile knows it.
 *
 * Kept in the profile's file `revocations`. It is read on only when an answer
 * names a newer entry than is known: mostly it costs nothing. An authorizer
 * that was revoked there is not believed, whatever it signs.
 */
#pragma once

#include "producer/submit/submit.h"

/* Opens what is known, for the connection that is there. */
int heard_open(struct submit *submit, struct err *err);

/* After an answer: reads what is new of the log, and looks whether who answered
 * still may (-1, status 77). A log that can't be read now is read next time. */
int heard_read_up(struct submit *submit, struct err *err);

/* Whether the log, as far as it is known here, holds this entry. */
bool heard_holds(const struct submit *submit, int64_t seq,
                 const struct hash *entry);
