/*
 * founding.h: what init, verify and service enrol share: new passwords, a new
 * profile's files, key lines and what the root key signs.
 */
#pragma once

#include "model/enrolment.h"
#include "producer/submit/files.h"
#include "producer/submit/submit.h"

/* A new password, from a private file or (NULL) asked for twice; held to the
 * same rules either way. NULL: err. */
char *new_password(const char *question, const char *file, const char *instead,
                   const struct password_rules *rules, struct err *err);

/* -1 (status 65): no name for a daemon or a target. */
int name_check(const char *name, struct err *err);

/* key_line_read() with status 65. */
int key_line_check(const char *line, struct key32 *ret_key,
                   struct key32 *ret_box, struct err *err);

/* Signs an authorizer's enrolment with the root key, for 90 days from now;
 * fills in the payload's head and its end. */
int authorizer_sign(const struct key_pair *root, struct service_enrol *enrol,
                    struct envelope *ret_envelope, struct err *err);

/* Somebody who becomes a member on this machine. */
struct member {
    const char *directory;
    const struct key32 *root;
    const struct key_pair *keys;
    const char *password;         /* NULL: a machine's key, in clear */
    const struct list *enrolment; /* what names the key first */
    const char *brokers;          /* NULL, "": ERRAND_BROKERS, if it is set */
};

/* Writes enrolment.json, root.pub, and key.json where it is not there yet: in
 * this order, so that what was broken off is known by the first. */
int member_write(const struct member *member, struct files *files,
                 struct err *err);

/* Makes it a profile: writes config; one that is there keeps its lines. */
int member_config(const struct member *member, struct files *files,
                  struct err *err);
