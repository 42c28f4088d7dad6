/* verified.c: see verified.h. */
#include "trust/verified.h"

#include <stdlib.h>

#define PLACES 1024 /* a name has one, which the last that came there has */

struct verified {
    struct hash names[PLACES]; /* all zero: none */
};

struct verified *verified_new(void)
{
    return must_calloc(1, sizeof(struct verified));
}

void verified_free(struct verified *verified)
{
    free(verified);
}

struct hash verified_name(const struct hash *envelope,
                          const struct signature *signature,
                          const struct key32 *key)
{
    struct { /* all of them bytes: nothing is between them */
        struct hash envelope;
        struct signature signature;
        struct key32 key;
    } parts = {*envelope, *signature, *key};

    return hash_of(&parts, sizeof(parts));
}

static size_t place(const struct hash *name)
{
    return (name->b[0] | (size_t)name->b[1] << 8) % PLACES;
}

bool verified_has(const struct verified *verified, const struct hash *name)
{
    return verified != NULL && hash_equal(&verified->names[place(name)], name);
}

void verified_add(struct verified *verified, const struct hash *name)
{
    if (verified != NULL) {
        verified->names[place(name)] = *name;
    }
}
