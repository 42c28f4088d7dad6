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
