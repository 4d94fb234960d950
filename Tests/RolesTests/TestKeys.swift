import Identity

/// Keys that tests may use freely.
enum TestKeys {
    static let verifier = SigningKey().publicKey
    static let worker = SigningKey().publicKey
}
