/*
 * secret.h: a run's secret parameters on their way: boxes in its run.start.
 *
 * Each secret is sealed on the asker's machine to each executor that may be the
 * one to need it (trust/sealed.h), and stands nowhere else: who is no recipient
 * sees a name and a length. Whoever is one finds all of the run's secrets.
 */
#pragma once

#include "base/fields.h"

#define SECRET_SHOWN "***" /* where others show a value */
#define SECRET_PURPOSE "secret parameter"
#define SECRET_MASKED_MIN 4  /* bytes; shorter ones are not hidden in output */
#define SECRET_BOX_MAX 12000 /* bytes, of a value of PARAMETER_VALUE_MAX */
#define SECRET_BOXES_MAX 256 /* what fits into a request */

struct secret_box {
    char *name;     /* the parameter's */
    struct hash to; /* the id of the box key that it is sealed to */
    struct buf box;
};

extern const struct field secret_box_item; /* of a list of them */

/* What can be told of boxes (struct secret_box) without opening any: each is of
 * a secret among the parameters (struct parameter), once for each recipient;
 * each recipient has all of them; none that is required is missing. REJECT. */
int secrets_check(const struct list *parameters, const struct list *boxes,
                  struct err *err);

/* Whether this run's secrets, where it has any, can be opened by that key. */
bool secrets_reach(const struct list *boxes, const struct hash *recipient);

/* Whether a secret of this name is among the boxes. */
bool secrets_hold(const struct list *boxes, const char *name);
