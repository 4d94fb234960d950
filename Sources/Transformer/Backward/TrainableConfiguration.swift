extension ModelConfiguration {
    /// Refuses a model whose derivatives are not computed yet.
    ///
    /// - Parameter place: what was to be trained, for the error.
    /// - Throws: `ModelError` with code `unsupported` naming what it has.
    public func requireTrainable(place: String) throws(ModelError) {
        let missing = [
            (attentionBias || attentionOutputBias || mlpBias, "biases"), (slidingWindow != nil, "a sliding window"),
            (!unrotatedLayers.isEmpty, "layers without rotation"),
        ].filter(\.0).map(\.1)
        guard missing.isEmpty else {
            throw ModelError(
                .unsupported, place: place,
                "this version generates, scores and verifies with a model that has \(missing.joined(separator: ", ")), "
                    + "but cannot train it")
        }
    }
}
