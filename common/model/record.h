/*
 * record.h: one Kafka record, as it was read or as it shall be written.
 *
 * Owns everything in it. Of the headers only those of the CloudEvents binding
 * and `errand-*` mean anything to us; they are kept in the order they came in,
 * and repeated ones are kept too.
 */
#pragma once

#include "base/fields.h"

#define PARTITION_BY_KEY (-1) /* murmur2 of the key, as Java's clients do */

struct header {
    char *name;
    char *value; /* text; one that holds a NUL is left out when reading */
};

struct record {
    char *topic;
    int64_t partition;
    int64_t offset;    /* where it was read */
    int64_t timestamp; /* the broker's or the producer's, ms */
    struct buf key;
    struct buf value;
    struct list headers; /* struct header */
};

#define _cleanup_record_ _cleanup_(record_done)

void record_done(struct record *record);

void record_header_add(struct record *record, const char *name,
                       const char *value);

/* The value of the n-th header of that name, from 0; NULL: there is none. */
const char *record_header(const struct record *record, const char *name,
                          size_t n);
