public import Identity

extension GenerationEngine {
    /// Draws noise as if another model's weights computed: what a worker does that lies about its weights.
    ///
    /// For negative controls and demonstrations. An honest worker's noise follows from the weights that it computes with.
    ///
    /// - Throws: `GenerationError.unusableVersion` where the version is not loaded or has begun to work.
    public func claim(weightsHash: Hash256, version: UInt64 = 0) throws(GenerationError) {
        guard let lane = lane(version), lane.isIdle else {
            throw .unusableVersion(version, "it is not loaded, or has work already")
        }
        lane.noiseWeightsHash = weightsHash
    }
}
