/*
 * envelope.h: a signed payload at rest: the DSSE JSON envelope.
 *
 * https://github.com/secure-systems-lab/dsse, protocol.md: payloadType, payload
 * in base64, signatures with a key id each. Only the shape is here; making and
 * checking signatures is trust/dsse.h.
 */
#pragma once

#include "model/request.h"

#define ENVELOPE_SIGNERS_MAX 2
#define PROOF_MAX 64 /* envelopes that a dispatch or a reply may carry */

struct signature {
    struct hash key; /* the key's id; helps to find it, no more */
    unsigned char b[64];
};

struct envelope {
    char *type; /* errand.<verb>.v1 */
    struct buf payload;
    struct list signatures; /* struct signature */
};

/* Several, flat, in any order: struct envelope. */
struct envelopes {
    struct list list;
};

extern const struct table envelope_table;
extern const struct table envelopes_table;
extern const struct field envelope_item;

void envelope_done(struct envelope *envelope);
void envelopes_done(struct list *envelopes);

#define _cleanup_envelope_ _cleanup_(envelope_done)
#define _cleanup_envelopes_ _cleanup_(envelopes_done)

/* Deep copies: of one, and appended to a list. */
struct envelope envelope_dup(const struct envelope *envelope);
void envelopes_add(struct list *envelopes, const struct envelope *envelope);

/* One envelope as JSON, and back. */
int envelope_encode(const struct envelope *envelope, struct buf *out,
                    struct err *err);
int envelope_decode(const void *json, size_t n, struct envelope *ret_envelope,
                    struct err *err);
