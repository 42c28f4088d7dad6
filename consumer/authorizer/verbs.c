/*
 * verbs.c: THE table: each verb, with which key, as what, and who handles it.
 *
 * What outlives a session wants the person's own key; a session's key asks to
 * run, ends its own session and reads (design: "Authority", rule 1). Fields and
 * bounds of each verb are in common/model.
 */
#include "consumer/authorizer/verbs.h"

#include "consumer/authorizer/handlers.h"

#define EITHER (OWN | SESSION)

static const struct verb verbs[] = {
    {EVENT_USER_INVITE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_invite},
    {EVENT_INVITATION_SHOW, INVITATION, 0, 0, READ, on_invitation_show},
    {EVENT_USER_VERIFY, INVITATION, 0, 0, CHANGE, on_user_verify},
    {EVENT_USER_CONFIRM, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_confirm},
    {EVENT_USER_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_user_list},
    {EVENT_USER_SHOW, EITHER, ANYONE, EVEN_UNCONFIRMED, READ, on_user_show},

    {EVENT_USER_SIGNED, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_user_signed},
    {EVENT_USER_SUSPEND, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_suspend},
    {EVENT_USER_RESUME, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_resume},
    {EVENT_USER_REMOVE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_remove},
    {EVENT_USER_ROLE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_user_role},
    {EVENT_USER_REINVITE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_user_reinvite},
    {EVENT_KEY_ROTATE, OWN, ANYONE, EVEN_UNCONFIRMED, CHANGE, on_key_rotate},
    {EVENT_MFA_SET, OWN, ANYONE, EVEN_UNCONFIRMED, CHANGE, on_mfa_set},
    {EVENT_MFA_RESET, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_mfa_reset},
    {EVENT_POLICY_SET, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_policy_set},
    {EVENT_POLICY_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_policy_list},

    {EVENT_SESSION_OPEN, OWN, ANYONE, EVEN_UNCONFIRMED, CHANGE,
     on_session_open},
    {EVENT_SESSION_CLOSE, SESSION, ANYONE, EVEN_UNCONFIRMED, CHANGE,
     on_session_close},
    {EVENT_SESSION_SHOW, EITHER, ANYONE, EVEN_UNCONFIRMED, READ,
     on_session_show},

    {EVENT_SERVICE_ENROL, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_service_enrol},
    {EVENT_SERVICE_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ,
     on_service_list},
    {EVENT_SERVICE_REVOKE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_service_revoke},
    {EVENT_TARGET_SET, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_target_set},
    {EVENT_TARGET_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_target_list},
    {EVENT_TARGET_SHOW, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_target_show},
    {EVENT_GROUP_SET, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_group_set},
    {EVENT_GROUP_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_group_list},

    {EVENT_COMMAND_SAVE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_command_save},
    {EVENT_COMMAND_LIST, EITHER, ANYONE, IN_FORCE, READ, on_command_list},
    {EVENT_COMMAND_SHOW, EITHER, ANYONE, IN_FORCE, READ, on_command_show},
    {EVENT_COMMAND_VERSIONS, EITHER, ADMINISTRATOR, IN_FORCE, READ,
     on_command_versions},
    {EVENT_SCHEDULE_SET, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_schedule_set},
    {EVENT_SCHEDULE_REMOVE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_schedule_remove},
    {EVENT_SCHEDULE_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ,
     on_schedule_list},
    {EVENT_COMMAND_RETIRE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_command_retire},
    {EVENT_ASSIGNMENT_ADD, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_assignment_add},
    {EVENT_ASSIGNMENT_REMOVE, OWN, ADMINISTRATOR, IN_FORCE, CHANGE,
     on_assignment_remove},
    {EVENT_ASSIGNMENT_LIST, EITHER, ADMINISTRATOR, IN_FORCE, READ,
     on_assignment_list},
    {EVENT_ASSIGNMENT_EXPLAIN, EITHER, ADMINISTRATOR, IN_FORCE, READ,
     on_assignment_explain},

    {EVENT_BILLING_INIT, OWN, ADMINISTRATOR, IN_FORCE, CHANGE, on_billing_init},
    {EVENT_BILLING_SHOW, EITHER, PAYING, IN_FORCE, READ, on_billing_show},
    {EVENT_CARD_ADD, OWN, PAYING, IN_FORCE, CHANGE, on_card_add},
    {EVENT_CARD_DEFAULT, OWN, PAYING, IN_FORCE, CHANGE, on_card_default},
    {EVENT_CARD_REMOVE, OWN, PAYING, IN_FORCE, CHANGE, on_card_remove},
    {EVENT_CARD_LIST, EITHER, PAYING, IN_FORCE, READ, on_card_list},
    {EVENT_CARD_EXPORT, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_card_export},

    {EVENT_AUDIT_LIST, EITHER, ANYONE, IN_FORCE, READ, on_audit_list},
    {EVENT_AUDIT_ROWS, EITHER, ADMINISTRATOR, IN_FORCE, READ, on_audit_rows},

    {EVENT_RUN_START, SESSION, ANYONE, IN_FORCE, CHANGE, on_run_start},
    {EVENT_RUN_ADVANCE, SERVICE, SCHEDULER, 0, CHANGE, on_run_advance},
    {EVENT_RUN_TICK, SERVICE, SCHEDULER, 0, CHANGE, on_run_tick},
    {EVENT_RUN_CANCEL, SESSION, ANYONE, IN_FORCE, CHANGE, on_run_cancel},
    {EVENT_RUN_APPROVE, SESSION, ANYONE, IN_FORCE, CHANGE, on_run_approve},
    {EVENT_RUN_REJECT, SESSION, ANYONE, IN_FORCE, CHANGE, on_run_reject},
    {EVENT_PENDING_LIST, EITHER, ANYONE, IN_FORCE, READ, on_pending_list},
    {EVENT_PENDING_SHOW, EITHER, ANYONE, IN_FORCE, READ, on_pending_show},
    {EVENT_RUN_SHOW, EITHER, ANYONE, IN_FORCE, READ, on_run_show},
    {EVENT_RUN_OUTPUT, EITHER, ANYONE, IN_FORCE, READ, on_run_output},
    {EVENT_RUN_HISTORY, EITHER, ANYONE, IN_FORCE, READ, on_run_history},
};

const struct verb *verb_of(enum event_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (verbs[i].kind == kind) {
            return &verbs[i];
        }
    }
    return NULL;
}
