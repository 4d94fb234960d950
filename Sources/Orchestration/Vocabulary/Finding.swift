/// How heavily a failed check weighs.
public enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
    /// The message is refused; nobody can be blamed for certain, so nothing is counted.
    case refuse
    /// The group earns nothing, the streak ends and a strike is counted (bad memory looks like this).
    case soft
    /// Hardly ever happens by accident: the stake burns and the key is banned at once.
    case slash
}

/// Why a group, a worker or a verifier was found wanting.
public struct Finding: Sendable, Hashable, Codable {
    /// The longest reason kept, in UTF-8 bytes.
    public static let maximumReasonBytes = 240
    /// The longest name of a check kept, in UTF-8 bytes.
    public static let maximumCheckBytes = 64

    /// The name of the check, stable and in kebab-case.
    public let check: String
    /// One sentence for people.
    public let reason: String
    /// How heavily it weighs.
    public let severity: Severity

    /// Keeps the finding; overlong texts are cut so that state stays bounded.
    public init(check: String, reason: String, severity: Severity) {
        self.check = bounded(check, Self.maximumCheckBytes)
        self.reason = bounded(reason, Self.maximumReasonBytes)
        self.severity = severity
    }
}

/// Cuts a text to so many UTF-8 bytes, never within a character.
func bounded(_ text: String, _ maximumBytes: Int) -> String {
    guard text.utf8.count > maximumBytes else { return text }
    var kept = ""
    var bytes = 0
    for character in text {
        bytes += character.utf8.count
        if bytes > maximumBytes { break }
        kept.append(character)
    }
    return kept
}
