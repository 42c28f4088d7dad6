/*
 * hook.h: one webhook: a POST at a time to where its file says, by libcurl,
 * without waiting for it.
 *
 * What is sent is the same each time, and so is `webhook-id`, by which a
 * receiver sees that it has it already; timestamp and signature are of the
 * try. 2xx: sent. 410, by which the specification lets a receiver leave:
 * refused for good. Everything else: later. Redirects are not followed,
 * certificates always checked, at most 64 KiB of an answer are read and none is
 * kept. The file is read at each try: who changes it restarts nothing. A reason
 * names the receiver's host at most: no path, which may be a secret.
 */
#pragma once

#include "base/id.h"
#include "consumer/notifier/post.h"

struct hook;

/* [webhook] says where the files are; its rows are notifier.c's. */
struct hook *hook_new(const struct config *config, struct wire *wire,
                      const char *name);
void hook_free(struct hook *hook);

/* Begins to send; `bytes` are borrowed until it ends. */
void hook_begin(struct hook *hook, const struct id *id,
                const struct buf *bytes);

/* As post_step(). away: whatever goes to this webhook would fare the same. */
enum post_verdict hook_step(struct hook *hook, bool *ret_away,
                            struct err *reason);
void hook_abort(struct hook *hook);

/* What an answer means; 0: there was none. */
enum post_verdict hook_verdict_of(long status, bool *ret_away);
