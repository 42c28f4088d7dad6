/* answer.c: see answer.h. */
#include "model/answer.h"

#include "model/enrolment.h"
#include "model/user.h"

WORDS(execution_state_words, "planned", "waiting", "claimed", "running",
      "ended");

static const struct field made_answer_fields[] = {
    {"hash", FIELD_HASH, .optional = true,
     .at = offsetof(struct made_answer, hash)},
    {"id", FIELD_ID, .optional = true, .at = offsetof(struct made_answer, id)},
    {"version", FIELD_INT, .optional = true,
     .at = offsetof(struct made_answer, version)},
};

const struct table made_answer_table = {.name = "made answer",
                                        TABLE(made_answer_fields),
                                        .size = sizeof(struct made_answer),
                                        .open = true};

static const struct field service_row_fields[] = {
    {"kind", FIELD_WORD, .words = &service_kind_words,
     .at = offsetof(struct service_row, kind)},
    {"state", FIELD_WORD, .words = &service_state_words,
     .at = offsetof(struct service_row, state)},
    {"name", FIELD_NAME, .at = offsetof(struct service_row, name)},
    {"target", FIELD_NAME, .optional = true,
     .at = offsetof(struct service_row, target)},
    {"enrolled", FIELD_TIME, .at = offsetof(struct service_row, enrolled)},
    {"enrolled_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct service_row, enrolled_by)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct service_row, until)},
    {"hash", FIELD_HASH, .at = offsetof(struct service_row, hash)},
};

static const struct table service_row_table = {.name = "service row",
                                               TABLE(service_row_fields),
                                               .size =
                                                   sizeof(struct service_row),
                                               .open = true};

static const struct field service_row_item = {
    .name = "service", .kind = FIELD_TABLE, .table = &service_row_table};

static const struct field services_answer_fields[] = {
    {"services", FIELD_LIST, .item = &service_row_item,
     .at = offsetof(struct services_answer, services)},
    {"envelopes", FIELD_LIST, .optional = true, .max = 4000,
     .item = &envelope_item, .at = offsetof(struct services_answer, envelopes)},
};

const struct table services_answer_table = {.name = "services answer",
                                            TABLE(services_answer_fields),
                                            .size =
                                                sizeof(struct services_answer),
                                            .open = true};

static const struct field signed_row_fields[] = {
    {"hash", FIELD_HASH, .at = offsetof(struct signed_row, hash)},
    {"what", FIELD_TEXT, .at = offsetof(struct signed_row, what)},
    {"name", FIELD_TEXT, .at = offsetof(struct signed_row, name)},
};

static const struct table signed_row_table = {.name = "signed",
                                              TABLE(signed_row_fields),
                                              .size = sizeof(struct signed_row),
                                              .open = true};

static const struct field signed_row_item = {
    .name = "item", .kind = FIELD_TABLE, .table = &signed_row_table};

static const struct field signed_answer_fields[] = {
    {"rows", FIELD_LIST, .item = &signed_row_item, .max = 8000,
     .at = offsetof(struct signed_answer, rows)},
};

const struct table signed_answer_table = {.name = "signed answer",
                                          TABLE(signed_answer_fields),
                                          .size = sizeof(struct signed_answer),
                                          .open = true};

static const struct field rules_answer_fields[] = {
    {"rules", FIELD_TABLE, .table = &rules_table,
     .at = offsetof(struct rules_answer, rules)},
    {"version", FIELD_INT, .optional = true,
     .at = offsetof(struct rules_answer, version)},
    {"hash", FIELD_HASH, .optional = true,
     .at = offsetof(struct rules_answer, hash)},
    {"set", FIELD_TIME, .optional = true,
     .at = offsetof(struct rules_answer, set)},
    {"set_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct rules_answer, set_by)},
};

const struct table rules_answer_table = {.name = "rules answer",
                                         TABLE(rules_answer_fields),
                                         .size = sizeof(struct rules_answer),
                                         .open = true};

static const struct field command_row_fields[] = {
    {"command", FIELD_ID, .at = offsetof(struct command_row, command)},
    {"name", FIELD_NAME, .at = offsetof(struct command_row, name)},
    {"description", FIELD_TEXT, .optional = true,
     .at = offsetof(struct command_row, description)},
    {"version", FIELD_INT, .at = offsetof(struct command_row, version)},
    {"targets", FIELD_LIST, .optional = true, .item = &text_item,
     .at = offsetof(struct command_row, targets)},
    {"saved", FIELD_TIME, .optional = true,
     .at = offsetof(struct command_row, saved)},
    {"saved_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct command_row, saved_by)},
    {"runners", FIELD_INT, .optional = true,
     .at = offsetof(struct command_row, runners)},
};

static const struct table command_row_table = {.name = "command row",
                                               TABLE(command_row_fields),
                                               .size =
                                                   sizeof(struct command_row),
                                               .open = true};

static const struct field command_row_item = {
    .name = "command", .kind = FIELD_TABLE, .table = &command_row_table};

static const struct field commands_answer_fields[] = {
    {"commands", FIELD_LIST, .item = &command_row_item,
     .at = offsetof(struct commands_answer, commands)},
};

const struct table commands_answer_table = {.name = "commands answer",
                                            TABLE(commands_answer_fields),
                                            .size =
                                                sizeof(struct commands_answer),
                                            .open = true};

static const struct field command_answer_fields[] = {
    {"command", FIELD_TABLE, .table = &command_row_table,
     .at = offsetof(struct command_answer, command)},
    {"parameters", FIELD_LIST, .optional = true, .item = &parameter_item,
     .at = offsetof(struct command_answer, parameters)},
    {"args", FIELD_LIST, .optional = true, .item = &arg_item, .max = ARGS_MAX,
     .at = offsetof(struct command_answer, args)},
    {"timeout", FIELD_INT, .at = offsetof(struct command_answer, timeout)},
    {"wait", FIELD_INT, .at = offsetof(struct command_answer, wait)},
    {"notify", FIELD_LIST, .optional = true, .item = &notify_item,
     .max = NOTIFY_MAX, .at = offsetof(struct command_answer, notify)},
    {"pace", FIELD_TABLE, .optional = true, .table = &pace_table,
     .at = offsetof(struct command_answer, pace)},
    {"approve", FIELD_TABLE, .optional = true, .table = &approval_table,
     .at = offsetof(struct command_answer, approve)},
    {"runners", FIELD_LIST, .optional = true, .item = &text_item,
     .at = offsetof(struct command_answer, runners)},
    {"envelopes", FIELD_LIST, .optional = true, .max = 4000,
     .item = &envelope_item, .at = offsetof(struct command_answer, envelopes)},
    {"executors", FIELD_LIST, .optional = true, .item = &hash_item,
     .at = offsetof(struct command_answer, executors)},
};

const struct table command_answer_table = {.name = "command answer",
                                           TABLE(command_answer_fields),
                                           .size =
                                               sizeof(struct command_answer),
                                           .open = true};

static const struct field version_row_fields[] = {
    {"version", FIELD_INT, .at = offsetof(struct version_row, version)},
    {"hash", FIELD_HASH, .at = offsetof(struct version_row, hash)},
    {"saved", FIELD_TIME, .at = offsetof(struct version_row, saved)},
    {"saved_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct version_row, saved_by)},
};

static const struct table version_row_table = {.name = "version row",
                                               TABLE(version_row_fields),
                                               .size =
                                                   sizeof(struct version_row),
                                               .open = true};

static const struct field version_row_item = {
    .name = "version", .kind = FIELD_TABLE, .table = &version_row_table};

static const struct field versions_answer_fields[] = {
    {"versions", FIELD_LIST, .item = &version_row_item,
     .at = offsetof(struct versions_answer, versions)},
};

const struct table versions_answer_table = {.name = "versions answer",
                                            TABLE(versions_answer_fields),
                                            .size =
                                                sizeof(struct versions_answer),
                                            .open = true};

static const struct field assignment_row_fields[] = {
    {"command", FIELD_NAME, .at = offsetof(struct assignment_row, command)},
    {"email", FIELD_TEXT, .at = offsetof(struct assignment_row, email)},
    {"state", FIELD_WORD, .words = &user_state_words,
     .at = offsetof(struct assignment_row, state)},
    {"added", FIELD_TIME, .at = offsetof(struct assignment_row, added)},
    {"added_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct assignment_row, added_by)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct assignment_row, until)},
    {"pin", FIELD_INT, .optional = true,
     .at = offsetof(struct assignment_row, pin)},
};

static const struct table assignment_row_table = {
    .name = "assignment row",
    TABLE(assignment_row_fields),
    .size = sizeof(struct assignment_row),
    .open = true};

static const struct field assignment_row_item = {
    .name = "assignment", .kind = FIELD_TABLE, .table = &assignment_row_table};

static const struct field assignments_answer_fields[] = {
    {"assignments", FIELD_LIST, .item = &assignment_row_item,
     .at = offsetof(struct assignments_answer, assignments)},
};

const struct table assignments_answer_table = {
    .name = "assignments answer",
    TABLE(assignments_answer_fields),
    .size = sizeof(struct assignments_answer),
    .open = true};

static const struct field explained_answer_fields[] = {
    {"may", FIELD_BOOL, .at = offsetof(struct explained_answer, may)},
    {"why", FIELD_TEXT, .at = offsetof(struct explained_answer, why)},
    {"by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct explained_answer, by)},
    {"at", FIELD_TIME, .optional = true,
     .at = offsetof(struct explained_answer, at)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct explained_answer, until)},
};

const struct table explained_answer_table = {
    .name = "explained answer",
    TABLE(explained_answer_fields),
    .size = sizeof(struct explained_answer),
    .open = true};

static const struct field execution_row_fields[] = {
    {"execution", FIELD_ID, .at = offsetof(struct execution_row, execution)},
    {"target", FIELD_NAME, .at = offsetof(struct execution_row, target)},
    {"attempt", FIELD_INT, .at = offsetof(struct execution_row, attempt)},
    {"state", FIELD_WORD, .words = &execution_state_words,
     .at = offsetof(struct execution_row, state)},
    {"outcome", FIELD_WORD, .optional = true, .words = &outcome_words,
     .at = offsetof(struct execution_row, outcome)},
    {"expires", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, expires)},
    {"heard", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, heard)},
    {"silent", FIELD_BOOL, .optional = true,
     .at = offsetof(struct execution_row, silent)},
    {"started", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, started)},
    {"finished", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, finished)},
    {"was_started", FIELD_BOOL, .optional = true,
     .at = offsetof(struct execution_row, was_started)},
    {"exit", FIELD_INT, .optional = true,
     .at = offsetof(struct execution_row, exit)},
    {"signal", FIELD_INT, .optional = true,
     .at = offsetof(struct execution_row, signal)},
    {"chunks", FIELD_INT, .optional = true,
     .at = offsetof(struct execution_row, chunks)},
    {"dropped", FIELD_INT, .optional = true,
     .at = offsetof(struct execution_row, dropped)},
    {"reason", FIELD_TEXT, .optional = true,
     .at = offsetof(struct execution_row, reason)},
    {"core", FIELD_BOOL, .optional = true,
     .at = offsetof(struct execution_row, core)},
    {"usage", FIELD_TABLE, .optional = true, .table = &usage_table,
     .at = offsetof(struct execution_row, usage)},
    {"cancelled", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, cancelled)},
    {"due", FIELD_TIME, .optional = true,
     .at = offsetof(struct execution_row, due)},
};

