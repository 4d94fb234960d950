import Foundation
import Sampling
import Tensors
import Verification

/// What verification costs beside generation: processor seconds of the same groups, on one thread.
public struct CostOutcome: Sendable {
    /// Sequences that were generated at once.
    public let batch: Int
    /// Sampled tokens, all of them accepted.
    public let tokens: Int
    /// Processor seconds of generating with all evidence.
    public let generation: Double
    /// Processor seconds of the cheap checks, the replay and the comparison.
    public let verification: Double
    /// Processor seconds of replaying the first chunk of every sample alone: what it would cost to look for a cheat first.
    public let screening: Double

    /// Verification's seconds for each second of generation.
    public var ratio: Double { generation > 0 ? verification / generation : 0 }
    /// Screening's seconds for each second of verification.
    public var screeningRatio: Double { verification > 0 ? screening / verification : 0 }
}

extension AuditSuite {
    /// Generates and verifies the same groups by turns and takes the medians.
    ///
    /// - Parameter batch: a multiple of the samples of a group, or 1.
    public func cost(batch: Int, repeats: Int = 3) throws -> CostOutcome {
        // One thread, so that no processor time is spent on waiting for others.
        let pool = ComputePool(threads: 1)
        let replayer = Self.replayer(lab, lab.kernels, pool)
        var parameters = parameters
        parameters.samples = min(batch, parameters.samples)
        // Everybody runs to the end, as a benchmark of generation has it.
        parameters.stopTokens = []
        var (generation, verification, screening): ([Double], [Double], [Double]) = ([], [], [])
        var tokens = 0
        for round in 0...repeats {
            let groups = batch / parameters.samples
            let terms = (0..<groups).map { lab.terms(round * groups + $0, parameters) }
            let began = Self.processorSeconds
            let evidence = try lab.generate(terms, alone: batch == 1, pool: pool)
            let generated = Self.processorSeconds
            let requests = zip(evidence, terms).compactMap { item, terms in
                Checks.examine(item, terms: terms, rules: court.rules) == nil ? ReplayRequest(item, terms: terms) : nil
            }
            let replays = try replayer.replay(requests)
            for (index, replay) in replays.enumerated() {
                _ = Checks.judge(evidence[index], terms: terms[index], rules: court.rules, replay: replay)
            }
            let verified = Self.processorSeconds
            _ = try replayer.replay(
                requests.map { request in
                    var first = request
                    first.completions = request.completions.map { Array($0.prefix(court.rules.chunking.rows)) }
                    return first
                })
            let screened = Self.processorSeconds
            tokens = evidence.flatMap(\.samples).reduce(0) { $0 + $1.tokens.count }
            // The first round touches memory for the first time.
            guard round > 0 else { continue }
            generation.append(generated - began)
            verification.append(verified - generated)
            screening.append(screened - verified)
        }
        return CostOutcome(
            batch: batch, tokens: tokens, generation: generation.sorted()[repeats / 2],
            verification: verification.sorted()[repeats / 2], screening: screening.sorted()[repeats / 2])
    }

    /// Processor time of all threads of this process.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
