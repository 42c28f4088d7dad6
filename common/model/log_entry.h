/*
 * log_entry.h: entries of the revocation log, errand.revocations: the requests
 * that take away or change standing (design: "Authority", rule 3).
 *
 * Each names its place: `seq` counts from 1, `prev` is the hash of the entry
 * before (of root.init for the first), so that none can be backdated, reordered
 * or left out. What an ended administrator signed is void, but for the
 * envelopes whose hashes stand in `keep`. target.set, in target.h, is an entry
 * too. An entry that names a person's key from then on (user.role, key.rotate)
 * says by `naming` which envelope named it before.
 */
#pragma once

#include "model/request.h"

#define KEEP_MAX 8000 /* hashes: an entry stays below Kafka's 1 MiB */

struct log_entry { /* what every entry opens with */
    struct request request;
    int64_t seq;
    struct hash prev;
    struct list keep; /* struct hash */
};

/* user.remove (for good), user.suspend, user.resume: administrator's own key */
struct user_standing {
    struct log_entry entry;
    struct id user;
};

struct user_role { /* administrator's own key */
    struct log_entry entry;
    struct id user;
    struct hash naming;
    struct key32 key; /* the person's, compared with them */
    int role;
};

/* A new invitation for somebody who is known: their keys and invitations before
 * are worth nothing from then on. Administrator's own key. */
struct user_reinvite {
    struct log_entry entry;
    struct id user;
    struct key32 invitation; /* one-time key */
    char *email;
    int role;
    int64_t until;
    int64_t generation; /* of the key that user.verify will name */
    struct list sealed; /* as in user.invite */
};

struct key_rotate { /* the old own key and the new one, in this order */
    struct log_entry entry;
    struct id user;
    struct hash naming;
    struct key32 key;
    int64_t generation; /* one more than before */
};

struct assignment_remove { /* administrator's own key */
    struct log_entry entry;
    struct id user;
    struct id command;
};

struct command_retire { /* administrator's own key */
    struct log_entry entry;
    struct id command;
};

struct service_revoke { /* administrator's own key */
    struct log_entry entry;
    struct hash service; /* hash of service.enrol */
};

extern const struct table log_entry_table;
extern const struct table user_standing_table;
extern const struct table user_role_table;
extern const struct table user_reinvite_table;
extern const struct table key_rotate_table;
extern const struct table assignment_remove_table;
extern const struct table command_retire_table;
extern const struct table service_revoke_table;
