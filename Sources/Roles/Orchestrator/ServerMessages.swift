import Identity
import Messages
import Orchestration
import Sampling

/// What the state machine decided, in the words of the wire.
struct ServerMessages {
    let run: RunContext

    func welcome(_ welcome: Welcome, balance: Int64) -> Wire.ServerBody {
        var message = Wire.Welcome()
        message.runID = .init(run.id.bytes)
        message.runName = run.name
        message.relays = run.relays
        message.manifestKey = .init(run.keys.signing.publicKey.rawBytes)
        message.receiptKey = .init(run.keys.signing.publicKey.rawBytes)
        message.arithmeticVersion = run.arithmeticVersion
        message.heartbeatMilliseconds = run.heartbeatMilliseconds
        message.streak = Double(welcome.streak)
        message.balance = balance
        if let current = welcome.current { message.current = current.wire }
        if let epoch = welcome.epoch { message.epoch = Self.wire(epoch) }
        return .welcome(message)
    }

    func refusal(_ refusal: Refusal) -> Wire.ServerBody {
        var message = Wire.Refusal()
        message.code = refusal.code
        message.reason = refusal.reason
        message.advice = refusal.advice
        message.final = refusal.final
        return .refusal(message)
    }

    func lease(_ lease: Lease) throws -> Wire.Lease {
        var item = Wire.Lease()
        item.leaseID = lease.id
        item.slot = lease.slot
        item.groupID = .init(lease.groupID.bytes)
        item.attempt = lease.attempt
        item.version = lease.version.wire
        item.environmentID = run.environmentID
        item.environmentHash = .init(run.environmentHash.bytes)
        item.promptTokens = try run.tasks.promptTokens(slot: lease.slot).map(UInt32.init(bitPattern:))
        item.sampling = run.sampling.wire
        item.deadlineMilliseconds = lease.milliseconds
        return item
    }

    func receipt(_ receipt: Receipt) -> Wire.ServerBody {
        var message = Wire.Receipt()
        message.leaseID = receipt.lease
        message.groupHash = .init(receipt.group.bytes)
        message.duplicate = receipt.duplicate
        message.signature = .init(
            run.keys.signing.sign(
                domain: SignatureDomain.receipt,
                SignedContent.receipt(
                    runID: run.id.bytes, groupHash: receipt.group.bytes, workerKey: receipt.worker.rawBytes,
                    leaseID: receipt.lease)))
        return .receipt(message)
    }

    func cancellation(lease: UInt64, reason: LeaseEnd) -> Wire.ServerBody {
        var message = Wire.LeaseCancelled()
        message.leaseID = lease
        message.reason = reason.rawValue
        return .leaseCancelled(message)
    }

    func announcement(_ version: PolicyVersion, oldestUseful: UInt64) -> Wire.ServerBody {
        var message = Wire.VersionAnnounced()
        message.version = version.wire
        message.oldestUsefulVersion = oldestUseful
        return .versionAnnounced(message)
    }

    func standing(_ standing: Standing, balance: Int64) -> Wire.ServerBody {
        var message = Wire.Standing()
        message.balance = balance
        message.accepted = standing.accepted
        message.rejected = standing.rejected
        message.streak = Double(standing.streak)
        message.banned = standing.banned
        message.reasons = standing.reasons
        message.provisional = UInt64(standing.provisional)
        message.unvested = standing.unvested
        message.probability = standing.probability
        return .standing(message)
    }

    func epoch(_ epoch: DrawEpoch) -> Wire.ServerBody { .epochBegan(Self.wire(epoch)) }

    private static func wire(_ epoch: DrawEpoch) -> Wire.DrawEpoch {
        var message = Wire.DrawEpoch()
        message.number = epoch.number
        message.commitment = .init(epoch.commitment.bytes)
        message.nextCommitment = .init(epoch.next.bytes)
        message.revealed = .init(epoch.revealed?.bytes ?? [])
        return message
    }

    func drain(_ reason: String, runFinished: Bool) -> Wire.ServerBody {
        var message = Wire.Drain()
        message.reason = reason
        message.runFinished = runFinished
        return .drain(message)
    }
}

extension PolicyVersion {
    /// The version on the wire.
    var wire: Wire.PolicyVersion {
        var message = Wire.PolicyVersion()
        message.number = number
        message.weightsHash = .init(weightsHash.bytes)
        message.step = step
        return message
    }

    /// The version that a message names; nil when its hash is not one.
    init?(_ message: Wire.PolicyVersion) {
        guard let hash = Hash256([UInt8](message.weightsHash)) else { return nil }
        self.init(number: message.number, weightsHash: hash, step: message.step)
    }
}
