/*
 * confine.h: how the Kafka-facing half gives up what it does not need, once the
 * spawner was forked and before librdkafka starts.
 *
 * It becomes its own user, without a capability and without a way to new
 * privileges, and a seccomp filter takes from it what a broker's bytes could
 * use if they ever came to be run: other programs, other processes' memory,
 * mounts, namespaces, the kernel's own insides. The filter names what is
 * refused (EPERM) and lets the rest through: librdkafka, OpenSSL and the C
 * library change what they call from one update to the next, and a list of what
 * they may would stop hosts that nobody looks at. What counts is out of reach
 * either way: who can't become another user, start a program or read the
 * spawner gains nothing from the calls that are left.
 */
#pragma once

#include <stdbool.h>

#include "base/account.h"

/* Neither a core file nor another process of this user gets to see this one's
 * memory. For both halves. */
int confine_memory(struct err *err);

/* For good; `account` NULL: stays who it is. FATAL: something of it could not
 * be done, and nothing may start. */
int confine_self(const struct account *account, struct err *err);

/* Whether the kernel takes seccomp filters. */
bool confine_has_filters(void);
