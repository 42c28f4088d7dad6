/*
 * fuzz_command_file.c: any bytes as a command's file.
 *
 * What is refused says where; what is taken can be signed, holds the file byte
 * for byte, and is the same when read again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "model/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_buf_ struct buf json = {0};
    struct command_save command;
    struct command_save again;
    struct err err = {0};

    if (command_read("f", data, size, &command, &err) != 0) {
        assert(err.kind == ERR_REJECT && strncmp(err.text, "f:", 2) == 0);
        return 0;
    }
    assert(command.script.len == size);
    assert(memcmp(command.script.data, data, size) == 0);
    assert(command_check(&command, &err) == 0);
    command.version = 1;
    command.request.head.issued = 1;
    int done = table_encode(&command_save_table, &command, &json, &err);
    assert(done == 0);
    done = table_decode(&command_save_table, json.data, json.len, &again, &err);
    assert(done == 0);
    (void)done;
    assert(command_check(&again, &err) == 0);
    assert(strcmp(again.name, command.name) == 0);
    assert(again.parameters.n == command.parameters.n);
    table_done(&command_save_table, &again);
    table_done(&command_save_table, &command);
    return 0;
}
