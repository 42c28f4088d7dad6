/*
 * hook_keys.h: where a webhook goes, and how what goes there is signed.
 *
 * A webhook's file is private; its first line is the URL, each further one a
 * secret: `whsec_` and 24 to 64 bytes in base64. With several of them there are
 * as many signatures, so that a receiver changes over from one to the next. URL
 * and secrets stand in locked memory and in no message.
 *
 * Pure. Signatures are those of Standard Webhooks 1.0
 * (https://www.standardwebhooks.com): HMAC-SHA256 over ID "." TIMESTAMP "."
 * BODY, the body being the bytes that are sent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define HOOK_FILE_MAX 4096
#define HOOK_SECRETS_MAX 4

struct hook_keys;

/* Reads a file's text. NULL (REJECT): what is wrong with it, by its lines. */
struct hook_keys *hook_keys_read(const char *text, struct err *err);
void hook_keys_free(struct hook_keys *keys);

const char *hook_url(const struct hook_keys *keys);

/* Appends the value of `webhook-signature`. timestamp: seconds. -1: out of
 * memory. */
int hook_sign(const struct hook_keys *keys, const char *id, int64_t timestamp,
              const struct buf *body, struct buf *out);
