import Identity
import Messages
import Proofs
import Sampling
import Verification

extension GroupEvidence {
    /// The fields of a signed payload, nothing of them believed; nil when a key or hash has not even the right length.
    init?(_ payload: Wire.GroupPayload) {
        guard let run = Hash256([UInt8](payload.runID)), let group = Hash256([UInt8](payload.groupID)),
            let worker = PublicKey(rawBytes: payload.workerKey), let weights = Hash256([UInt8](payload.weightsHash)),
            let environment = Hash256([UInt8](payload.environmentHash))
        else { return nil }
        self.init(
            schemaVersion: payload.schemaVersion, arithmeticVersion: payload.arithmeticVersion, runID: run,
            leaseID: payload.leaseID, groupID: group, attempt: payload.attempt, workerKey: worker,
            policyVersion: payload.policyVersion, weightsHash: weights, environmentID: payload.environmentID,
            environmentHash: environment, engine: payload.engine,
            promptTokens: payload.promptTokens.map(Int32.init(bitPattern:)),
            parameters: SamplingParameters(payload.sampling), samples: payload.samples.map(SampleEvidence.init))
    }
}

extension SampleEvidence {
    init(_ sample: Wire.Sample) {
        self.init(
            tokens: sample.tokens.map(Int32.init(bitPattern:)), finishReason: FinishReason(sample.finishReason),
            logProbabilities: sample.logProbabilities, commitments: sample.commitments.map { [UInt8]($0) },
            proofs: sample.toplocProofs.map { [UInt8]($0) })
    }
}

extension FinishReason {
    init?(_ reason: Wire.FinishReason) {
        switch reason {
        case .stop: self = .stop
        case .length: self = .length
        default: return nil
        }
    }

    /// The reason on the wire.
    var wire: Wire.FinishReason {
        switch self {
        case .stop: .stop
        case .length: .length
        }
    }
}

extension ReplayResult {
    /// What a verifier reports; nil when a value has not even the right form.
    init?(_ samples: [Wire.ReplayedSample]) {
        var replayed: [ReplayedSample] = []
        for sample in samples {
            let commitments = sample.commitments.compactMap { Hash256([UInt8]($0)) }
            let rows = sample.topRows.compactMap { row in
                TopRows(indices: row.indices, bits: row.bits.map { UInt16(truncatingIfNeeded: $0) })
            }
            guard commitments.count == sample.commitments.count, rows.count == sample.topRows.count else { return nil }
            replayed.append(
                ReplayedSample(
                    commitments: commitments, logProbabilities: sample.logProbabilities,
                    replayedTokens: sample.replayedTokens.map(Int32.init(bitPattern:)), margins: sample.margins,
                    topRows: rows))
        }
        self.init(samples: replayed)
    }

    /// The samples on the wire.
    var wire: [Wire.ReplayedSample] {
        samples.map { sample in
            var message = Wire.ReplayedSample()
            message.commitments = sample.commitments.map { .init($0.bytes) }
            message.logProbabilities = sample.logProbabilities
            message.replayedTokens = sample.replayedTokens.map(UInt32.init(bitPattern:))
            message.margins = sample.margins
            message.topRows = sample.topRows.map { row in
                var item = Wire.TopRows()
                item.indices = row.indices
                item.bits = row.bits.map(UInt32.init)
                return item
            }
            return message
        }
    }
}
