/*
 * post.h: one mail at a time to an SMTP server, by libcurl, without waiting for
 * it.
 *
 * What the server says decides: 2xx for the whole: sent; 5xx for the recipient
 * or the text: refused, for good; everything else (it is away, slow, full,
 * wants another password, dies in the middle): later, the same bytes again. A
 * certificate is always checked where TLS is spoken.
 */
#pragma once

#include "base/buf.h"
#include "io/config.h"

enum post_verdict { POST_GOING, POST_SENT, POST_LATER, POST_REFUSED };

struct post;

struct wire;

/* Reads [smtp], whose rows are notifier.c's. NULL: status 78. */
struct post *post_new(const struct config *config, struct wire *wire,
                      struct err *err);
void post_free(struct post *post);

/* Begins to send; `bytes` are borrowed until it ends. Nothing else goes. */
void post_begin(struct post *post, const char *to, const struct buf *bytes);

/* Goes on. Not GOING: it has ended, and `reason` says how it did. away: the
 * server itself is the reason, whatever the mail. */
enum post_verdict post_step(struct post *post, bool *ret_away,
                            struct err *reason);

/* Breaks off what goes. */
void post_abort(struct post *post);

/* What a dialogue that ended so means. code: the server's last; verb: of the
 * last command that it was sent ("RCPT"). */
enum post_verdict post_verdict_of(bool good, long code, const char *verb);
