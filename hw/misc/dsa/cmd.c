/*
 * intel-dsa: commands (DSA sections 3.9 and 9.2.12), one at a time.
 *
 * A command that waits for jobs stays active until they are over and is
 * finished by the main loop, so that no vCPU waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "dsa.h"
#include "trace.h"

/* What a command's operand is */
typedef enum DSACmdOperand {
    OPERAND_NONE, OPERAND_WQ, OPERAND_WQ_BITS, OPERAND_PASID, OPERAND_HANDLE,
} DSACmdOperand;

typedef struct DSACmdRow {
    const char *name;
    DSACmdOperand operand;
    DSACmdStatus off;       /* status if the device is not enabled, or 0 */
    /* Do it or begin it; @arg is the operand or the queue bitmap */
    DSACmdStatus (*run)(DSAState *s, uint32_t arg);
    /* After the drain that .run began */
    void (*finish)(DSAState *s, uint32_t arg);
} DSACmdRow;

static uint32_t enabled_wqs(const DSAState *s)
{
    uint32_t wqs = 0;
    unsigned i;

    for (i = 0; i < s->wqs; i++) {
        wqs |= (s->queues[i].state != DSA_WQ_DISABLED) << i;
    }
    return wqs;
}

static DSACmdStatus run_enable_device(DSAState *s, uint32_t arg)
{
    return dsa_config_enable_device(s);
}

