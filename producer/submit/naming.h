/*
 * naming.h: the envelope that names the own key: it changes with the person's
 * role, and with the key itself.
 */
#pragma once

#include "producer/submit/asking.h"

/* Puts this envelope first into the profile's enrolment, before what named the
 * key until now, and writes it. */
int naming_write(struct profile *profile, const struct envelope *envelope,
                 struct err *err);

/* Asks, with the own key, by which envelope it is named now. 0: by another one
 * than the profile knew, which is written; 1: by the same; -1. */
int naming_refresh(struct submit *submit, struct err *err);
