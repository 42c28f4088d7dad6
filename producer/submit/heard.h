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

/* What was answered of the log beyond what is known here counts no more: it was
 * said by one who was revoked. */
void heard_forget_told(struct submit *submit);

/* After an answer: reads what is new of the log, and looks whether who answered
 * still may (-1, status 77). A log that can't be read now is read next time;
 * more patience is had where the own entry should be in it. */
int heard_read_up(struct submit *submit, bool entry, struct err *err);

/* Reads the log to its end as it is now. -1, status 75: not now. */
int heard_read_all(struct submit *submit, struct err *err);

/* The same up to the newest entry that an answer named: costs nothing where
 * that is known. */
int heard_current(struct submit *submit, struct err *err);

/* What it says, as far as it was read; once there is a connection. */
const struct standing *heard_standing(const struct submit *submit);

/* 1: the log holds this entry; 0: it does not, or the answer itself names an
 * end before it; -1: it could not be read so far. */
int heard_entry(const struct submit *submit, int64_t seq,
                const struct hash *entry);

/* Whether the log, as far as it is known here, revokes this enrolment. */
bool heard_revoked(const struct submit *submit, const struct hash *service);
