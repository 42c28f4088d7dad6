/*
 * card_form.h: a card as somebody types it at a terminal, or as a file or
 * standard input holds it. Never an argument, never a flag; and nobody is asked
 * for the security code.
 *
 * A file holds the three answers as three lines (number, name, expiry) or as
 * one JSON object, {"number": …, "name": …, "expiry": …}, all texts.
 */
#pragma once

#include "model/card.h"
#include "producer/submit/submit.h"

/* Checked, in locked memory. */
struct card_typed {
    char *number; /* digits alone */
    char *name;
    char expiry[MONTH_TEXT];
    enum brand brand;
};

/* From `path` ("-": stdin) or (NULL) asked for at the terminal, each answer
 * until it is a good one; --digits says how many digits the number has. */
int card_read(const struct submit *submit, const char *path,
              struct card_typed *ret_typed, struct err *err);

void card_typed_done(struct card_typed *typed);
#define _cleanup_typed_ _cleanup_(card_typed_done)

/* -1 (status 64): a security code, a number or another argument was given on
 * the command line. */
int card_refuse_words(const struct submit *submit, struct err *err);
