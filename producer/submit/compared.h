/*
 * compared.h: a key as two people compare it over another channel: six words
 * (66 bits of its id), and for programs its fingerprint in hex.
 */
#pragma once

#include "model/key_words.h"
#include "producer/submit/submit.h"

/* For -o json and jsonl alone: {"email", "words", "fingerprint"}. */
int key_print(const struct submit *submit, const char *email,
              const struct key32 *key, struct err *err);

/* Shows the six words, and asks whether they are theirs (--yes says so).
 * Returns 1 (yes), 0 (no), -1. */
int key_compare(const struct submit *submit, const struct person *person,
                struct err *err);
