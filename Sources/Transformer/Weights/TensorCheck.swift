import Safetensors

/// Compares the tensors of files with those that a model needs.
enum TensorCheck {
    /// The output projection, which stands beside tied embeddings or does not.
    static let outputName = "lm_head.weight"
    private static let shown = 8

    /// Fails with three lists (missing, unexpected, wrong shape or type) unless files and layout agree.
    ///
    /// `lm_head.weight` beside tied embeddings is tolerated, and so are the buffers of rotary frequencies that old releases
    /// of `transformers` saved, because they follow from the configuration.
    static func verify(
        _ tensors: TensorCollection, against layout: ParameterLayout, types: [ElementType]
    ) throws(ModelError) {
        let found = tensors.tensors
        let needed = Set(layout.slices.map(\.name))
        guard found[layout.embedding.name] != nil || found[withoutPrefix(layout.embedding.name)] == nil else {
            throw ModelError(
                .tensorMismatch, place: tensors.directory,
                "its tensors lack the prefix \"model.\": this is the bare decoder without its language-model head; "
                    + "save it with the class that config.json names under architectures")
        }
        let unexpected = found.keys.filter { name in
            !needed.contains(name) && !(name == outputName && layout.configuration.tieEmbeddings)
                && !name.hasSuffix("rotary_emb.inv_freq")
        }
        var checked = layout.slices.map { (name: $0.name, shape: $0.shape) }
        let missing = checked.map(\.name).filter { found[$0] == nil }
        if layout.configuration.tieEmbeddings { checked.append((outputName, layout.embedding.shape)) }
        try refuse(
            missing: missing, unexpected: unexpected, wrong: wrong(found, checked, types),
            place: tensors.directory, description: "config.json")
    }

    /// The same for a file of exactly these tensors.
    static func verify(
        _ file: SafetensorsFile, against slices: [TensorSlice], types: [ElementType], description: String
    ) throws(ModelError) {
        let found = file.tensors
        let needed = Set(slices.map(\.name))
        try refuse(
            missing: slices.map(\.name).filter { found[$0] == nil },
            unexpected: found.keys.filter { !needed.contains($0) },
            wrong: wrong(found, slices.map { ($0.name, $0.shape) }, types), place: file.path, description: description)
    }

    private static func wrong(
        _ found: [String: TensorInfo], _ checked: [(name: String, shape: [Int])], _ types: [ElementType]
    ) -> [String] {
        let wanted = types.map(\.rawValue).joined(separator: " or ")
        return checked.compactMap { name, shape in
            guard let info = found[name], info.shape != shape || !types.contains(info.type) else { return nil }
            return "\(name) is \(info.type.rawValue) \(info.shape) instead of \(wanted) \(shape)"
        }
    }

    private static func refuse(
        missing: [String], unexpected: [String], wrong: [String], place: String, description: String
    ) throws(ModelError) {
        let lists = [("missing", missing), ("unexpected", unexpected), ("wrong shape or type", wrong)]
            .filter { !$0.1.isEmpty }
            .map { "\($0.0): \(summary($0.1))" }
        guard lists.isEmpty else {
            throw ModelError(
                .tensorMismatch, place: place,
                "its tensors do not fit its \(description) (\(lists.joined(separator: "; ")))")
        }
    }

    private static func withoutPrefix(_ name: String) -> String { String(name.dropFirst("model.".count)) }

    private static func summary(_ names: [String]) -> String {
        let first = names.sorted(by: precedes).prefix(shown).joined(separator: ", ")
        return names.count > shown ? "\(first) and \(names.count - shown) more" : first
    }
}
