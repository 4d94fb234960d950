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
        try verify(
            tensors.tensors, against: layout.slices, types: types, place: tensors.directory,
            tolerating: layout.configuration.tieEmbeddings ? ["lm_head.weight"] : [], description: "config.json")
    }

    /// The same for tensors that some other configuration file describes.
    static func verify(
        _ found: [String: TensorInfo], against slices: [TensorSlice], types: [ElementType], place: String,
        tolerating tolerated: Set<String> = [], description: String
    ) throws(ModelError) {
        let needed = Set(slices.map(\.name))
        let missing = slices.map(\.name).filter { found[$0] == nil }
        let unexpected = found.keys.filter { !needed.contains($0) && !tolerated.contains($0) }
        let wrong = slices.compactMap { slice -> String? in
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
                .tensorMismatch, place: place,
                "its tensors do not fit its \(description) (\(lists.joined(separator: "; ")))")
        }
    }

    private static func summary(_ names: [String]) -> String {
        let first = names.sorted(by: precedes).prefix(shown).joined(separator: ", ")
        return names.count > shown ? "\(first) and \(names.count - shown) more" : first
    }
}
