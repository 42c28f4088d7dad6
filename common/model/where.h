/*
 * where.h: where a command may run: `web-1`, a target by its name; `@role=web`,
 * every target with that label; `@all`, every target. And labels themselves.
 *
 * Pure words. Which targets they reach is the revocation log's to say, which
 * carries each target's labels, signed (trust/reach.h).
 */
#pragma once

#include "base/fields.h"

#define WHERE_MAX 130 /* bytes: '@', a name, '=', a value */
#define LABELS_MAX 32 /* of a target */

/* The form of one that is well formed, for field tables. */
extern const struct text_form where_form;

/* "web-1", not "@role=web". */
bool where_is_name(const char *where);

/* Whether it reaches a target with that name and these labels (struct pair). */
bool where_holds(const char *where, const char *name,
                 const struct list *labels);

/* A label's key is a name; its value 1 to 63 letters, digits, '.', '_' and '-',
 * a letter or digit first. -1: REJECT. */
int label_check(const char *key, const char *value, struct err *err);

/* Each of them, and not too many. -1: REJECT. */
int labels_check(const struct list *labels, struct err *err);

/* Sets one, or takes it away where the value is "". -1: REJECT. */
int labels_assign(struct list *labels, const char *key, const char *value,
                  struct err *err);
