import Safetensors

/// Compares the tensors of files with those that a model needs.
enum TensorCheck {
    private static let shown = 8

    /// Fails with three lists (missing, unexpected, wrong shape or type) unless files and layout agree.
    ///
    /// `lm_head.weight` beside tied embeddings is tolerated: exporters write the copy or leave it out.
    static func verify(
        _ tensors: TensorCollection, against layout: ParameterLayout, types: [ElementType]
    ) throws(ModelError) {
        let found = tensors.tensors
        let needed = Set(layout.slices.map(\.name))
        let missing = layout.slices.map(\.name).filter { found[$0] == nil }
        let unexpected = found.keys.filter { name in
            !needed.contains(name) && !(name == "lm_head.weight" && layout.configuration.tieEmbeddings)
        }
        let wrong = layout.slices.compactMap { slice -> String? in
            guard let info = found[slice.name], info.shape != slice.shape || !types.contains(info.type) else {
                return nil
            }
            let wanted = types.map(\.rawValue).joined(separator: " or ")
            return "\(slice.name) is \(info.type.rawValue) \(info.shape) instead of \(wanted) \(slice.shape)"
        }
        let lists = [("missing", missing), ("unexpected", unexpected), ("wrong shape or type", wrong)]
            .filter { !$0.1.isEmpty }
            .map { "\($0.0): \(summary($0.1))" }
        guard lists.isEmpty else {
            throw ModelError(
                .tensorMismatch, place: tensors.directory,
                "its tensors do not fit its config.json (\(lists.joined(separator: "; ")))")
        }
    }

    private static func summary(_ names: [String]) -> String {
        let first = names.sorted(by: precedes).prefix(shown).joined(separator: ", ")
        return names.count > shown ? "\(first) and \(names.count - shown) more" : first
    }
}
