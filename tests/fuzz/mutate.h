/*
 * mutate.h: changes a text of lines with JSON in them (forge.h) so that it
 * mostly stays one: a member, an item, a value, a whole line, a signer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's own, for plain bytes; and the one that it asks for. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);
