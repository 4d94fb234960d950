import Identity
import Proofs
import Sampling

extension EvidenceBundle {
    /// What every file begins with.
    static let magic = [UInt8]("APUSEVID".utf8)
    /// The newest format: the one with an earlier payload.
    ///
    /// A bundle without one is written in format 1, so that what was read writes the bytes that its seal signs.
    public static let formatVersion: UInt32 = 2

    /// The file.
    public var bytes: [UInt8] {
        var writer = EvidenceWriter(bytes: content)
        writer.byte(seal == nil ? 0 : 1)
        if let seal {
            writer.raw(seal.key.rawBytes)
            writer.raw(seal.signature)
        }
        return writer.bytes
    }

    /// Everything before the seal: what it signs.
    var content: [UInt8] {
        var writer = EvidenceWriter(bytes: Self.magic)
        writer.bytes.reserveCapacity(
            payload.count + (earlier?.bytes.count ?? 0) + reports.reduce(4096) { $0 + $1.bytes.count })
        writer.word(earlier == nil ? 1 : Self.formatVersion)
        writer.blob(payload)
        writer.blob(signature)
        if let earlier {
            writer.blob(earlier.bytes)
            writer.blob(earlier.signature)
        }
        writer.write(terms)
        writer.write(rules)
        writer.write(finding)
        writer.word(UInt32(clamping: reports.count))
        for report in reports {
            writer.raw(report.verifier.rawBytes)
            writer.blob(report.bytes)
        }
        return writer.bytes
    }
}

/// Little-endian fields one after another, each variable one behind its length.
struct EvidenceWriter {
    var bytes: [UInt8]

    mutating func raw(_ values: [UInt8]) { bytes += values }
    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func word(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    mutating func long(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

    mutating func blob(_ values: [UInt8]) {
        word(UInt32(clamping: values.count))
        bytes += values
    }

    mutating func text(_ text: String, limit: Int = EvidenceLimits.nameBytes) {
        var kept = [UInt8](text.utf8.prefix(limit))
        // A cut must not leave half a character.
        while !kept.isEmpty, String(validating: kept, as: UTF8.self) == nil { kept.removeLast() }
        blob(kept)
    }

    mutating func tokens(_ tokens: [Int32]) {
        word(UInt32(clamping: tokens.count))
        for token in tokens { word(UInt32(bitPattern: token)) }
    }

    mutating func write(_ terms: LeaseTerms) {
        raw(terms.runID.bytes)
        long(terms.leaseID)
        raw(terms.groupID.bytes)
        word(terms.attempt)
        raw(terms.workerKey.rawBytes)
        long(terms.policyVersion)
        raw(terms.weightsHash.bytes)
        text(terms.environmentID)
        raw(terms.environmentHash.bytes)
        text(terms.engine)
        tokens(terms.promptTokens)
        let parameters = terms.parameters
        word(UInt32(clamping: parameters.samples))
        word(UInt32(clamping: parameters.maximumTokens))
        word(parameters.temperature.bitPattern)
        word(UInt32(clamping: parameters.topK))
        word(parameters.topP.bitPattern)
        word(parameters.minP.bitPattern)
        tokens(parameters.stopTokens)
    }

    mutating func write(_ rules: EvidenceRules) {
        word(rules.schemaVersion)
        word(rules.arithmeticVersion)
        let thresholds = rules.policy.thresholds
        text(thresholds == nil ? "exact" : "toploc")
        word(UInt32(clamping: thresholds?.count ?? 0))
        for (name, value) in thresholds ?? [] {
            text(name)
            long(value.bitPattern)
        }
    }

    mutating func write(_ finding: EvidenceFinding) {
        guard case .rejected(let rejection) = finding else { return byte(0) }
        byte(1)
        text(rejection.check)
        text(rejection.reason, limit: EvidenceLimits.sentenceBytes)
        text(rejection.severity.rawValue)
        for place in [rejection.place.sample, rejection.place.chunk, rejection.place.position] {
            byte(place == nil ? 0 : 1)
            if let place { word(UInt32(clamping: place)) }
        }
        text(rejection.expected, limit: EvidenceLimits.sentenceBytes)
        text(rejection.found, limit: EvidenceLimits.sentenceBytes)
    }
}
