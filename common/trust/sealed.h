/*
 * sealed.h: a secret on its way to one recipient, as a sealed box that says
 * inside what it is for (design: "Authority", rule 5).
 *
 * A sealed box has no sender: whoever knows the recipient's key can make one,
 * and put another's into a request of their own. So the box repeats what it
 * belongs to, and who opens it refuses where one of these differs from the
 * signed request that it came in. What was opened is wiped by sealed_wipe().
 */
#pragma once

#include "trust/keys.h"

#define SEALED_VALUE_MAX 8192

struct sealed {
    struct hash root;
    char *purpose;         /* "invitation", "totp secret", "card" … */
    struct hash signer;    /* the id of the key that signs the request */
    struct id request;     /* its id */
    struct hash recipient; /* the id of the box key that it is sealed to */
    char *name;            /* whose it is, or what it is called */
    struct buf value; /* at most SEALED_VALUE_MAX bytes; not in a pattern */
};

/* Seals the content to this key, which becomes its recipient. REJECT: a member
 * is out of its bounds. */
int sealed_make(const struct sealed *content, const struct key32 *to,
                struct buf *ret_box, struct err *err);

/*
 * Opens a box and compares everything but value and recipient with `pattern`;
 * the recipient must be this pair's own key. REJECT: it is not for this key, or
 * for something else (and the text says which member). ret_value is the
 * caller's: sealed_wipe().
 */
int sealed_open(const struct key_pair *pair, const struct buf *box,
                const struct sealed *pattern, struct buf *ret_value,
                struct err *err);

/* Overwrites and releases. */
void sealed_wipe(struct buf *value);

#define _cleanup_sealed_ _cleanup_(sealed_wipe)
