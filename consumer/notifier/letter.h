/*
 * letter.h: which letters an event asks for, and each as the bytes of a mail.
 *
 * Pure: the same news make the same bytes, so that a mail that is sent twice
 * (the server died before it said that it has it) is seen to be the same one:
 * Message-ID, Date and boundary follow from what it is about. Multipart, text
 * and HTML, both from one list of paragraphs.
 *
 * To add one: a row in letters[] (letter.c) and a word in model/mail.h; for a
 * kind of event that is new here, a row in news.c as well.
 */
#pragma once

#include "consumer/notifier/news.h"
#include "model/mail.h"

/* Who sends: the notifier's configuration. */
struct sender {
    const char *from;    /* an address */
    const char *brokers; /* what people are told: HOST:PORT,… */
};

/* The i-th letter that this kind of event asks for; LETTER_NONE: no more. */
enum letter letter_of(enum event_kind kind, size_t i);

/* Whom it is addressed to, by address and (NULL: none) by name. */
const char *letter_to(const struct news *news, enum letter letter);

/* Until when it is worth sending. */
int64_t letter_until(const struct news *news, enum letter letter);

/* Appends the mail; it may hold the code: sealed_wipe(). An invitation wants
 * news->open. -1: out of memory. */
int letter_make(const struct news *news, enum letter letter,
                const struct sender *sender, struct buf *out);
