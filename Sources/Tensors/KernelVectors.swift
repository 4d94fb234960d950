import CKernels
import Synchronization

/// The hash vectors: digests over every operation's outputs on deterministic inputs.
///
/// A row has to reproduce the committed digests before it may compute anything that is signed, so a processor or a
/// build that rounds differently is found at start and not in a dispute.
public enum KernelVectors {
    /// The digest of one vector.
    public struct Digest: Sendable, Equatable {
        /// The vector's name, mostly that of an operation.
        public let operation: String
        /// 16 hexadecimal digits (64-bit FNV-1a).
        public let digest: String
    }

    /// The committed digests of this arithmetic version.
    public static let expected: [Digest] = (0..<ck_vector_count()).map { index in
        Digest(operation: name(index), digest: hexadecimal(ck_vector_expected(index)))
    }

    /// What `row` computes on this machine now.
    ///
    /// - Throws: `KernelError.unavailable` when the machine cannot run the row.
    public static func digests(_ row: KernelRow) throws(KernelError) -> [Digest] {
        let table = try Kernels(unverified: row).table
        return (0..<ck_vector_count()).map { index in
            Digest(operation: name(index), digest: hexadecimal(ck_vector_digest(table, index)))
        }
    }

    /// 32 bytes over the arithmetic version and all committed digests.
    ///
    /// Two builds that show the same bytes promise the same numbers; a machine sends them when it joins.
    public static let combinedDigest: [UInt8] = combine(expected)

    static func combine(_ digests: [Digest]) -> [UInt8] {
        let text =
            "apus/kernels/v\(ArithmeticVersion.current)"
            + digests.map { "\0\($0.operation)\0\($0.digest)" }.joined()
        return (UInt8(0)..<4).flatMap { part in
            // 64-bit FNV-1a four times, told apart by the first byte.
            var state: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in [part] + Array(text.utf8) {
                state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            return (0..<8).map { UInt8(truncatingIfNeeded: state >> (8 * $0)) }
        }
    }

    /// Checks `row` once per process.
    static func verify(_ row: KernelRow) throws(KernelError) {
        let known = outcomes.withLock { $0[row] }
        if let known { return try known.get() }
        let outcome = judge(row, try digests(row))
        outcomes.withLock { $0[row] = outcome }
        try outcome.get()
    }

    static func judge(_ row: KernelRow, _ digests: [Digest]) -> Result<Void, KernelError> {
        let wrong = zip(digests, expected).filter { $0.0 != $0.1 }.map { $0.0.operation }
        return wrong.isEmpty ? .success(()) : .failure(.mismatch(row, operations: wrong))
    }

    private static let outcomes = Mutex<[KernelRow: Result<Void, KernelError>]>([:])

    private static func name(_ index: Int) -> String {
        String(cString: ck_vector_name(index))
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
