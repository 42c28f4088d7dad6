/*
 * host.h: what an executor's configuration says of its host: the keys that it
 * may have, and who its halves and its children are.
 */
#pragma once

#include "consumer/executor/permitted.h"
#include "service.h"

struct host {
    struct permitted permitted;
    struct account user; /* of the Kafka-facing half; no name: as it is */
    const char *state;   /* of the configuration */
};

/* An executor's own, beside the common ones. */
extern const struct config_key host_keys[10];

int host_read(const struct config *config, struct host *ret_host,
              struct err *err);
void host_done(struct host *host);

/* Whom the Kafka-facing half becomes; NULL: it stays who it is. */
const struct account *host_half(const struct host *host);

/* In the state directory, where the children's private ones are made; the
 * caller's to free. */
char *host_children(const struct host *host);