static const struct table execution_row_table = {
    .name = "execution row",
    TABLE(execution_row_fields),
    .size = sizeof(struct execution_row),
    .open = true};

static const struct field execution_row_item = {
    .name = "execution", .kind = FIELD_TABLE, .table = &execution_row_table};

static const struct field run_pending_fields[] = {
    {"whose", FIELD_TEXT, .at = offsetof(struct run_pending, whose)},
    {"lacking", FIELD_INT, .at = offsetof(struct run_pending, lacking)},
    {"until", FIELD_TIME, .at = offsetof(struct run_pending, until)},
};

const struct table run_pending_table = {.name = "pending",
                                        TABLE(run_pending_fields),
                                        .size = sizeof(struct run_pending),
                                        .open = true};

static const struct field run_row_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct run_row, run)},
    {"command_id", FIELD_ID, .optional = true,
     .at = offsetof(struct run_row, command_id)},
    {"command", FIELD_NAME, .at = offsetof(struct run_row, command)},
    {"version", FIELD_INT, .at = offsetof(struct run_row, version)},
    {"asked_by", FIELD_TEXT, .at = offsetof(struct run_row, asked_by)},
    {"asked", FIELD_TIME, .at = offsetof(struct run_row, asked)},
    {"finished", FIELD_TIME, .optional = true,
     .at = offsetof(struct run_row, finished)},
    {"outcome", FIELD_WORD, .optional = true, .words = &outcome_words,
     .at = offsetof(struct run_row, outcome)},
    {"arguments", FIELD_PAIRS, .optional = true,
     .at = offsetof(struct run_row, arguments)},
    {"pending", FIELD_TABLE, .optional = true, .table = &run_pending_table,
     .at = offsetof(struct run_row, pending)},
    {"schedule", FIELD_ID, .optional = true,
     .at = offsetof(struct run_row, schedule)},
};

