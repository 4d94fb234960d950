/// How large a bundle's parts may be; the reader checks them before it allocates.
enum EvidenceLimits {
    /// The whole file.
    static let fileBytes = 96 << 20
    /// The payload, and each report: what a frame may hold.
    static let partBytes = 32 << 20
    static let reports = 8
    static let promptTokens = 65_536
    static let stopTokens = 256
    static let nameBytes = 256
    static let sentenceBytes = 4096
    static let thresholds = 32
}
