/*
 * road.h: the ways by which things leave: one for all mail, one for each
 * webhook.
 *
 * One thing at a time goes by each, and none waits for another's: a receiver
 * that is away or slow holds up what is for itself alone.
 */
#pragma once

#include "consumer/notifier/hook.h"
#include "consumer/notifier/outbox.h"

struct road {
    char *to;           /* "webhook:NAME"; NULL: mail */
    struct hook *hook;  /* NULL: mail */
    struct id going;    /* what goes; zero: nothing */
    int64_t away_until; /* by the steady clock: nobody is tried before */
    int64_t away_tries;
};

struct roads {
    const struct config *config;
    struct wire *wire;
    struct post *post;
    struct list list; /* struct road *: mail's first */
};

/* -1: status 78. */
int roads_open(struct roads *roads, const struct config *config,
               struct err *err);
void roads_close(struct roads *roads);

/* Makes sure that there is one for this address or webhook. */
void roads_need(struct roads *roads, const char *to);

/* The i-th; NULL: no more. */
struct road *roads_at(const struct roads *roads, size_t i);

/* Whether this mail goes by this road. */
bool road_is_for(const struct road *road, const struct mail *mail);

/* True while what has this id goes. */
bool road_takes(const struct roads *roads, const struct id *id);

void road_begin(const struct roads *roads, struct road *road,
                const struct mail *mail);
enum post_verdict road_step(const struct roads *roads, struct road *road,
                            bool *ret_away, struct err *reason);

/* Breaks off all that goes. */
void roads_abort(struct roads *roads);

/* The section of the configuration that a road's waits stand in. */
const char *road_section(const struct road *road);
