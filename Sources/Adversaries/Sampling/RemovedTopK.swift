import Sampling
import Verification

/// Samples from all tokens where the lease allows the most probable ones only.
struct RemovedTopK: Attack {
    let name = "removed-top-k"
    let summary = "the leased top-k left out, all evidence computed honestly over it"

    func parameters(_ base: SamplingParameters, vocabularySize: Int) -> SamplingParameters {
        var filtered = base
        filtered.topK = max(2, min(20, vocabularySize / 8))
        return filtered
    }

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let free = try lab.generate(groups.map(\.terms)) { _, request in request.parameters.topK = 0 }
        return try lab.evidence(over: free.map { $0.samples.map(\.tokens) }, groups)
    }
}
