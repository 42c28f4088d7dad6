/*
 * user.h: people and machine identities: roles, and the payloads by which they
 * come to be: root.init, user.invite, invitation.show, user.verify,
 * user.confirm (design: "Authority").
 *
 * A user's id is derived from the first key that stands for them, so that they
 * can be assigned to a command before they have followed their invitation.
 */
#pragma once

#include "model/request.h"

enum role { ROLE_NONE, ROLE_ADMINISTRATOR, ROLE_RUNNER, ROLE_RUNNER_BILLING };
enum user_state {
    USER_NONE,
    USER_INVITED,  /* the invitation was not followed yet */
    USER_VERIFIED, /* an administrator who waits to be confirmed */
    USER_ACTIVE,
    USER_REMOVED, /* for good */
};

extern const struct words role_words;
extern const struct words user_state_words;

#define EMAIL_MAX 254
#define NAME_MAX_CHARACTERS 100
#define NOTIFIERS_MAX 16
#define INVITATION_LIFE (72LL * 3600 * 1000)

struct root_init { /* signed by the root key */
    struct head head;
    char *email;
    struct id user;
    struct key32 key; /* the first administrator's own */
};

/* The invitation's seed for one notifier (trust/sealed.h, "invitation"). */
struct sealed_seed {
    struct hash to; /* the id of the notifier's box key */
    struct buf box;
};

struct user_invite { /* administrator's own key */
    struct request request;
    struct id user;
    struct key32 invitation; /* one-time key */
    char *email;
    int role;
    int64_t until;
    char *name;         /* as people call them; may be NULL */
    struct list sealed; /* struct sealed_seed: one a notifier; none: by hand */
};

/* Signed by the invitation key, by who knows no more than the code: `root` is
 * given by its first half alone, and `by` is the invitation key's id. */
struct invitation_show {
    struct request request; /* root: all zero */
    struct id root_half;
};

struct user_verify { /* invitation key and the new key, in this order */
    struct request request;
    struct id user;
    struct hash invite;
    struct key32 key;
    int64_t generation;
};

struct user_confirm { /* administrator's own key */
    struct request request;
    struct id user;
    struct key32 key;
    struct hash verify;
};

extern const struct table root_init_table;
extern const struct table user_invite_table;
extern const struct field sealed_seed_item;
extern const struct table invitation_show_table;
extern const struct table user_verify_table;
extern const struct table user_confirm_table;

/* The id of whoever this key first stands for. */
struct id user_id(const struct hash *root, const struct key32 *first_key);

/* Checks and lower-cases an address; the caller's to free. NULL (REJECT): not
 * one that mail could be sent to. What is taken is RFC 5321's dot-string at a
 * domain of letters, digits and hyphens, in ASCII: so nothing in it ends a
 * line, a header or a tag, and nothing in it can't be seen. */
char *email_normal(const char *text, struct err *err);

/* REJECT: no name to show people: empty, over 100 characters, or with one that
 * can't be seen or turns the reading direction. */
int display_name_check(const char *name, struct err *err);
