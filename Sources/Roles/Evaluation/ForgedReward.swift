public import Adversaries
import Foundation
import Messages
import Verification

/// The attack that has nothing to stand on: a worker that sends a reward along.
///
/// A group's payload has no field for one, and the decoder of the orchestrator refuses fields that it does not know.
public enum ForgedReward {
    /// Field numbers and values that a forger might try: a float, a packed list of floats, a varint.
    private static let fields: [[UInt8]] = [
        [0xED, 0x05, 0, 0, 0x80, 0x3F], [0xEA, 0x05, 4, 0, 0, 0x80, 0x3F], [0xE8, 0x05, 1],
        [0xFD, 0x07, 0, 0, 0x80, 0x3F],
    ]

    /// Sends honest groups as they are, which must be understood, and again with a reward, which must be refused.
    ///
    /// - Returns: how many of the forged ones were refused for the field that does not exist.
    public static func rejections(_ suite: AuditSuite, groups: Int) throws -> Proportion {
        let submissions = try suite.submissions(groups)
        var refused = 0
        for (number, evidence) in submissions.enumerated() {
            let honest = [UInt8](try evidence.wire.serializedData())
            guard GroupEvidence(try Wire.GroupPayload(strict: honest)) == evidence else { continue }
            do throws(MessageError) {
                _ = try Wire.GroupPayload(strict: honest + fields[number % fields.count])
            } catch  where error.code == .unknownField {
                refused += 1
            } catch {
                continue
            }
        }
        return Proportion(refused, of: submissions.count)
    }
}

extension GroupEvidence {
    /// The payload that decodes to this.
    fileprivate var wire: Wire.GroupPayload {
        var payload = Wire.GroupPayload()
        payload.schemaVersion = schemaVersion
        payload.arithmeticVersion = arithmeticVersion
        payload.runID = Data(runID.bytes)
        payload.leaseID = leaseID
        payload.groupID = Data(groupID.bytes)
        payload.attempt = attempt
        payload.workerKey = Data(workerKey.rawBytes)
        payload.policyVersion = policyVersion
        payload.weightsHash = Data(weightsHash.bytes)
        payload.environmentID = environmentID
        payload.environmentHash = Data(environmentHash.bytes)
        payload.promptTokens = promptTokens.map(UInt32.init(bitPattern:))
        payload.sampling = parameters.wire
        payload.samples = samples.map { sample in
            var item = Wire.Sample()
            item.tokens = sample.tokens.map(UInt32.init(bitPattern:))
            if let reason = sample.finishReason { item.finishReason = reason.wire }
            item.logProbabilities = sample.logProbabilities
            item.commitments = sample.commitments.map { Data($0) }
            item.toplocProofs = sample.proofs.map { Data($0) }
            return item
        }
        return payload
    }
}
