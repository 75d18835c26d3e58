/* SPDX-License-Identifier: MPL-2.0 */
/*
 * small_os, machine mode: the first hart goes on in supervisor mode, at os_main(), and takes a timer interrupt
 * every 10 ms, which it hands down as a software interrupt. Other harts sleep.
 */
#define CLINT_MTIMECMP 0x02004000
#define CLINT_MTIME 0x0200bff8
#define TICK 100000

    .section .text.start, "ax"
    .globl start
start:
    csrr t0, mhartid
    bnez t0, park
    la sp, boot_stack_end
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, 1 << 11
    csrs mstatus, t0
    la t0, os_main
    csrw mepc, t0
    csrw satp, zero
    li t0, 0xffff
    csrw medeleg, t0
    csrw mideleg, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x0f
    csrw pmpcfg0, t0
    li t0, 0x222
    csrs sie, t0

    la t0, timer_scratch
    csrw mscratch, t0
    la t0, timer_vector
    csrw mtvec, t0
    li t0, CLINT_MTIME
    lw t1, 0(t0)
    lw t2, 4(t0)
    li t3, TICK
    add t3, t1, t3
    sltu t1, t3, t1
    add t2, t2, t1
    li t0, CLINT_MTIMECMP
    li t1, -1
    sw t1, 0(t0)
    sw t2, 4(t0)
    sw t3, 0(t0)
    li t0, 1 << 7
    csrs mie, t0
    li t0, 1 << 3
    csrs mstatus, t0
    mret
park:
    wfi
    j park

/* The only trap to machine mode. */
    .balign 4
timer_vector:
    csrrw a0, mscratch, a0
    sw a1, 0(a0)
    sw a2, 4(a0)
    sw a3, 8(a0)
    sw a4, 12(a0)
    li a1, CLINT_MTIMECMP
    lw a2, 0(a1)
    lw a3, 4(a1)
    li a4, TICK
    add a4, a2, a4
    sltu a2, a4, a2
    add a3, a3, a2
    li a2, -1
    sw a2, 0(a1)
    sw a3, 4(a1)
    sw a4, 0(a1)
    csrsi mip, 2
    lw a1, 0(a0)
    lw a2, 4(a0)
    lw a3, 8(a0)
    lw a4, 12(a0)
    csrrw a0, mscratch, a0
    mret

/* Traps in supervisor mode: what a call does not keep is kept, and os_trap(scause, sepc, stval) gives the new sepc. */
    .globl trap_vector
    .balign 4
trap_vector:
    addi sp, sp, -64
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw a0, 16(sp)
    sw a1, 20(sp)
    sw a2, 24(sp)
    sw a3, 28(sp)
    sw a4, 32(sp)
    sw a5, 36(sp)
    sw a6, 40(sp)
    sw a7, 44(sp)
    sw t3, 48(sp)
    sw t4, 52(sp)
    sw t5, 56(sp)
    sw t6, 60(sp)
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call os_trap
    csrw sepc, a0
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw a0, 16(sp)
    lw a1, 20(sp)
    lw a2, 24(sp)
    lw a3, 28(sp)
    lw a4, 32(sp)
    lw a5, 36(sp)
    lw a6, 40(sp)
    lw a7, 44(sp)
    lw t3, 48(sp)
    lw t4, 52(sp)
    lw t5, 56(sp)
    lw t6, 60(sp)
    addi sp, sp, 64
    sret

    .bss
    .balign 16
boot_stack:
    .space 16384
boot_stack_end:
timer_scratch:
    .space 16