const struct table run_row_table = {.name = "run row",
                                    TABLE(run_row_fields),
                                    .size = sizeof(struct run_row),
                                    .open = true};

static const struct field run_row_item = {
    .name = "run", .kind = FIELD_TABLE, .table = &run_row_table};

static const struct field run_answer_fields[] = {
    {"run", FIELD_TABLE, .table = &run_row_table,
     .at = offsetof(struct run_answer, run)},
    {"executions", FIELD_LIST, .item = &execution_row_item,
     .at = offsetof(struct run_answer, executions)},
    {"attempts", FIELD_INT, .optional = true,
     .at = offsetof(struct run_answer, attempts)},
};

const struct table run_answer_table = {.name = "run answer",
                                       TABLE(run_answer_fields),
                                       .size = sizeof(struct run_answer),
                                       .open = true};

static const struct field history_answer_fields[] = {
    {"runs", FIELD_LIST, .item = &run_row_item,
     .at = offsetof(struct history_answer, runs)},
    {"count", FIELD_INT, .optional = true,
     .at = offsetof(struct history_answer, count)},
    {"more", FIELD_BOOL, .optional = true,
     .at = offsetof(struct history_answer, more)},
    {"further", FIELD_ID, .optional = true,
     .at = offsetof(struct history_answer, further)},
};

