/* verified.c: see verified.h. */
#include "trust/verified.h"

#include <stdlib.h>
#include <string.h>

/* Each hash has one place; the last one to come there stays. */
#define NAMES 1024
#define EVENTS 512
#define KEPT_MAX (32U << 10) /* bytes of payload: larger ones are not kept */

struct verified {
    struct hash names[NAMES];     /* all zero: none */
    struct event *events[EVENTS]; /* NULL: none */
};

struct verified *verified_new(void)
{
    return must_calloc(1, sizeof(struct verified));
}

void verified_free(struct verified *verified)
{
    if (verified == NULL) {
        return;
    }
    for (size_t i = 0; i < EVENTS; i++) {
        event_free(verified->events[i]);
    }
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

static size_t place(const struct hash *hash, size_t places)
{
    return (hash->b[0] | (size_t)hash->b[1] << 8) % places;
}

bool verified_has(const struct verified *verified, const struct hash *name)
{
    return verified != NULL &&
           hash_equal(&verified->names[place(name, NAMES)], name);
}

void verified_add(struct verified *verified, const struct hash *name)
{
    if (verified != NULL) {
        verified->names[place(name, NAMES)] = *name;
    }
}

static bool same_signatures(const struct list *a, const struct list *b)
{
    return a->n == b->n &&
           (a->n == 0 ||
            memcmp(a->items, b->items, a->n * sizeof(struct signature)) == 0);
}

struct event *verified_event_take(struct verified *verified,
                                  const struct envelope *envelope,
                                  const struct hash *hash)
{
    if (verified == NULL) {
        return NULL;
    }
    struct event **kept = &verified->events[place(hash, EVENTS)];
    return *kept != NULL && hash_equal(&(*kept)->hash, hash) &&
                   same_signatures(&(*kept)->envelope.signatures,
                                   &envelope->signatures)
               ? take_ptr(*kept)
               : NULL;
}

void verified_keep_take(struct verified *verified, struct event *event)
{
    if (verified == NULL || event == NULL ||
        event->envelope.payload.len > KEPT_MAX) {
        event_free(event);
        return;
    }
    struct event **kept = &verified->events[place(&event->hash, EVENTS)];
    event_free(*kept);
    *kept = event;
}
