/*
 * menu.h: `submit` alone, at a terminal: a person's commands, step by step.
 *
 * For who does not live in a terminal: what there is, numbered; what it asks
 * for; what will happen; how it ended, in a sentence. Everything is done by the
 * verbs, as if they had been typed; nothing is decided or checked here a second
 * time. While somebody thinks, no connection and no unlocked key is held.
 */
#pragma once

#include "producer/submit/submit.h"

/* Until somebody quits: 0. -1: what is wrong with the profile itself. */
int menu(struct submit *submit, struct err *err);
