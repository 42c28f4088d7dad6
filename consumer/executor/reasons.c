/* reasons.c: see reasons.h. */
#include "consumer/executor/reasons.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define REASON_MAX 800 /* bytes: what is missing may add to them */

/* Why the spawner refused may quote a script, in any bytes, or half a letter of
 * it. */
char *reason_shown(const char *words)
{
    char *reason = utf8_shown(words);
    size_t len = strlen(reason);

    for (len = len < REASON_MAX ? len : REASON_MAX; !utf8_is_good(reason, len);
         len--) {
    }
    reason[len] = '\0';
    return reason;
}

char *reason_with_missing(const char *reason, const struct missing *missing)
{
    _cleanup_buf_ struct buf text = {0};

    (void)buf_adds(&text, reason == NULL ? "" : reason);
    if (missing->dropped > 0) {
        (void)buf_addf(&text,
                       "%sonly the first %lld bytes of its output were kept, "
                       "%lld more were not%s",
                       text.len > 0 ? "; " : "", (long long)missing->kept,
                       (long long)missing->dropped,
                       missing->no_room ? ": this host's disk did not take them"
                                        : "");
    }
    if (missing->torn) {
        (void)buf_addf(&text,
                       "%ssome of its output is lost, nobody knows how much",
                       text.len > 0 ? "; " : "");
    }
    return text.len > 0 ? buf_take(&text) : NULL;
}
