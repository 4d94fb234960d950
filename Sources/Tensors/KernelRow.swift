import CKernels

/// One instruction-set row of the canonical arithmetic; all rows give the same bits.
public enum KernelRow: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Plain C without vector or fused instructions: the reference.
    case scalar
    /// x86 with AVX2 and FMA.
    case avx2
    /// x86 with AVX-512.
    case avx512f
    /// x86 with AVX-512 and bf16 dot products.
    case avx512bf16
    /// 64-bit Arm.
    case neon

    /// The rows that this build contains and this machine can run, slowest first.
    public static var available: [KernelRow] {
        allCases.filter { $0.table != nil }
    }

    /// The fastest available row that reproduces the hash vectors.
    public static func fastestVerified() throws -> KernelRow {
        var failures: [String] = []
        for row in available.reversed() {
            do {
                return try Kernels(row: row).row
            } catch let error as KernelError {
                failures.append(error.description)
            }
        }
        throw KernelError.noRow(failures)
    }

    /// The row's name.
    public var description: String {
        rawValue
    }

    var table: UnsafePointer<ck_row>? {
        switch self {
        case .scalar: ck_row_get(CK_SCALAR)
        case .avx2: ck_row_get(CK_AVX2)
        case .avx512f: ck_row_get(CK_AVX512F)
        case .avx512bf16: ck_row_get(CK_AVX512BF16)
        case .neon: ck_row_get(CK_NEON)
        }
    }
}
