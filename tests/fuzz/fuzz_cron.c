/*
 * fuzz_cron.c: any text as a schedule and as a time, any bytes as a time zone's
 * file.
 *
 * In: a schedule, a newline, a zone's file; what is no such file is UTC. What
 * is refused says why; what is taken fires forwards, in minutes that the
 * schedule holds and the zone's clock shows or skips, and each tick is due.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "model/once.h"

#define TICKS 50
#define MINUTE_MS 60000
#define START INT64_C(1782864000000) /* 2026-07-01T00:00Z */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tick(const struct cron *cron, const struct zone *zone,
                       const struct tick *before, const struct tick *tick)
{
    int64_t local;
    int64_t shown = zone_local(zone, tick->moment);

    assert(tick->moment > before->moment ||
           (tick->moment == before->moment && tick->local > before->local));
    assert(cron_match(cron, tick->local, tick->local + 1, &local));
    assert(tick->local % MINUTE_MS == 0 && local == tick->local);
    assert(tick->local == shown || (tick->local < shown && !cron->wild));
    assert(tick->fold == 0 || tick->local == shown);
    assert(tick_is_due(cron, zone, tick));
}

static void check_ticks(const struct cron *cron, const struct zone *zone)
{
    struct tick tick = tick_start(START);

    for (int i = 0; i < TICKS; i++) {
        struct tick before = tick;
        if (!tick_next(cron, zone, &tick, &tick)) {
            return;
        }
        check_tick(cron, zone, &before, &tick);
    }
}

static void check_once(const char *text, const struct zone *zone)
{
    struct tick tick;
    struct err err = {0};

    if (once_parse(text, zone, &tick, &err) == 0) {
        assert(tick.moment >= 0 && tick.moment <= TICK_MOMENT_MAX);
        assert(tick.local == zone_local(zone, tick.moment));
    } else {
        assert(err.kind == ERR_REJECT && strlen(err.text) < 400);
    }
}

static struct zone *zone_from(const uint8_t *data, size_t size)
{
    static const char utc[] =
        "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
        "\0\0\0\0\0\0UTC\0\nUTC0\n";
    struct err err = {0};
    struct zone *zone = zone_read(data, size, &err);

    if (zone == NULL) {
        assert(err.kind == ERR_REJECT && err.text[0] != '\0');
        zone = zone_read(utc, sizeof(utc) - 1, &err);
        assert(zone != NULL);
    }
    return zone;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t len = end == NULL ? size : (size_t)(end - data);
    _cleanup_free_ char *text = must_calloc(len + 1, 1);
    struct cron cron;
    struct err err = {0};

    memcpy(text, data, len);
    len += end != NULL;
    _cleanup_zone_ struct zone *zone = zone_from(data + len, size - len);
    check_once(text, zone);
    if (cron_parse(text, &cron, &err) == 0) {
        check_ticks(&cron, zone);
    } else {
        assert(err.kind == ERR_REJECT && strlen(err.text) < 400);
    }
    return 0;
}
