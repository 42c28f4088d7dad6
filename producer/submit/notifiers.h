/*
 * notifiers.h: who carries an invitation: the enrolled notifiers.
 *
 * Which there are the authorizer tells; a notifier's box key is believed from
 * its enrolment alone, whose chain goes up to the root that this profile pins.
 */
#pragma once

#include "producer/submit/submit.h"

struct notifier {
    char *name;
    struct key32 box;
};

/* The notifiers whose enrolment is in force, struct notifier: free with
 * notifiers_done(). -1: it could not be asked, or what was told can't be
 * trusted. */
int notifiers_find(struct submit *submit, struct list *ret_notifiers,
                   struct err *err);
void notifiers_done(struct list *notifiers);

/* Seals an invitation's seed to each of them, for the request of this id:
 * ret_sealed is struct sealed_seed, to be released with sealed_seeds_done(). */
int notifiers_seal(const struct submit *submit, const struct list *notifiers,
                   const unsigned char *seed, const char *email,
                   const struct id *request, struct list *ret_sealed,
                   struct err *err);
void sealed_seeds_done(struct list *sealed);
