/* opened.c: see opened.h. */
#include "consumer/executor/opened.h"

#include <sodium.h>
#include <string.h>

#include "trust/sealed.h"

static const struct secret_box *
own_box(const struct list *boxes, const char *name, const struct hash *own)
{
    for (size_t i = 0; i < boxes->n; i++) {
        const struct secret_box *box = &list_at(boxes, struct secret_box, i);
        if (strcmp(box->name, name) == 0 && hash_equal(&box->to, own)) {
            return box;
        }
    }
    return NULL;
}

/* Whether it is the text that the asker's submit let through. */
static int check_value(const struct parameter *parameter,
                       const struct buf *value, struct err *err)
{
    if (value->len > 0 && memchr(value->data, '\0', value->len) != NULL) {
        return err_set(err, ERR_REJECT, "holds NUL");
    }
    return parameter_check(parameter, buf_text(value), err);
}

static int open_one(const struct order *order,
                    const struct parameter *parameter,
                    const struct key_pair *keys, struct list *opened,
                    struct err *err)
{
    struct hash own = key_id(&keys->box);
    const struct secret_box *box =
        own_box(&order->run->boxes, parameter->name, &own);
    struct sealed pattern = {.root = order->root,
                             .purpose = (char *)SECRET_PURPOSE,
                             .signer = order->signer,
                             .request = order->run->request.head.id,
                             .name = parameter->name};
    _cleanup_sealed_ struct buf value = {0};

    if (box == NULL) {
        return secrets_hold(&order->run->boxes, parameter->name)
                   ? err_set(err, ERR_REJECT, "not sealed to this host")
                   : 0;
    }
    if (sealed_open(keys, &box->box, &pattern, &value, err) != 0 ||
        check_value(parameter, &value, err) != 0) {
        return -1;
    }
    struct opened *to = list_grow(opened, sizeof(*to));
    *to = (struct opened){parameter->name, value};
    value = (struct buf){0};
    return 0;
}

int secrets_open(const struct order *order, const struct key_pair *keys,
                 struct list *ret_opened, struct err *err)
{
    const struct list *parameters = &order->command->parameters;
    _cleanup_secrets_ struct list opened = {0};

    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        if (one->type == PARAMETER_SECRET &&
            open_one(order, one, keys, &opened, err) != 0) {
            return err_wrap(err, "%s", one->name);
        }
    }
    *ret_opened = opened;
    opened = (struct list){0};
    return 0;
}

void secrets_wipe(struct list *opened)
{
    for (size_t i = 0; i < opened->n; i++) {
        sealed_wipe(&list_at(opened, struct opened, i).value);
    }
    free(opened->items);
    *opened = (struct list){0};
}

void opened_add_environment(const struct list *opened, struct list *environment)
{
    for (size_t i = 0; i < opened->n; i++) {
        const struct opened *one = &list_at(opened, struct opened, i);
        _cleanup_free_ char *name = parameter_variable(one->name);
        size_t len = strlen(name);
        char **to = list_grow(environment, sizeof(*to));
        *to = must_calloc(1, len + 1 + one->value.len + 1);
        memcpy(*to, name, len);
        (*to)[len] = '=';
        if (one->value.len > 0) {
            memcpy(*to + len + 1, one->value.data, one->value.len);
        }
    }
}

void opened_wipe_texts(struct list *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        char *text = list_at(texts, char *, i);
        if (text != NULL) {
            sodium_memzero(text, strlen(text));
        }
    }
    texts_done(texts);
}
