// The floating-point environment of rule 1.
#include "../include/CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Flush-to-zero, denormals-are-zero, all exceptions masked, round to nearest even; the sticky flags are ignored.
#define CANONICAL_STATE 0x9fc0u
#define STICKY_FLAGS 0x3fu

uint64_t ck_environment_enter(void) {
    uint32_t state = _mm_getcsr();
    if ((state & ~STICKY_FLAGS) != CANONICAL_STATE) _mm_setcsr(CANONICAL_STATE);
    return state;
}

// Entering and leaving inside the canonical state (nested calls, pool threads) never writes the register.
void ck_environment_leave(uint64_t state) {
    if ((state & ~(uint64_t)STICKY_FLAGS) != CANONICAL_STATE) _mm_setcsr((uint32_t)state);
}

bool ck_environment_is_canonical(void) { return (_mm_getcsr() & ~STICKY_FLAGS) == CANONICAL_STATE; }

#elif defined(__aarch64__)

// FZ, FZ16, rounding mode, default NaN and the FEAT_AFP bits all off: the neon row flushes by selection.
static uint64_t read_control(void) {
    uint64_t state;
    __asm__ volatile("mrs %0, fpcr" : "=r"(state));
    return state;
}

static void write_control(uint64_t state) { __asm__ volatile("msr fpcr, %0" : : "r"(state)); }

uint64_t ck_environment_enter(void) {
    uint64_t state = read_control();
    write_control(0);
    return state;
}

void ck_environment_leave(uint64_t state) { write_control(state); }

bool ck_environment_is_canonical(void) { return read_control() == 0; }

#else
#error "Apus has kernels for x86-64 and 64-bit Arm"
#endif
