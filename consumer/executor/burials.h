/*
 * burials.h: the dispatches that are on their way to errand.dead.
 *
 * They are sent without waiting for each, and their deliveries are told in any
 * order. The intake's position stays before the first that does not lie there
 * yet; so many, and of so many bytes, and nothing more is read until some do.
 */
#pragma once

#include "base/fields.h"

#define BURIED_MAX 500            /* records, */
#define BURIED_BYTES (8ULL << 20) /* and what they hold */

struct burials {
    struct list on_way; /* struct burial, in the order that they were sent */
    uint64_t sent;      /* ever: the number of the next */
    size_t bytes;       /* of those on their way */
};

void burials_add(struct burials *burials, int64_t offset, size_t bytes);

/* The one with this number lies there. */
void burials_there(struct burials *burials, uint64_t number);

/* Where the first of those on their way stood; none: `position`. */
int64_t burials_from(const struct burials *burials, int64_t position);

bool burials_full(const struct burials *burials);
void burials_done(struct burials *burials);