/* DSA section 3.9: disabling lets accepted descriptors finish */
static DSACmdStatus run_disable_device(DSAState *s, uint32_t arg)
{
    uint32_t wqs = enabled_wqs(s);

    s->state = DSA_STATE_DRAIN;
    dsa_wq_close(s, wqs);
    dsa_wq_set_state(s, wqs, DSA_WQ_BUSY);
    dsa_drain_begin(s, dsa_all_wqs(s), DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static void finish_disable_device(DSAState *s, uint32_t arg)
{
    dsa_wq_set_state(s, dsa_all_wqs(s), DSA_WQ_DISABLED);
    s->state = DSA_STATE_DISABLED;
    dsa_config_publish_groups(s, false);
}

static DSACmdStatus run_drain_all(DSAState *s, uint32_t arg)
{
    dsa_drain_begin(s, dsa_all_wqs(s), DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_abort_all(DSAState *s, uint32_t arg)
{
    dsa_abort(s, dsa_all_wqs(s), DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_reset_device(DSAState *s, uint32_t arg)
{
    dsa_device_reset(s);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_enable_wq(DSAState *s, uint32_t arg)
{
    return dsa_config_enable_wq(s, arg);
}

static DSACmdStatus run_disable_wq(DSAState *s, uint32_t wqs)
{
    dsa_wq_close(s, wqs);
    dsa_wq_set_state(s, wqs, DSA_WQ_BUSY);
    dsa_drain_begin(s, wqs, DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static void finish_disable_wq(DSAState *s, uint32_t wqs)
{
    dsa_wq_set_state(s, wqs, DSA_WQ_DISABLED);
}

static DSACmdStatus run_drain_wq(DSAState *s, uint32_t wqs)
{
    dsa_drain_begin(s, wqs, DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_abort_wq(DSAState *s, uint32_t wqs)
{
    dsa_abort(s, wqs, DSA_ALL_PASIDS);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_reset_wq(DSAState *s, uint32_t wqs)
{
    uint32_t m;

    dsa_wq_off(s, wqs);
    for (m = wqs; m; m &= m - 1) {
        dsa_config_clear_wq(s, ctz32(m), false);
    }
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_drain_pasid(DSAState *s, uint32_t pasid)
{
    dsa_drain_begin(s, dsa_all_wqs(s), pasid);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_abort_pasid(DSAState *s, uint32_t pasid)
{
    dsa_abort(s, dsa_all_wqs(s), pasid);
    return DSA_CMD_SUCCESS;
}

static DSACmdStatus run_request_handle(DSAState *s, uint32_t arg)
{
    return dsa_intr_request_handle(s, arg, arg & DSA_CMD_IMS, &s->cmd_result);
}

static DSACmdStatus run_release_handle(DSAState *s, uint32_t arg)
{
    return dsa_intr_release_handle(s, arg, arg & DSA_CMD_IMS);
}

static void finish_drain(DSAState *s, uint32_t arg)
{
}

static const DSACmdRow commands[] = {
    [DSA_CMD_ENABLE_DEVICE] = {
        "enable device", OPERAND_NONE, 0, run_enable_device },
    [DSA_CMD_DISABLE_DEVICE] = {
        "disable device", OPERAND_NONE, DSA_CMD_DEV_OFF,
        run_disable_device, finish_disable_device },
    [DSA_CMD_DRAIN_ALL] = {
        "drain all", OPERAND_NONE, DSA_CMD_DEV_OFF,
        run_drain_all, finish_drain },
    [DSA_CMD_ABORT_ALL] = {
        "abort all", OPERAND_NONE, DSA_CMD_DEV_OFF, run_abort_all },
    [DSA_CMD_RESET_DEVICE] = {
        "reset device", OPERAND_NONE, 0, run_reset_device },
    [DSA_CMD_ENABLE_WQ] = {
        "enable wq", OPERAND_WQ, DSA_CMD_DEV_NOT_ENABLED, run_enable_wq },
    [DSA_CMD_DISABLE_WQ] = {
        "disable wq", OPERAND_WQ_BITS, 0, run_disable_wq, finish_disable_wq },
    [DSA_CMD_DRAIN_WQ] = {
        "drain wq", OPERAND_WQ_BITS, 0, run_drain_wq, finish_drain },
    [DSA_CMD_ABORT_WQ] = {
        "abort wq", OPERAND_WQ_BITS, 0, run_abort_wq },
    [DSA_CMD_RESET_WQ] = {
        "reset wq", OPERAND_WQ_BITS, 0, run_reset_wq },
    [DSA_CMD_DRAIN_PASID] = {
        "drain pasid", OPERAND_PASID, DSA_CMD_DEV_OFF,
        run_drain_pasid, finish_drain },
    [DSA_CMD_ABORT_PASID] = {
        "abort pasid", OPERAND_PASID, DSA_CMD_DEV_OFF, run_abort_pasid },
    [DSA_CMD_REQUEST_INT_HANDLE] = {
        "request int handle", OPERAND_HANDLE, 0, run_request_handle },
    [DSA_CMD_RELEASE_INT_HANDLE] = {
        "release int handle", OPERAND_HANDLE, 0, run_release_handle },
};

static const DSACmdRow *find_command(const DSAState *s, uint8_t code)
{
    uint8_t last = s->cmdcap ? DSA_CMD_RELEASE_INT_HANDLE : DSA_CMD_ABORT_PASID;

    return code && code <= last ? &commands[code] : NULL;
}

/* Queue commands take a bitmap within a block of 16 queues */
static DSACmdStatus check_wq_bits(DSAState *s, uint32_t operand)
{
    uint32_t wqs = extract32(operand, 0, 16);

    /* implementation choice: naming no queue is naming a wrong one */
    if (extract32(operand, 16, 4) || !wqs || wqs & ~dsa_all_wqs(s)) {
        return DSA_CMD_INVALID_WQ;
    }
    return wqs & ~enabled_wqs(s) ? DSA_CMD_WQ_OFF : DSA_CMD_SUCCESS;
}

static DSACmdStatus check_operand(DSAState *s, const DSACmdRow *cmd,
                                  uint32_t operand)
{
    switch (cmd->operand) {
    case OPERAND_NONE:
        return operand ? DSA_CMD_RESERVED : DSA_CMD_SUCCESS;
    case OPERAND_WQ:
        return operand >> 16 ? DSA_CMD_RESERVED : DSA_CMD_SUCCESS;
    case OPERAND_WQ_BITS:
        return check_wq_bits(s, operand);
    case OPERAND_HANDLE:
        return operand >> 17 ? DSA_CMD_RESERVED : DSA_CMD_SUCCESS;
    default:
        return DSA_CMD_SUCCESS;
    }
}

static void complete(DSAState *s, DSACmdStatus status)
{
    trace_dsa_cmd_done(s->cmd_code, status, s->cmd_result);
    s->cmd_active = false;
    s->cmd_error = status;
    /* Software that polls does not expect the cause (DSA 9.2.12) */
    if (s->cmd_int_req) {
        dsa_intr_cause(s, DSA_INTCAUSE_CMD);
    }
}

void dsa_cmd_write(DSAState *s, uint32_t val)
{
    uint32_t operand = FIELD_EX32(val, CMD, OPERAND);
    uint8_t code = FIELD_EX32(val, CMD, CODE);
    const DSACmdRow *cmd = find_command(s, code);
    DSACmdStatus status;

    /* implementation choice: reserved bits 30:25 are ignored */
    trace_dsa_cmd(code, operand, FIELD_EX32(val, CMD, INT_REQ));
    if (s->cmd_active) {
        dsa_swerr_code(s, DSA_SWERR_CMD_ACTIVE);
        return;
    }
    s->cmd_active = true;
    s->cmd_code = code;
    s->cmd_operand = operand;
    s->cmd_int_req = FIELD_EX32(val, CMD, INT_REQ);
    s->cmd_error = DSA_CMD_SUCCESS;
    s->cmd_result = 0;

    if (!cmd) {
        status = DSA_CMD_INVALID_COMMAND;
    } else if (s->state == DSA_STATE_HALT) {
        status = DSA_CMD_HW_ERROR;
    } else {
        status = check_operand(s, cmd, operand);
    }
    if (!status && cmd->off && s->state != DSA_STATE_ENABLED) {
        status = cmd->off;
    }
    if (!status) {
        status = cmd->run(s, operand);
        if (!status && cmd->finish) {
            return;     /* dsa_cmd_drained() goes on */
        }
    }
    complete(s, status);
}

void dsa_cmd_drained(void *opaque)
{
    DSAState *s = opaque;

    if (s->stopped || !s->cmd_active || !dsa_drain_over(s)) {
        return;
    }
    dsa_drain_cancel(s);
    /* Completion interrupts of the jobs come before the command's */
    dsa_intr_flush(s);
    commands[s->cmd_code].finish(s, s->cmd_operand);
    complete(s, DSA_CMD_SUCCESS);
}

void dsa_cmd_fail(DSAState *s)
{
    if (s->cmd_active) {
        dsa_drain_cancel(s);
        complete(s, DSA_CMD_HW_ERROR);
    }
}

bool dsa_cmd_state_valid(const DSAState *s)
{
    const DSACmdRow *cmd = find_command(s, s->cmd_code);

    if (!s->cmd_active) {
        return !s->drain.active;
    }
    return cmd && cmd->finish && s->drain.active &&
           !(s->drain.wqs & ~dsa_all_wqs(s)) &&
           (cmd->operand != OPERAND_WQ_BITS ||
            !(s->cmd_operand & ~dsa_all_wqs(s)));
}

uint32_t dsa_cmd_status(const DSAState *s)
{
    uint32_t val = FIELD_DP32(0, CMDSTS, ERROR, s->cmd_error);

    val = FIELD_DP32(val, CMDSTS, RESULT, s->cmd_result);
    return FIELD_DP32(val, CMDSTS, ACTIVE, s->cmd_active);
}
