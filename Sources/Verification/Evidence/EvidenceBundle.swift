import Identity

/// One judged group in a file of its own: whoever has it and the weights can repeat the judgement, offline.
///
/// It holds what each party signed, as it was signed, and what the lab knew: nothing in it has to be believed but the
/// lease's terms, and those are under the lab's seal. docs/formats.md has the bytes.
public struct EvidenceBundle: Sendable, Hashable {
    /// The purpose that the lab signs a seal for.
    public static let sealDomain = "apus/evidence/v1"

    /// The worker's signed bytes, as received.
    public var payload: [UInt8]
    /// The worker's Ed25519 signature over them, by the key in ``terms``.
    public var signature: [UInt8]
    /// Another payload that the same worker signed for the same lease before; only an equivocation has one.
    public var earlier: EvidencePayload?
    /// What the lab leased.
    public var terms: LeaseTerms
    /// What the group was judged by.
    public var rules: EvidenceRules
    /// What the lab concluded.
    public var finding: EvidenceFinding
    /// The reports that it rests on, one or two as a rule, in the order in which they came.
    public var reports: [EvidenceReport]
    /// The lab's signature over everything above; nil where the file was made without its key.
    public internal(set) var seal: EvidenceSeal?

    /// Puts a file together; ``sealed(by:)`` signs it.
    public init(
        payload: [UInt8], signature: [UInt8], earlier: EvidencePayload? = nil, terms: LeaseTerms, rules: EvidenceRules,
        finding: EvidenceFinding, reports: [EvidenceReport]
    ) {
        self.payload = payload
        self.signature = signature
        self.earlier = earlier
        self.terms = terms
        self.rules = rules
        self.finding = finding
        self.reports = reports
    }

    /// The same bundle under a lab's seal.
    public func sealed(by lab: SigningKey) -> EvidenceBundle {
        var copy = self
        copy.seal = EvidenceSeal(key: lab.publicKey, signature: lab.sign(domain: Self.sealDomain, content))
        return copy
    }

    /// Whether the seal is the one of its key over this bundle; nil where there is none.
    public var hasValidSeal: Bool? {
        seal.map { $0.key.isValidSignature($0.signature, domain: Self.sealDomain, content) }
    }
}

/// What a worker signed, as received.
public struct EvidencePayload: Sendable, Hashable {
    /// The signed bytes.
    public var bytes: [UInt8]
    /// Ed25519 over them.
    public var signature: [UInt8]

    /// Names a payload.
    public init(bytes: [UInt8], signature: [UInt8]) {
        self.bytes = bytes
        self.signature = signature
    }
}

/// The lab's word for a bundle.
public struct EvidenceSeal: Sendable, Hashable {
    /// The lab's key.
    public let key: PublicKey
    /// Ed25519 over the bundle's bytes before the seal.
    public let signature: [UInt8]
}

/// What a group was judged by, beside its lease.
public struct EvidenceRules: Sendable, Hashable {
    /// The wire schema of payload and reports.
    public var schemaVersion: UInt32
    /// The canonical arithmetic of the replay.
    public var arithmeticVersion: UInt32
    /// How the submission was compared with its replay.
    public var policy: AuditPolicy

    /// Names the rules.
    public init(schemaVersion: UInt32, arithmeticVersion: UInt32, policy: AuditPolicy) {
        self.schemaVersion = schemaVersion
        self.arithmeticVersion = arithmeticVersion
        self.policy = policy
    }

    /// What a run judges by.
    public init(_ rules: AuditRules) {
        self.init(
            schemaVersion: rules.schemaVersion, arithmeticVersion: rules.arithmeticVersion, policy: rules.policy)
    }
}

/// What the lab concluded about a group.
public enum EvidenceFinding: Sendable, Hashable {
    /// Every check passed.
    case accepted
    /// A check failed.
    case rejected(Rejection)
}

/// What one verifier sent.
public struct EvidenceReport: Sendable, Hashable {
    /// Who signed it.
    public var verifier: PublicKey
    /// An encoded `AuditReport`, its signature included.
    public var bytes: [UInt8]

    /// Names a report.
    public init(verifier: PublicKey, bytes: [UInt8]) {
        self.verifier = verifier
        self.bytes = bytes
    }
}
