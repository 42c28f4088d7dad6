/*
 * wire.h: libcurl's transfers, several at once, none of them waited for.
 *
 * post.c (SMTP) and hook.c (HTTP) know what to send and what an end means; here
 * is how a transfer is carried on beside the others.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct wire;

struct wire *wire_new(void);
void wire_free(struct wire *wire);

/* One transfer; all zero: none goes. It stays where it is while one does. */
struct flight {
    CURL *easy;
    CURLcode result; /* CURLE_AGAIN: it still goes */
};

/* Begins; the handle is taken over. */
void wire_begin_take(struct wire *wire, struct flight *flight, CURL *easy);

/* Goes on: what it ended with; CURLE_AGAIN: not yet, or there is none. */
CURLcode wire_step(struct wire *wire, const struct flight *flight);

/* Breaks off what goes, and releases what has ended; again is fine. */
void wire_end(struct wire *wire, struct flight *flight);

/* Waits until a transfer goes on, or one of these descriptors is readable. */
void wire_wait(struct wire *wire, const int *fds, size_t n, int timeout_ms);
