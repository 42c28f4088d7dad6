/*
 * reload.c: a configuration that changed while the executor runs (HUP).
 *
 * The spawner is asked to read the file again, and answers with what it read:
 * so both halves go by the same bytes, a fault in either's part keeps all as it
 * is, and the file may be root's alone.
 */
#include "consumer/executor/executor.h"

void settings_take(struct executor *executor)
{
    struct daemon *daemon = executor->daemon;
    const struct config *config = &daemon->config;

    executor->slots = config_int(config, "executor", "slots");
    executor->heartbeat = config_int(config, "executor", "heartbeat") * 1000;
    executor->disk_wait = config_int(config, "executor", "disk_wait") * 1000;
    daemon_drain(daemon, config_int(config, "executor", "drain") * 1000);
}

int reload_ask(struct executor *executor, struct err *err)
{
    struct link_message message = link_message_of(LINK_RELOAD, &(struct id){0});

    return daemon_reload_asked(executor->daemon)
               ? link_send(executor->link, &message, err)
               : 0;
}

void on_reloaded(struct executor *executor, const struct link_message *message)
{
    struct daemon *daemon = executor->daemon;
    struct err err = {0};

    if (message->head.kind == LINK_KEPT) {
        (void)err_set(&err, ERR_REJECT, "%s", buf_text(&message->body));
    } else if (daemon_config_take(daemon, &message->body, &err) == 0) {
        settings_take(executor);
        return;
    }
    log_error(&daemon->log,
              "the configuration is not good: the one before it stays in force",
              L_ERR(&err));
}
