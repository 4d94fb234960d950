import Generation
import Identity
import Messages
import Orchestration
import Sampling

/// A lease that this worker holds.
struct HeldLease: Sendable {
    let id: UInt64
    let version: PolicyVersion
    let request: GroupRequest
    /// What the lease said, to be repeated in the signed payload.
    let terms: Wire.Lease

    /// Nil when the lease's hashes have the wrong length.
    init?(_ lease: Wire.Lease) {
        guard let group = Hash256([UInt8](lease.groupID)), let version = PolicyVersion(lease.version) else {
            return nil
        }
        id = lease.leaseID
        self.version = version
        terms = lease
        request = GroupRequest(
            groupID: group, promptTokens: lease.promptTokens.map(Int32.init(bitPattern:)),
            parameters: SamplingParameters(lease.sampling))
    }

    /// The one signed object: everything that the worker vouches for.
    ///
    /// - Parameter engine: what generated, where it was not the canonical arithmetic.
    func payload(
        _ group: GroupResult, run: [UInt8], worker: PublicKey, arithmeticVersion: UInt32, engine: String = ""
    ) -> Wire.GroupPayload {
        var payload = Wire.GroupPayload()
        payload.schemaVersion = SchemaVersion.current
        payload.arithmeticVersion = arithmeticVersion
        payload.runID = .init(run)
        payload.leaseID = id
        payload.groupID = terms.groupID
        payload.attempt = terms.attempt
        payload.workerKey = .init(worker.rawBytes)
        payload.policyVersion = version.number
        payload.weightsHash = .init(version.weightsHash.bytes)
        payload.environmentID = terms.environmentID
        payload.environmentHash = terms.environmentHash
        payload.engine = engine
        payload.promptTokens = terms.promptTokens
        payload.sampling = terms.sampling
        payload.samples = group.samples.map { sample in
            var item = Wire.Sample()
            item.tokens = sample.tokens.map(UInt32.init(bitPattern:))
            item.finishReason = sample.finishReason.wire
            item.logProbabilities = sample.logProbabilities
            item.commitments = sample.commitments.map { .init($0.bytes) }
            item.toplocProofs = sample.proofs.map { .init($0.bytes) }
            return item
        }
        return payload
    }
}
