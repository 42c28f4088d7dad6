/*
 * id.h: identifiers and hashes.
 *
 * An id is 16 bytes, written as a UUID: version 7 (RFC 9562: 48 bits of
 * milliseconds, then random) where a person makes it; or the first 16 bytes of
 * a SHA-256 where it is derived. A hash is a SHA-256, written in lower-case
 * hex. The hash of a tuple is SHA-256 over its parts, each as `LEN SP bytes`,
 * LEN in decimal, as in DSSE's pre-authentication encoding.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct id {
    unsigned char b[16];
};

struct hash {
    unsigned char b[32];
};

struct part {
    const void *bytes;
    size_t len;
};

#define ID_TEXT 37   /* bytes of a formatted id, with its NUL */
#define HASH_TEXT 65 /* the same for a hash */

/* A new version 7 id for this moment; a random one of 16 bytes. */
struct id id_new(int64_t now);
struct id id_random(void);

/* A version 8 id: 48 bits of a moment's milliseconds, then what a hash has in
 * those places. */
struct id id_at(int64_t moment, const struct hash *hash);

/* The milliseconds in a version 7 or 8 id's first 48 bits. */
int64_t id_time(const struct id *id);

/* 7 for what people make, 8 for what is derived from a moment, … */
int id_version(const struct id *id);

void id_format(const struct id *id, char text[static ID_TEXT]);
void hash_format(const struct hash *hash, char text[static HASH_TEXT]);

/* The canonical (lower-case) form only; -1: not one. */
int id_parse(const char *text, struct id *ret_id);
int hash_parse(const char *text, struct hash *ret_hash);

bool id_equal(const struct id *a, const struct id *b);
bool hash_equal(const struct hash *a, const struct hash *b);
bool id_is_zero(const struct id *id);
bool hash_is_zero(const struct hash *hash);

struct hash hash_of(const void *bytes, size_t n);
struct hash hash_tuple(const struct part *parts, size_t n);

/* A hash's first 16 bytes. */
struct id id_of_hash(const struct hash *hash);
