/*
 * firing.h: ticks of schedules, said in time (design: "When").
 *
 * In come the schedules that run, from PostgreSQL; out go run.tick requests,
 * signed by the scheduler's key. A tick is said again until PostgreSQL shows
 * that it was decided; its id is derived, so it is decided once, whoever says
 * it how often. What starts is what the schedule's author signed: this only
 * says when, and on which targets their labels are by now.
 */
#pragma once

#include "service.h"

struct firing;

/* daemon: the own one, borrowed. */
struct firing *firing_new(struct daemon *daemon);
void firing_free(struct firing *firing);

/* Looks at all schedules, and says what is due. */
int firing_look(struct firing *firing, struct err *err);
