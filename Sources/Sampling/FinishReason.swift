/// Why a sample ended.
public enum FinishReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// The last token is a stop token.
    case stop
    /// The maximum was reached without one.
    case length
}
