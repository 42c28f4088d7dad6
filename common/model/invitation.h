/*
 * invitation.h: what somebody who is invited gets to hold: a code, or a block
 * to paste that holds the code and how the broker is reached.
 *
 * A code is 16 bytes of seed, the first half of the root's hash and a checksum
 * (codec.h). The block, of lines of at most 76 bytes, so that no mail breaks
 * them; what breaks them all the same does no harm, for a line that is none of
 * these continues the one before:
 *
 *     -----BEGIN ERRAND INVITATION-----
 *     brokers = kafka-1.example.org:9092,kafka-2.example.org:9092
 *     root = <the root's hash, in hex>
 *     code = <the code>
 *     check = <the first 4 bytes, in hex, of the hash of the tuple of the
 * three>
 *     -----END ERRAND INVITATION-----
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define INVITATION_SEED 16
#define INVITATION_CODE 32     /* bytes, without the checksum */
#define INVITATION_BROKERS 500 /* bytes at most */
#define INVITATION_TEXT_MAX 4096

struct ticket {
    unsigned char seed[INVITATION_SEED];
    struct id half;   /* of the root's hash */
    struct hash root; /* the whole one; zero: a bare code, which has none */
    char brokers[INVITATION_BROKERS + 1]; /* "": a bare code */
};

/* Overwrites it. */
void invitation_wipe(struct ticket *ticket);

/* The code, and the block, which is appended; both hold a secret: wipe them.
 * The code is the caller's to free. -1: out of memory. */
char *invitation_code(const struct ticket *ticket);
int invitation_block(const struct ticket *ticket, struct buf *out);

/* Reads a code or a text that has a block in it. REJECT says what is wrong. */
int invitation_read(const char *text, struct ticket *ret_ticket,
                    struct err *err);

/* True where this line begins a block, and where it ends one. */
bool invitation_begins(const char *line);
bool invitation_ends(const char *line);

/* REJECT: not `HOST:PORT[,HOST:PORT…]`, or over its bound. */
int brokers_check(const char *brokers, struct err *err);
