/*
 * vector.h: the cases of tests/vectors/good and bad, which
 * tests/vectors/make.py wrote with other people's libraries; README.md there
 * says what each holds.
 */
#pragma once

#include "trust/event.h"

enum verdict { VERDICT_NONE, VERDICT_GOOD, VERDICT_FORGED, VERDICT_REFUSED };

extern const struct words verdict_words;

struct vector {
    char *name; /* a sentence */
    int verdict;
    char *reason; /* refused: words of why; may be NULL */
    char *type;
    struct list keys; /* struct key32: the signers', in their order */
    char *record_key;
    char *value;             /* the record's, as a text … */
    struct buf value_base64; /* … or where it is none */
    struct list headers;     /* struct header; none: at rest, or sealed */
    struct list seeds;       /* unsigned char[64] */
    struct buf pae;          /* what is signed */
    struct hash hash;
    char *envelope;           /* at rest: a DSSE envelope's JSON */
    unsigned char opener[64]; /* seeds of who opens a sealed reply */
};

/* Calls for each case of each file in that folder; how many there were. */
size_t vectors_each(const char *folder,
                    void (*on_vector)(const struct vector *vector));

/* Fails the test, with the vector's name. */
_Noreturn void vector_fail(const struct vector *vector, const char *fmt, ...)
    _printf_(2, 3);

struct record vector_record(const struct vector *vector);

/* Reads a case as the daemons would: from headers and value, from the envelope
 * at rest, or from the box. Each key must have signed. err: why it is not good.
 */
enum verdict vector_judge(const struct vector *vector, struct err *err);

/* True when these, and these alone, signed it in this order. */
bool vector_signed(const struct vector *vector, const struct event *event);
