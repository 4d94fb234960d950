import Identity
import Proofs
import Verification

/// How a dishonest verifier answers an audit.
protocol VerifierConduct: Sendable {
    var name: String { get }
    var summary: String { get }

    /// What it reports.
    ///
    /// - Parameters:
    ///   - request: what it was given, which is all that a verifier on its own has.
    ///   - replay: what an honest verifier would report.
    ///   - accomplice: what the worker told it, if they work together.
    func report(_ request: ReplayRequest, replay: ReplayResult, accomplice: ReplayResult) -> ReplayResult
}

/// Computes nothing, and answers in the right form.
struct LazyVerifier: VerifierConduct {
    let name = "lazy-verifier"
    let summary = "computes nothing: numbers of the right form, the given tokens as choices"

    func report(_ request: ReplayRequest, replay: ReplayResult, accomplice: ReplayResult) -> ReplayResult {
        ReplayResult(
            samples: zip(request.completions, replay.samples).enumerated().map { index, item in
                let (tokens, form) = item
                return ReplayedSample(
                    commitments: form.commitments.indices.map { SHA256.hash([UInt8(truncatingIfNeeded: $0)]) },
                    logProbabilities: tokens.map { _ in -1 }, replayedTokens: tokens, margins: tokens.map { _ in 0 },
                    topRows: form.topRows.map { top in
                        let values = [UInt16](repeating: 0x3F80, count: top.bits.count)
                        return values.withUnsafeBufferPointer { TopRows(of: $0, count: values.count) }
                    })
            })
    }
}

/// Computes, and then accuses an honest worker.
struct LyingVerifier: VerifierConduct {
    let name = "lying-verifier"
    let summary = "replays honestly and changes one bit of the last commitment"

    func report(_ request: ReplayRequest, replay: ReplayResult, accomplice: ReplayResult) -> ReplayResult {
        var report = replay
        guard let last = report.samples.indices.last, let chunk = report.samples[last].commitments.indices.last else {
            return report
        }
        var bytes = report.samples[last].commitments[chunk].bytes
        bytes[31] ^= 1
        report.samples[last].commitments[chunk] = Hash256(bytes) ?? .zero
        return report
    }
}

/// Reports whatever its accomplice, the worker, has submitted.
struct ColludingVerifier: VerifierConduct {
    let name = "colluding-verifier"
    let summary = "reports what the cheating worker tells it"

    func report(_ request: ReplayRequest, replay: ReplayResult, accomplice: ReplayResult) -> ReplayResult {
        accomplice
    }
}

/// The second opinion.
struct HonestVerifier: VerifierConduct {
    let name = "honest-verifier"
    let summary = "replays and reports: the second opinion on what the others said"

    func report(_ request: ReplayRequest, replay: ReplayResult, accomplice: ReplayResult) -> ReplayResult { replay }
}
