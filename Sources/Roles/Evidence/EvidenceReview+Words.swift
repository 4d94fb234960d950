import Identity
import Verification

extension EvidenceReview {
    /// The review for people, a line for each thing that was looked at and the conclusion last.
    public var lines: [String] {
        let terms = bundle.terms
        var lines = [
            "group      \(group.hex)",
            "worker     \(terms.workerKey.hex)"
                + (terms.engine.isEmpty ? "" : " (foreign engine \(Self.plain(terms.engine)))"),
            "weights    version \(terms.policyVersion), \(terms.weightsHash.hex)",
            "finding    \(Self.words(bundle.finding))",
            "signature  the worker's signature over the group \(isSigned ? "holds" : "does not hold")",
        ]
        if let isEarlierSigned {
            lines.append(
                "earlier    the worker's signature over another group \(isEarlierSigned ? "holds" : "does not hold")")
        }
        switch (bundle.hasValidSeal, bundle.seal) {
        case (true?, let seal?): lines.append("seal       holds, by \(Self.owner(of: seal.key, lab: lab))")
        case (false?, _): lines.append("seal       does not hold")
        default: lines.append("seal       none: the lease's terms are the word of whoever made the file")
        }
        for report in reports {
            let words =
                if !report.isSigned {
                    "cannot be read, or its signature does not hold"
                } else {
                    switch report.isEqual {
                    case true?: "signature holds; equals this machine's replay"
                    case false?: "signature holds; differs from this machine's replay"
                    case nil: "signature holds; not compared"
                    }
                }
            lines.append("report     of \(report.verifier.hex.prefix(16)): \(words)")
        }
        switch judgement {
        case .accepted(let statistics)?:
            lines.append("replay     every check passes, over \(statistics.tokens) tokens")
        case .rejected(let rejection)?: lines.append("replay     rejected by \(Self.words(.rejected(rejection)))")
        case .inconclusive?, nil: lines.append("replay     none")
        }
        switch outcome {
        case .confirmed: lines.append("confirmed")
        case .refuted(let reason): lines.append("refuted: \(reason).")
        case .unknown(let reason): lines.append("cannot be re-checked because \(reason.trimmingSuffix(".")).")
        }
        return lines
    }

    /// Whose a seal is.
    private static func owner(of key: PublicKey, lab: PublicKey?) -> String {
        switch lab {
        case key?: "the lab's key \(key.hex)"
        case let lab?: "the key \(key.hex), which is not the lab's \(lab.hex)"
        case nil: "the key \(key.hex); whether it is the lab's, nothing in the file can say (--lab)"
        }
    }

    /// A finding as one line; texts in a file are a stranger's.
    private static func words(_ finding: EvidenceFinding) -> String {
        guard case .rejected(let rejection) = finding else { return "accepted" }
        return plain(rejection.description)
    }

    /// Without what a terminal would obey.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
