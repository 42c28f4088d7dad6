/* since.c: see since.h. Pure, but for the time zone. */
#include "producer/submit/since.h"

#include <stddef.h>
#include <time.h>

#include "base/clock.h"
#include "base/cleanup.h"

static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M",
                                    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                    "%Y-%m-%dT%H:%M:%S"};

static int parse_local(const char *text, int64_t *ret_moment)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            struct tm same = tm;
            time_t at = mktime(&tm);
            if (at == (time_t)-1 || tm.tm_mday != same.tm_mday) {
                return -1; /* no such day, as February 30 */
            }
            *ret_moment = (int64_t)at * 1000;
            return 0;
        }
    }
    return -1;
}

int since_parse(const char *text, int64_t now, int64_t *ret_moment,
                struct err *err)
{
    struct err ignored = {0};
    int64_t moment;
    int64_t seconds;

    if (duration_parse(text, &seconds, &ignored) == 0) {
        moment = now - seconds * 1000;
    } else if (time_parse(text, &moment, &ignored) != 0 &&
               parse_local(text, &moment) != 0) {
        return err_set(err, ERR_REJECT,
                       "expected how long ago (2d, 1h30m) or a time "
                       "(2026-11-24, '2026-11-24 03:27')");
    }
    if (moment > now) {
        return err_set(err, ERR_REJECT, "that is yet to come");
    }
    *ret_moment = moment < 0 ? 0 : moment;
    return 0;
}
