/* Reset and exceptions of the lx106 core.
 *
 * Vector offsets from VECBASE: Xtensa ISA reference manual, section "Exception option"; the numbers
 * are those of this core's configuration. */

#define USER_MODE 0x20 /* PS: user vector, exceptions allowed, interrupt level 0 */
#define TIMER_CAUSE 4  /* EXCCAUSE of a level-1 interrupt */

    .section .vectors, "ax"
    .balign 256
    .global lx106_vectors
lx106_vectors:
    .org lx106_vectors + 0x10 /* debug: a data breakpoint */
    j debug_exception
    .org lx106_vectors + 0x20 /* NMI */
    j fatal_nmi
    .org lx106_vectors + 0x30 /* kernel: an exception while one is served */
    j fatal_exception
    .org lx106_vectors + 0x50 /* user: faults, and interrupts of level 1 */
    j user_exception
    .org lx106_vectors + 0x70 /* double */
    j fatal_exception
    .balign 4
    .literal_position

/* The tick only ends 'waiti'. The next one comes 40,000 counts (1 ms) on; set too late, it would come
 * when the counter has gone all the way round, in 107 s: a simulated processor may be held up for
 * longer than a tick between any two instructions. */
user_exception:
    wsr a0, excsave1
    rsr a0, exccause
    bnei a0, TIMER_CAUSE, fatal_exception
    wsr a2, excsave2
1:  rsr a0, ccount
    addmi a0, a0, 32512
    addmi a0, a0, 7424
    addi a0, a0, 64
    .global lx106_tick_set
lx106_tick_set:
    wsr a0, ccompare0
    esync
    rsr a2, ccount
    sub a2, a0, a2
    blti a2, 1, 1b
    rsr a2, excsave2
    rsr a0, excsave1
    rfe

/* What was interrupted is over: the stack is taken from its top. */
debug_exception:
    rsr a4, epc2
    movi a2, 1
    j fatal
fatal_nmi:
    rsr a4, epc3
    movi a2, 2
    j fatal
fatal_exception:
    rsr a4, epc1
    movi a2, 0
fatal:
    rsr a3, exccause
    rsr a5, excvaddr
    movi a6, USER_MODE
    wsr a6, ps
    movi a6, 0
    wsr a6, intenable
    rsync
    movi sp, lx106_stack_top
    movi a0, lx106_fault
    jx a0

    .section .text.start, "ax"
    .literal_position
    .balign 4
    .global lx106_start
lx106_start:
    movi a2, USER_MODE
    wsr a2, ps
    movi a2, 0
    wsr a2, intenable
    wsr a2, dbreakc0 /* the stack guard of the run before */
    movi a2, lx106_vectors
    wsr a2, vecbase
    isync
    movi sp, lx106_stack_top
    /* Zero what must be zero, paint the stack: the paint that is left tells its peak. */
    movi a3, lx106_bss_start
    movi a4, lx106_bss_end
    movi a2, 0
1:  bgeu a3, a4, 2f
    s32i a2, a3, 0
    addi a3, a3, 4
    j 1b
2:  movi a3, lx106_stack_shadow
    movi a2, lx106_stack_paint
    l32i a2, a2, 0
3:  bgeu a3, sp, 4f
    s32i a2, a3, 0
    addi a3, a3, 4
    j 3b
4:  movi a0, lx106_main
    callx0 a0
    movi a0, lx106_exit
    jx a0

/* void lx106_reset(void): the whole machine anew, as the watchdog or the reset pin would do it. The
 * simulated machine jumps to a0 after its reset, so no tick may come before that. */
    .section .text.reset, "ax"
    .literal_position
    .balign 4
    .global lx106_reset
lx106_reset:
    movi a2, 0
    wsr a2, intenable
    rsync
    movi a2, 0x9d020010 /* kc705: the FPGA's reset register */
    movi a3, 0xdead
    movi a0, lx106_start
    s32i a3, a2, 0
    memw
5:  j 5b

/* void lx106_spin(uint32_t n): exactly 2 n instructions, to check the counter against. */
    .section .text.spin, "ax"
    .balign 4
    .global lx106_spin
lx106_spin:
    addi a2, a2, -1
    bnez a2, lx106_spin
    ret
