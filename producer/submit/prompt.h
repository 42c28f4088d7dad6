/*
 * prompt.h: asking the person at the terminal: passwords, codes, yes or no.
 *
 * Questions go to the terminal itself (/dev/tty), never to stdout. Where there
 * is none, nothing is asked: an error says which flag answers instead. Secrets
 * are in locked memory, to be released with secret_free().
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define PASSWORD_MIN 15 /* characters, of passwords that are new */
#define SECRET_MAX 1024
#define CODE_MAX 4096 /* a code, or the block that it came in */

void secret_free(char *secret);
static inline void secret_release(char **secret)
{
    secret_free(*secret);
}
#define _cleanup_secret_ _cleanup_(secret_release)

/* True when somebody can be asked. */
bool prompt_can(void);

/* A secret, without echo. `instead` is what helps where nobody can be asked
 * ("--password-file FILE"). NULL: status 64 or 77 … in err. */
char *prompt_secret(const char *question, const char *instead, struct err *err);

/* A password that is new: twice, long and strong enough. `about` (NULL-ended)
 * are words that don't make it stronger, such as the e-mail. */
char *prompt_new_password(const char *question, const char *instead,
                          const char *const *about, struct err *err);

/* -1 (status 65): too short, or too easy to guess. */
int password_check(const char *password, const char *const *about,
                   struct err *err);

/* The first line of a private file (others must not be able to read it). */
char *secret_from_file(const char *path, struct err *err);

/* A code, or the text of a block (model/invitation.h): from a private file,
 * from stdin ("-"), or (NULL) typed or pasted at the terminal, with echo. */
char *prompt_code(const char *question, const char *path, const char *instead,
                  struct err *err);

/* 1: yes, 0: no; -1: nobody to ask; `instead` as above ("--yes"). */
int prompt_yes(const char *question, const char *instead, struct err *err);
