import EnvironmentKit

/// The text without one of its characters.
func dropping(oneOf text: String, using random: inout SplitMix64) -> String {
    var characters = Array(text)
    guard !characters.isEmpty else { return text }
    characters.remove(at: random.integer(in: 0...(characters.count - 1)))
    return String(characters)
}
