import RunConfiguration
import Transformer

extension AdapterConfiguration {
    /// The adapter that a run file's or supervised file's `lora` table asks for; nil where it is off.
    ///
    /// - Parameter base: what the adapter's own configuration calls its base model.
    static func requested(_ section: AdapterSection, base: String?) throws -> AdapterConfiguration? {
        guard section.isOn else { return nil }
        return try AdapterConfiguration(
            rank: section.rank, alpha: section.alpha, targets: section.targetModules,
            isRankStabilized: section.isRankStabilized, baseName: base, place: "lora")
    }
}
