/*
 * saved.h: names that people type, resolved: a command's newest version, a
 * user's id.
 *
 * The authorizer's answer only helps to find the envelopes; what is signed on
 * top of them (ids, versions, hashes, scripts) is taken from those alone, after
 * their chain was checked up to the pinned root.
 */
#pragma once

#include "producer/submit/submit.h"

/* What command.show tells; status 67: no such thing, or not yours. */
int command_ask(struct submit *submit, const char *name,
                struct command_answer *ret_answer, struct err *err);

/* A version, as it was saved; for administrators. */
struct saved {
    struct command_save save;
    struct hash hash;
    struct person author;
};

/* The newest. */
int saved_find(struct submit *submit, const char *name, struct saved *ret_saved,
               struct err *err);

/* That version (from 1); who signed it may have been ended since. Status 67:
 * there is none such. */
int saved_find_version(struct submit *submit, const char *name, int64_t version,
                       struct saved *ret_saved, struct err *err);

/* The same from an answer that is there. */
int saved_read(const struct submit *submit, const char *name,
               const struct command_answer *answer, struct saved *ret_saved,
               struct err *err);
void saved_done(struct saved *saved);
#define _cleanup_saved_ _cleanup_(saved_done)

/* What user.show tells of who has this e-mail, with either key. */
int user_ask(struct submit *submit, enum asker as, const char *email,
             struct user_answer *ret_answer, struct err *err);

/* The user with this e-mail, by their invitation (or root.init). */
int user_find(struct submit *submit, const char *email, struct id *ret_user,
              struct err *err);
