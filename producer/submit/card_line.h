/*
 * card_line.h: a card number typed at the terminal: in groups as on the card,
 * with its brand as soon as that is known; checked at Enter, and corrected
 * where it stands. Once it is good all but the last four digits are covered, so
 * that none stays on the screen or in what it remembers.
 */
#pragma once

#include "model/card.h"

/* A good number is in `digits` (of CARD_LINE_MAX bytes, locked memory) when
 * check() takes it. -1: broken off, or nobody to ask (`instead` helps). */
#define CARD_LINE_MAX (CARD_DIGITS_MAX + 5)

typedef int card_check(void *arg, char *digits, struct err *err);

int card_line(const char *question, const char *instead, card_check *check,
              void *arg, char *digits, struct err *err);
