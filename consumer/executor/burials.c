/* burials.c: see burials.h. */
#include "consumer/executor/burials.h"

#include <string.h>

struct burial {
    int64_t offset;
    size_t bytes;
    bool there; /* but one before it is not */
};

void burials_add(struct burials *burials, int64_t offset, size_t bytes)
{
    struct burial *burial = list_grow(&burials->on_way, sizeof(*burial));

    *burial = (struct burial){.offset = offset, .bytes = bytes};
    burials->bytes += bytes;
    burials->sent++;
}

/* Those in front that lie there are done with. */
static void drop_first(struct burials *burials)
{
    struct list *on_way = &burials->on_way;
    struct burial *all = on_way->items;
    size_t n = 0;

    while (n < on_way->n && all[n].there) {
        n++;
    }
    on_way->n -= n;
    memmove(all, all + n, on_way->n * sizeof(*all));
    if (on_way->n == 0) {
        burials_done(burials);
    }
}

void burials_there(struct burials *burials, uint64_t number)
{
    uint64_t first = burials->sent - burials->on_way.n;
    uint64_t at = number - first;

    if (at >= burials->on_way.n) {
        return;
    }
    struct burial *burial = &list_at(&burials->on_way, struct burial, at);
    burials->bytes -= burial->there ? 0 : burial->bytes;
    burial->there = true;
    drop_first(burials);
}

int64_t burials_from(const struct burials *burials, int64_t position)
{
    return burials->on_way.n == 0
               ? position
               : list_at(&burials->on_way, struct burial, 0).offset;
}

bool burials_full(const struct burials *burials)
{
    return burials->on_way.n >= BURIED_MAX || burials->bytes >= BURIED_BYTES;
}

void burials_done(struct burials *burials)
{
    free(burials->on_way.items);
    burials->on_way = (struct list){0};
}
