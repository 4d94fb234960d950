/// Ends recursion before the stack does, whatever a build makes of a function's frame.
///
/// Nesting is counted too, with the same result on every machine; frames of an unoptimised build are several times
/// larger than what the count allows for. The smallest stack that Swift code runs on is a secondary thread's 512 KiB.
struct StackGuard {
    private let start: UInt
    private static let bytes: UInt = 320 << 10

    /// Measures from the caller's frame.
    init() {
        start = StackGuard.here()
    }

    /// Whether more of the stack is used than one template may use.
    var isExhausted: Bool {
        let here = StackGuard.here()
        return (start > here ? start - here : here - start) > StackGuard.bytes
    }

    @inline(__always)
    private static func here() -> UInt {
        var marker: UInt8 = 0
        return withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
    }
}
