/*
 * field_values.h: a JSON object of plain values, as people write one by hand:
 * texts as they are, numbers and true or false as JSON writes them.
 */
#pragma once

#include "base/fields.h"

/* Appends a struct pair for each member; pairs_done(). -1 (REJECT): says in
 * which line or of which member. */
int values_decode(const void *json, size_t n, struct list *ret_pairs,
                  struct err *err);
