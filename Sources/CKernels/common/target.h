// Compiles a stretch of a file for a richer instruction set than the build's baseline, with clang and with gcc.
// Use: TARGET_BEGIN("avx2,fma") ... TARGET_END
#ifndef CK_TARGET_H
#define CK_TARGET_H

#define CK_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define TARGET_BEGIN(features) CK_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define TARGET_END CK_PRAGMA(clang attribute pop)
#else
#define TARGET_BEGIN(features) CK_PRAGMA(GCC push_options) CK_PRAGMA(GCC target(features))
#define TARGET_END CK_PRAGMA(GCC pop_options)
#endif

// Full unrolling of loops with constant bounds, which keeps arrays of accumulators in registers.
#if defined(__clang__)
#define UNROLL CK_PRAGMA(clang loop unroll(full))
#else
#define UNROLL CK_PRAGMA(GCC unroll 16)
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#endif
