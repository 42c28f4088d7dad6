/* say.c: messages, on stderr; see submit.h. */
#include <stdio.h>

#include "producer/submit/harmless.h"
#include "producer/submit/submit.h"

void say(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        abort();
    }
    _cleanup_free_ char *whole = text;
    _cleanup_free_ char *line = harmless_text(whole);
    (void)fprintf(stderr, "%s\n", line);
}
