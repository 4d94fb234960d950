import Identity
import Orchestration
import RunConfiguration

extension Run.Configuration {
    /// The stake that an invitation grants: about what a worker of the demo earns in two steps.
    static let invitedStake: Int64 = 1_000_000_000

    /// What a run file decides.
    init(_ file: RunFile, secrets: RunSecrets) throws {
        self.init(
            runID: secrets.runID, secret: secrets.secret, steps: UInt64(file.training.steps),
            groupsPerBatch: file.training.groupsPerBatch, pace: UInt64(file.training.pace),
            maximumStaleness: UInt64(file.training.maxStaleness), strikes: file.audit.strikes,
            workers: try Admission(file.admission),
            verifiers: try .list(Self.identities(file.admission.verifiers, "admission.verifiers")),
            trainers: try Self.identities(file.admission.trainers, "admission.trainers"),
            invitedStake: Self.invitedStake)
        timing.lease = UInt64(file.lease.minimumSeconds * 1000)
        timing.leaseFactor = UInt64(file.lease.factor.rounded(.up))
        timing.audit = UInt64(file.audit.timeoutSeconds * 1000)
        timing.rejection = 1000
        timing.returned = 1000
        auditing = Run.Auditing(file)
    }

    static func identities(_ lines: [String], _ key: String) throws -> Set<PublicKey> {
        Set(
            try lines.map { line in
                guard let keys = NodePublicKeys(line) else {
                    throw RoleFailure(
                        .badInput, "\(key) holds \"\(line.prefix(24))…\", which is no public key.",
                        advice: "Write the line that `apus keys show` prints: apus1:….")
                }
                return keys.identity
            })
    }
}

extension Run.Auditing {
    /// What a run file's `[audit]` table says.
    init(_ file: RunFile) {
        func millionths(_ share: Double) -> UInt32 { UInt32((share * 1e6).rounded()) }
        self.init()
        switch file.audit.mode {
        case .all: mode = .all
        case .adaptive: mode = .adaptive
        }
        floor = max(1, millionths(file.audit.floor))
        trustedAfter = Int64(file.audit.trustedAfter)
        plantRate = millionths(file.audit.plantRate)
        repeatRate = millionths(file.audit.reauditRate)
        epochGroups = UInt64(file.audit.epochGroups)
        leaseTokens = UInt64(file.sampling.groupSize) * UInt64(file.sampling.maxTokens)
    }
}

extension Admission {
    /// What a run file's `[admission]` table says.
    init(_ section: AdmissionSection) throws {
        let listed = try Run.Configuration.identities(section.keys, "admission.keys")
        let invitations = Set(section.invites.map { SHA256.hash([UInt8]($0.utf8)) })
        switch section.mode {
        case .open: self = .open
        case .invite: self = .invitation(invitations)
        case .list: self = .list(listed)
        }
    }
}
