import COpenSSL

/// Gives unpredictable bytes from the operating system's generator, fit for keys.
///
/// - Throws: ``IdentityError`` when the generator is not available.
public func randomBytes(_ count: Int) throws -> [UInt8] {
    precondition(count >= 0, "A count of random bytes cannot be negative.")
    guard count <= Int(Int32.max) else {
        throw IdentityError(what: "\(count) random bytes are too many", advice: "ask for fewer at a time")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
        throw IdentityError(
            what: "the operating system gives no random bytes", advice: "make /dev/urandom readable for this process")
    }
    return bytes
}

/// HMAC-SHA-256 (RFC 2104) of a message under a key of any length.
public func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> Hash256 {
    Hash256 { target in
        var length: UInt32 = 0
        let done = HMAC(
            DigestContext.algorithm, key, Int32(key.count), message, message.count,
            target.baseAddress?.assumingMemoryBound(to: UInt8.self), &length)
        precondition(done != nil && length == 32, "OpenSSL cannot compute HMAC-SHA-256.")
    }
}
