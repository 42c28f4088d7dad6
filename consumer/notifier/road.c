/* road.c: see road.h. */
#include "consumer/notifier/road.h"

#include <string.h>

#include "consumer/notifier/wire.h"
#include "model/notify.h"

static struct road *add_road(struct roads *roads)
{
    struct road *road = must_calloc(1, sizeof(*road));

    *(struct road **)list_grow(&roads->list, sizeof(struct road *)) = road;
    return road;
}

int roads_open(struct roads *roads, const struct config *config,
               struct err *err)
{
    roads->config = config;
    roads->wire = wire_new();
    (void)add_road(roads);
    roads->post = post_new(config, roads->wire, err);
    return roads->post == NULL ? -1 : 0;
}

void roads_close(struct roads *roads)
{
    struct road *road;

    for (size_t i = 0; (road = roads_at(roads, i)) != NULL; i++) {
        hook_free(road->hook);
        free(road->to);
        free(road);
    }
    free(roads->list.items);
    post_free(roads->post);
    wire_free(roads->wire);
    *roads = (struct roads){.config = NULL};
}

struct road *roads_at(const struct roads *roads, size_t i)
{
    return i < roads->list.n ? list_at(&roads->list, struct road *, i) : NULL;
}

void roads_need(struct roads *roads, const char *to)
{
    const char *name = notify_webhook(to);
    struct road *road;

    for (size_t i = 0; (road = roads_at(roads, i)) != NULL; i++) {
        if (name == NULL || (road->to != NULL && strcmp(road->to, to) == 0)) {
            return;
        }
    }
    road = add_road(roads);
    road->to = must_strdup(to);
    road->hook = hook_new(roads->config, roads->wire, name);
}

bool road_is_for(const struct road *road, const struct mail *mail)
{
    return road->to == NULL ? notify_webhook(mail->to) == NULL
                            : strcmp(road->to, mail->to) == 0;
}

bool road_takes(const struct roads *roads, const struct id *id)
{
    const struct road *road;

    for (size_t i = 0; (road = roads_at(roads, i)) != NULL; i++) {
        if (id_equal(&road->going, id)) {
            return true;
        }
    }
    return false;
}

void road_begin(const struct roads *roads, struct road *road,
                const struct mail *mail)
{
    road->going = mail->id;
    if (road->hook != NULL) {
        hook_begin(road->hook, &mail->id, &mail->bytes);
    } else {
        post_begin(roads->post, mail->to, &mail->bytes);
    }
}

enum post_verdict road_step(const struct roads *roads, struct road *road,
                            bool *ret_away, struct err *reason)
{
    enum post_verdict verdict = road->hook != NULL
                                    ? hook_step(road->hook, ret_away, reason)
                                    : post_step(roads->post, ret_away, reason);

    if (verdict != POST_GOING) {
        road->going = (struct id){0};
    }
    return verdict;
}

void roads_abort(struct roads *roads)
{
    struct road *road;

    post_abort(roads->post);
    for (size_t i = 0; (road = roads_at(roads, i)) != NULL; i++) {
        if (road->hook != NULL) {
            hook_abort(road->hook);
        }
        road->going = (struct id){0};
    }
}

const char *road_section(const struct road *road)
{
    return road->hook != NULL ? "webhook" : "smtp";
}
