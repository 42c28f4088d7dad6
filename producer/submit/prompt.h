/*
 * prompt.h: asking the person at the terminal: passwords, codes, yes or no.
 *
 * Questions go to the terminal itself (/dev/tty), never to stdout. Where there
 * is none, nothing is asked: an error says which flag answers instead. Secrets
 * are in locked memory, to be released with secret_free().
 */
#pragma once

#include <stdbool.h>

#include "producer/submit/password.h"

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

/* Whether a question waits for its answer now: for who handles Ctrl-C. Each
 * that asks at the terminal says so while it reads. */
bool prompt_waits(void);
void prompt_set_waits(bool waits);

/* A secret, without echo. `instead` is what helps where nobody can be asked
 * ("--password-file FILE"). NULL: status 64 or 77 … in err. */
char *prompt_secret(const char *question, const char *instead, struct err *err);

/* A password that is new: twice, and good enough by password_check(). */
char *prompt_new_password(const char *question, const char *instead,
                          const struct password_rules *rules, struct err *err);

/* The first line of a private file (others must not be able to read it). */
char *secret_from_file(const char *path, struct err *err);

/* A code, or the text of a block (model/invitation.h): from a private file,
 * from stdin ("-"), or (NULL) typed or pasted at the terminal, with echo. */
char *prompt_code(const char *question, const char *path, const char *instead,
                  struct err *err);

/* The first line of that alone. */
char *prompt_line(const char *question, const char *path, const char *instead,
                  struct err *err);

/* Shows a secret: to the terminal itself, whatever stdout and stderr are. */
int prompt_show(const char *text, struct err *err);

/* 1: yes, 0: no; -1: nobody to ask; `instead` as above ("--yes"). */
int prompt_yes(const char *question, const char *instead, struct err *err);
