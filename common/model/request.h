/*
 * request.h: what every signed payload opens with, and what makes one a
 * request (design: "Signatures and payloads").
 *
 * `root` is the hash of the root key: no payload of another installation means
 * anything here. `by` is the hash of the envelope that gives the signer the
 * right; in root-signed documents it is the root's own hash. A request says
 * until when it may first be decided, and where and under which box key its
 * replies go. Structs of payloads begin with one of the two, at offset 0.
 */
#pragma once

#include "base/fields.h"

#define REQUEST_LIFE 300000 /* ms that a request may wait to be decided */
#define CLOCK_SKEW 30000    /* ms by which clocks may differ */

struct key32 {
    unsigned char b[32]; /* a raw public key, Ed25519 or X25519 */
};

struct head {
    struct hash root;
    struct id id;
    int64_t issued;
    struct hash by;
};

struct reply_to {
    int64_t partition; /* of errand.replies */
    struct key32 box;  /* the asking process's one-time X25519 key */
};

struct request {
    struct head head;
    int64_t expires;
    struct reply_to reply;
};

extern const struct table head_table;
extern const struct table reply_to_table;
extern const struct table request_table;

/* A request of nothing but itself: the payload of plain reads. */
struct plain_request {
    struct request request;
};

extern const struct table plain_request_table;

/* Fills the members of a new head, and of a new request. */
struct head head_new(const struct hash *root, const struct hash *by,
                     int64_t now);

/* A public key's id: its SHA-256. */
struct hash key_id(const struct key32 *key);