const struct table history_answer_table = {.name = "history answer",
                                           TABLE(history_answer_fields),
                                           .size =
                                               sizeof(struct history_answer),
                                           .open = true};

static const struct field piece_fields[] = {
    {"execution", FIELD_ID, .at = offsetof(struct piece, execution)},
    {"target", FIELD_NAME, .at = offsetof(struct piece, target)},
    {"number", FIELD_INT, .at = offsetof(struct piece, number)},
    {"chunk", FIELD_TABLE, .table = &chunk_table,
     .at = offsetof(struct piece, chunk)},
};

static const struct table piece_table = {.name = "piece",
                                         TABLE(piece_fields),
                                         .size = sizeof(struct piece),
                                         .open = true};

static const struct field piece_item = {
    .name = "piece", .kind = FIELD_TABLE, .table = &piece_table};

static const struct field output_answer_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct output_answer, run)},
    {"pieces", FIELD_LIST, .item = &piece_item,
     .at = offsetof(struct output_answer, pieces)},
    {"missing", FIELD_INT, .optional = true,
     .at = offsetof(struct output_answer, missing)},
    {"more", FIELD_BOOL, .optional = true,
     .at = offsetof(struct output_answer, more)},
    {"ended", FIELD_BOOL, .optional = true,
     .at = offsetof(struct output_answer, ended)},
};

const struct table output_answer_table = {.name = "output answer",
                                          TABLE(output_answer_fields),
                                          .size = sizeof(struct output_answer),
                                          .open = true};
