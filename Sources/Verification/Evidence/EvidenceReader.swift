import Identity
import Proofs
import Sampling

extension EvidenceBundle {
    /// Reads a file from anybody.
    ///
    /// Nothing is believed: signatures are the caller's to check. What is read writes the same bytes again.
    ///
    /// - Throws: `EvidenceError` before anything beyond the limits is allocated.
    public init(parsing bytes: [UInt8]) throws(EvidenceError) {
        guard bytes.count <= EvidenceLimits.fileBytes else { throw .tooLarge(bytes: bytes.count) }
        guard bytes.starts(with: Self.magic) else { throw .notEvidence }
        var reader = EvidenceReader(bytes: bytes, position: Self.magic.count)
        let version = try reader.word("the version")
        guard (1...Self.formatVersion).contains(version) else { throw .version(version) }
        let payload = try reader.blob("the payload", limit: EvidenceLimits.partBytes)
        let signature = try reader.blob("the worker's signature", limit: PublicKey.signatureByteCount)
        var earlier: EvidencePayload?
        if version > 1 {
            let bytes = try reader.blob("the earlier payload", limit: EvidenceLimits.partBytes)
            earlier = EvidencePayload(
                bytes: bytes,
                signature: try reader.blob("the earlier signature", limit: PublicKey.signatureByteCount))
        }
        let terms = try reader.terms()
        let rules = try reader.rules()
        let finding = try reader.finding()
        var reports: [EvidenceReport] = []
        for _ in 0..<(try reader.count("the number of reports", limit: EvidenceLimits.reports)) {
            let verifier = try reader.key("a verifier's key")
            reports.append(
                EvidenceReport(
                    verifier: verifier, bytes: try reader.blob("a report", limit: EvidenceLimits.partBytes)))
        }
        self.init(
            payload: payload, signature: signature, earlier: earlier, terms: terms, rules: rules, finding: finding,
            reports: reports)
        if try reader.flag("the seal") {
            let key = try reader.key("the seal's key")
            seal = EvidenceSeal(
                key: key, signature: try reader.raw("the seal's signature", PublicKey.signatureByteCount))
        }
        guard reader.position == bytes.count else { throw .trailingBytes(bytes.count - reader.position) }
    }
}

/// Takes fields from a stranger's bytes; every step is checked against the end and its limit.
struct EvidenceReader {
    let bytes: [UInt8]
    private(set) var position: Int

    init(bytes: [UInt8], position: Int) {
        self.bytes = bytes
        self.position = position
    }

    mutating func raw(_ field: String, _ count: Int) throws(EvidenceError) -> [UInt8] {
        guard count <= bytes.count - position else { throw .truncated(field: field) }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func word(_ field: String) throws(EvidenceError) -> UInt32 {
        try raw(field, 4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func long(_ field: String) throws(EvidenceError) -> UInt64 {
        try raw(field, 8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func flag(_ field: String) throws(EvidenceError) -> Bool {
        switch try raw(field, 1)[0] {
        case 0: false
        case 1: true
        default: throw .invalid(field: field)
        }
    }

    mutating func count(_ field: String, limit: Int) throws(EvidenceError) -> Int {
        let value = try word(field)
        guard value <= limit else { throw .beyondLimit(field: field, value: UInt64(value), limit: limit) }
        return Int(value)
    }

    mutating func blob(_ field: String, limit: Int) throws(EvidenceError) -> [UInt8] {
        try raw(field, try count("the length of \(field)", limit: limit))
    }

    mutating func text(_ field: String, limit: Int = EvidenceLimits.nameBytes) throws(EvidenceError) -> String {
        guard let text = String(validating: try blob(field, limit: limit), as: UTF8.self) else {
            throw .invalid(field: field)
        }
        return text
    }

    mutating func tokens(_ field: String, limit: Int) throws(EvidenceError) -> [Int32] {
        let count = try count("the number of \(field)", limit: limit)
        let list = try raw(field, 4 * count)
        return (0..<count).map { index in
            list[4 * index..<4 * index + 4].reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
        }
    }

    mutating func hash(_ field: String) throws(EvidenceError) -> Hash256 {
        guard let hash = Hash256(try raw(field, Hash256.byteCount)) else { throw .invalid(field: field) }
        return hash
    }

    mutating func key(_ field: String) throws(EvidenceError) -> PublicKey {
        guard let key = PublicKey(rawBytes: try raw(field, PublicKey.byteCount)) else { throw .invalid(field: field) }
        return key
    }

    private mutating func float(_ field: String) throws(EvidenceError) -> Float {
        let value = Float(bitPattern: try word(field))
        // A payload cannot name it either; and NaN would not equal itself when bundles are compared.
        guard !value.isNaN else { throw .invalid(field: field) }
        return value
    }

    mutating func terms() throws(EvidenceError) -> LeaseTerms {
        LeaseTerms(
            runID: try hash("the run id"), leaseID: try long("the lease id"), groupID: try hash("the group_id"),
            attempt: try word("the attempt"), workerKey: try key("the worker's key"),
            policyVersion: try long("the policy version"), weightsHash: try hash("the weights hash"),
            environmentID: try text("the environment's id"), environmentHash: try hash("the environment's hash"),
            engine: try text("the engine"),
            promptTokens: try tokens("prompt tokens", limit: EvidenceLimits.promptTokens),
            parameters: SamplingParameters(
                samples: Int(try word("samples")), maximumTokens: Int(try word("max_tokens")),
                temperature: try float("temperature"), topK: Int(try word("top_k")), topP: try float("top_p"),
                minP: try float("min_p"), stopTokens: try tokens("stop tokens", limit: EvidenceLimits.stopTokens)))
    }

    mutating func rules() throws(EvidenceError) -> EvidenceRules {
        let schema = try word("the schema version")
        let arithmetic = try word("the arithmetic version")
        let name = try text("the policy")
        var thresholds: [(name: String, value: Double)] = []
        for _ in 0..<(try count("the number of thresholds", limit: EvidenceLimits.thresholds)) {
            let threshold = try text("a threshold's name")
            thresholds.append((threshold, Double(bitPattern: try long("a threshold"))))
        }
        switch name {
        case "exact" where thresholds.isEmpty:
            return EvidenceRules(schemaVersion: schema, arithmeticVersion: arithmetic, policy: .exact)
        case "toploc":
            guard let policy = AuditPolicy(thresholds: thresholds) else { throw .invalid(field: "the thresholds") }
            return EvidenceRules(schemaVersion: schema, arithmeticVersion: arithmetic, policy: policy)
        default: throw .invalid(field: "the policy")
        }
    }

    mutating func finding() throws(EvidenceError) -> EvidenceFinding {
        guard try flag("the finding") else { return .accepted }
        let check = try text("the check")
        let reason = try text("the reason", limit: EvidenceLimits.sentenceBytes)
        guard let severity = Rejection.Severity(rawValue: try text("the severity")) else {
            throw .invalid(field: "the severity")
        }
        var place = Rejection.Place()
        place.sample = try part("the sample")
        place.chunk = try part("the chunk")
        place.position = try part("the position")
        return .rejected(
            Rejection(
                check: check, reason: reason, severity: severity, place: place,
                expected: try text("what was expected", limit: EvidenceLimits.sentenceBytes),
                found: try text("what was found", limit: EvidenceLimits.sentenceBytes)))
    }

    private mutating func part(_ field: String) throws(EvidenceError) -> Int? {
        try flag(field) ? Int(try word(field)) : nil
    }
}
