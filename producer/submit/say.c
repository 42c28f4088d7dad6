/* say.c: messages, on stderr; see submit.h. */
#include <stdio.h>

#include "producer/submit/harmless.h"
#include "producer/submit/submit.h"

void say(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    _cleanup_free_ char *whole = must_vprintf(fmt, args);
    va_end(args);
    _cleanup_free_ char *line = harmless_text(whole);
    (void)fprintf(stderr, "%s\n", line);
}
