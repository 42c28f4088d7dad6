/*
 * enrolled.h: which daemons are enrolled, by what was signed.
 *
 * The authorizer tells of rows; what counts of a row is its enrolment, whose
 * chain goes up to a root that this profile pins. Rows that nobody signed are
 * passed over, with a warning.
 */
#pragma once

#include "model/enrolment.h"
#include "model/read.h"
#include "producer/submit/submit.h"
#include "trust/proof.h"

/* Asks for the services of that kind (0: of all). */
int services_ask(struct submit *submit, int kind,
                 struct services_answer *ret_answer, struct err *err);

struct enrolled {
    const struct service_row *row;
    const struct service_enrol *enrol;
};

struct enrolments {
    struct services_answer answer;
    struct proof *proof;
    struct list list; /* struct enrolled: by the moment that is signed, the
                         newest first; lends from the two above */
};

#define _cleanup_enrolments_ _cleanup_(enrolments_done)

/* Those of this name; kind 0: of any. */
int enrolments_ask(struct submit *submit, int kind, const char *name,
                   struct enrolments *ret_enrolments, struct err *err);
void enrolments_done(struct enrolments *enrolments);
