/*
 * qr.h: a text as a QR code (ISO/IEC 18004) for a terminal, in half blocks.
 *
 * Two modules share a character. With colour both are set explicitly, black on
 * white, so that it reads the same on dark and light terminals; without, blocks
 * are the light modules, as on a dark one. A quiet zone of two modules is part
 * of it. Lines end with \n.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* The caller's to free (it may hold a secret: qr_wipe()). NULL: the text is too
 * long for any code. */
char *qr_render(const char *text, bool colour, struct err *err);
void qr_wipe(char *code);
