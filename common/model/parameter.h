/*
 * parameter.h: what a command asks of who runs it, and the check of a value.
 *
 * Checked by the same code in submit (so that a person is told at once), in the
 * authorizer and in the executor. A value is UTF-8 text of at most 4,000 bytes,
 * never part of the script's text.
 */
#pragma once

#include "base/fields.h"

enum parameter_type {
    PARAMETER_NONE,
    PARAMETER_STRING,
    PARAMETER_INT,
    PARAMETER_NUMBER,
    PARAMETER_BOOL, /* true or false */
    PARAMETER_CHOICE,
    PARAMETER_PATH,   /* absolute, without . and .. */
    PARAMETER_DATE,   /* 2026-11-24 */
    PARAMETER_SECRET, /* never among arguments: secret.h */
    PARAMETER_FILE,   /* a file's content; as an argument: its base64 */
};

extern const struct words parameter_type_words;

#define PARAMETER_VALUE_MAX 4000
#define FILE_PARAMETER_MAX (40 * 1024) /* bytes; base64 fits into a request */
#define ARGUMENT_MAX (FILE_PARAMETER_MAX / 3 * 4 + 4) /* the longest of all */
#define PARAMETERS_MAX 64
#define CHOICES_MAX 1000

struct parameter {
    char *name; /* a name; ERRAND_PARAM_<NAME> with '-' as '_' */
    int type;
    bool required;
    char *fallback; /* "default"; NULL: none */
    char *fixed;    /* what it always is, whoever asks; NULL: it is asked for */
    char *help;
    struct list choices; /* char *: for a choice */
    char *min, *max;     /* limits.h; NULL: none */
    char *pattern;
    int64_t max_length; /* characters; 0: only PARAMETER_VALUE_MAX holds */
};

extern const struct table parameter_table;
extern const struct field parameter_item; /* of a list of them */

/* What a parameter itself must be beyond its members' bounds: choices for a
 * choice and no other, limits that fit its type, a default or a fixed value
 * that is good, and only one of these three: default, fixed, required. -1
 * (REJECT): says what, and in ret_member (may be NULL) which one. */
int parameter_sound(const struct parameter *parameter, const char **ret_member,
                    struct err *err);

/* -1 (REJECT): the value is not one of this parameter's; says why. */
int parameter_check(const struct parameter *parameter, const char *value,
                    struct err *err);

/* The parameter (struct parameter) of this name; NULL: there is none. */
const struct parameter *parameter_find(const struct list *parameters,
                                       const char *name);

/*
 * Checks arguments (struct pair) against parameters (struct parameter): each
 * known and good, none that is fixed or a secret (those are secrets_check()'s),
 * each other required one there. ret_values (may
 * be NULL): the arguments, what is fixed, and the defaults of what is absent,
 * in the parameters' order.
 */
int arguments_check(const struct list *parameters, const struct list *arguments,
                    struct list *ret_values, struct err *err);

#define PARAMETER_FOLDER ".parameters" /* no attachment has such a name */

/* Values (struct pair) as a child finds them: in the place of each file's
 * content where it lies below its private directory. */
void values_place_files(const struct list *parameters, const char *home,
                        struct list *values);

/* "ERRAND_PARAM_LOG_DIR" for "log-dir"; the caller's to free. */
char *parameter_variable(const char *name);
