import COpenSSL

/// SHA-256 (FIPS 180-4) over bytes that arrive in pieces.
///
/// A value type: a copy taken in the middle of a message continues on its own, so a common prefix is hashed once.
public struct SHA256 {
    private var context: DigestContext

    /// Starts an empty message.
    public init() {
        context = DigestContext()
    }

    /// Appends raw bytes.
    @inline(__always)
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&context) { context = DigestContext(copying: context) }
        context.update(bytes)
    }

    /// Appends the bytes of an array without copying them.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Appends any sequence of bytes; contiguous ones are not copied.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if done == nil { update([UInt8](bytes)) }
    }

    /// Appends the 32 bytes of a hash.
    public mutating func update(_ hash: Hash256) {
        hash.withUnsafeBytes { update($0) }
    }

    /// Appends four bytes, the lowest first.
    public mutating func update(littleEndian value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { update($0) }
    }

    /// Appends eight bytes, the lowest first.
    public mutating func update(littleEndian value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { update($0) }
    }

    /// Appends the UTF-8 bytes of a text, without a terminator.
    public mutating func update(utf8 text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// Ends the message and gives its hash.
    public consuming func finalize() -> Hash256 {
        // Ending a context spoils it, so a copy of this value must keep its own.
        if !isKnownUniquelyReferenced(&context) { context = DigestContext(copying: context) }
        return context.finalize()
    }

    /// Hashes the bytes of an array.
    public static func hash(_ bytes: [UInt8]) -> Hash256 {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// Hashes raw bytes.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Hash256 {
        Hash256 { target in
            let done = EVP_Digest(
                bytes.baseAddress, bytes.count, target.baseAddress, nil, DigestContext.algorithm, nil)
            precondition(done == 1, "OpenSSL cannot compute SHA-256.")
        }
    }
}

/// Owns one OpenSSL digest context.
final class DigestContext {
    /// Fetched once: an implicit fetch at every start of a message costs more than hashing a short one.
    static var algorithm: OpaquePointer? { fetched.pointer }
    private static let fetched = FetchedDigest()

    private let pointer: OpaquePointer

    init() {
        pointer = Self.allocate()
        precondition(EVP_DigestInit_ex2(pointer, Self.algorithm, nil) == 1, "OpenSSL cannot start SHA-256.")
    }

    init(copying other: DigestContext) {
        pointer = Self.allocate()
        precondition(EVP_MD_CTX_copy_ex(pointer, other.pointer) == 1, "OpenSSL cannot copy a SHA-256 state.")
    }

    deinit { EVP_MD_CTX_free(pointer) }

    @inline(__always)
    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        let done = EVP_DigestUpdate(pointer, base, bytes.count)
        precondition(done == 1, "OpenSSL cannot continue SHA-256.")
    }

    func finalize() -> Hash256 {
        Hash256 { target in
            let done = EVP_DigestFinal_ex(pointer, target.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
            precondition(done == 1, "OpenSSL cannot finish SHA-256.")
        }
    }

    private static func allocate() -> OpaquePointer {
        // OpenSSL returns nil only when memory is exhausted.
        guard let pointer = EVP_MD_CTX_new() else { preconditionFailure("No memory for a SHA-256 context.") }
        return pointer
    }
}

/// The SHA-256 implementation that OpenSSL chose for this machine.
// `@unchecked`: the pointer is written once and OpenSSL never changes what it points to.
private final class FetchedDigest: @unchecked Sendable {
    let pointer: OpaquePointer?
    init() {
        pointer = EVP_MD_fetch(nil, "SHA256", nil)
        precondition(pointer != nil, "This OpenSSL has no SHA-256; install libssl 3.")
    }
}
