/*
 * console.h: a conversation at a terminal, in plain lines: what is said, what
 * may be typed, what was typed.
 *
 * Nothing is drawn, coloured or written over, so that it reads the same on a
 * small screen, on paper and to a screen reader. Lines are wrapped to the
 * terminal's width, lists come in pages of its height. All texts are made
 * harmless on their way out. At every question `b` goes back, as Ctrl-C does,
 * and `q` quits, as Ctrl-D does; what stands in double quotes is taken as it is
 * without them. What was typed before a question was asked is no answer to it.
 */
#pragma once

#include "base/fields.h"

enum typed {
    TYPED_TEXT,
    TYPED_BACK,
    TYPED_QUIT,
};

struct answer {
    enum typed how;
    bool quoted; /* it stood in quotes: no command, no number */
    char *text;  /* without blanks around it; "" for Enter alone */
};

void answer_done(struct answer *answer);
#define _cleanup_answer_ _cleanup_(answer_done)

/* Whether somebody sits at both ends of this process. */
bool console_can(void);

/* Ctrl-C from now on: at a question it goes back; at work it ends the process,
 * with status 75. Again after whoever set another handler, or blocked the
 * signal. */
void console_interrupts(void);

/* Whether Ctrl-C was pressed at a question since this was asked last. */
bool console_interrupted(void);

/* An empty line; and a text, with `indent` spaces before its lines. */
void console_gap(void);
void console_say(const char *fmt, ...) _printf_(1, 2);
void console_note(size_t indent, const char *fmt, ...) _printf_(2, 3);

/* The question, what may be typed, and a line. `may`: what beside b and q, as
 * "Enter for /var"; NULL: nothing. `back`: b is among what is told. For
 * answer_done(). */
struct answer console_ask(const char *question, const char *may, bool back);

/* The same of a list: a page at a time, each item with its number. Gives the
 * number that was typed, from 1; 0: the text is none of the list's. */
struct pick {
    const char *question;
    const char *may;          /* as above */
    const struct list *items; /* char * */
    const struct list *below; /* char *: what stands below each; NULL: none */
    bool plain;               /* without numbers: what is typed is a text */
    bool back;                /* as above */
};

struct answer console_pick(const struct pick *pick, size_t *ret_number);
