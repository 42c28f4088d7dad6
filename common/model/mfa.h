/*
 * mfa.h: a person's second factor: the payloads mfa.set and mfa.reset, codes
 * on their way, recovery codes.
 *
 * The TOTP secret (RFC 6238: SHA-1, six digits, 30 s) is made on the person's
 * machine. It and every code travel sealed (trust/sealed.h), one box for each
 * enrolled authorizer, since any of them may be the one that decides. Recovery
 * codes are random and travel as hashes.
 */
#pragma once

#include "model/request.h"

#define TOTP_SECRET 20 /* bytes */
#define TOTP_DIGITS 6
#define TOTP_STEP 30000 /* ms */

#define RECOVERY_CODES 10
#define RECOVERY_CODE 10 /* random bytes, without the checksum */

#define AUTHORIZERS_MAX 16 /* enrolled at the same time */
#define SEALED_TO_MAX 1536 /* bytes of a box */

/* What their boxes are for; see sealed.h. */
#define PURPOSE_SECRET "totp secret"
#define PURPOSE_CODE "second factor" /* six digits, or a recovery code */
#define PURPOSE_FIRST "first code"

enum mfa_state {
    MFA_NONE,
    MFA_OFF,
    MFA_WANTED, /* it must be set up before a session is opened */
    MFA_ON,
    MFA_EXEMPT, /* a machine identity */
};

extern const struct words mfa_state_words;

struct sealed_to {
    struct hash recipient; /* the id of the box key that it is sealed to */
    struct buf box;
};

extern const struct field sealed_to_item;
void sealed_to_done(struct list *boxes);

struct mfa_set { /* user's own key */
    struct request request;
    struct list secret;   /* struct sealed_to */
    struct list code;     /* likewise: the first one by this secret */
    struct list current;  /* where a factor is on: a code of that one */
    struct list recovery; /* struct hash: recovery_hash() of each new code */
    struct key32 session; /* the one that may be opened without another code,
                             once, within the request's life; zero: none */
};

struct mfa_reset { /* administrator's own key */
    struct request request;
    struct id user;
};

extern const struct table mfa_set_table;
extern const struct table mfa_reset_table;

/* How a recovery code is known: nobody can guess 80 random bits back. */
struct hash recovery_hash(const struct id *user,
                          const unsigned char code[static RECOVERY_CODE]);
