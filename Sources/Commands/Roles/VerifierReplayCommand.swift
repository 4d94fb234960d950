import ArgumentParser
import Foundation
import Identity
import Messages
import Roles
import Transformer
import Verification

/// `verifier replay EVIDENCE`.
struct VerifierReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Re-check a verdict offline, from its evidence file and the weights.",
        discussion: """
            Checks the worker's, the verifiers' and the lab's signatures, that the directory holds the weights that the \
            group was leased under, and replays the group on this machine. It asks nobody and needs no run.

            Exit status: 0 confirmed, 1 refuted, 2 cannot be re-checked (the words say why), 65 the file is no evidence \
            or the model cannot be read.

              apus evidence export --db runs/demo/orchestrator.sqlite --group 3fa9… --out group.evidence
              verifier replay group.evidence --model runs/demo/cache/worker-1/v12 --lab apus1:3f…
            """)

    @Argument(help: ArgumentHelp("An evidence file.", valueName: "evidence"))
    var evidence: String

    @Option(help: ArgumentHelp("The weights of the group's version, a Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "The lab's key or join address. Without it no finding is confirmed that rests on the lease's terms.",
            valueName: "key"))
    var lab: String?

    @OptionGroup var adapter: AdapterOption

    @Flag(help: "One JSON object instead of words.")
    var json = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Memory for the group in replay.", valueName: "gib"))
    var memoryLimit: Double = 1

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard memoryLimit > 0, memoryLimit < 4096 else {
            throw ValidationError("--memory-limit must be a positive number of GiB.")
        }
    }

    /// The lab's key out of what was typed: 64 hexadecimal digits, an `apus1:` line or a whole `apus://` address.
    private func labKey() throws -> PublicKey? {
        guard let lab else { return nil }
        let text = lab.hasPrefix("apus://") ? try JoinTicket(lab).key : lab
        guard let key = PublicKey(text: text) else {
            throw ValidationError(
                "--lab must be the lab's key (apus1:… or 64 hexadecimal digits) or its apus:// address.")
        }
        return key
    }

    /// What `--json` prints.
    private struct Line: Encodable {
        struct Report: Encodable {
            let verifier: String
            let signed: Bool
            let equal: Bool?
        }
        let outcome: String
        let reason: String?
        let group: String
        let worker: String
        let version: UInt64
        let weightsHash: String
        let signed: Bool
        let sealed: Bool?
        let sealedBy: String?
        /// Whether the seal is of the key behind `--lab`; absent without one.
        let sealedByLab: Bool?
        let reports: [Report]
        let check: String?
        let place: String?
        let expected: String?
        let found: String?
    }

    func run() async throws {
        let lab = try labKey()
        let bundle = try EvidenceFile.read(evidence)
        let kernels = try compute.kernels()
        let pool = compute.pool()
        let reviewer = EvidenceReviewer(
            kernels: kernels, pool: pool, cacheBytes: Int(memoryLimit * Double(1 << 30)))
        let review = try reviewer.review(bundle, lab: lab) {
            try adapter.weights(of: ModelDirectory(opening: model), kernels: kernels, pool: pool)
        }
        if json {
            try Output.line(line(review))
        } else {
            for line in review.lines { Output.text(line) }
        }
        if review.outcome != .confirmed { throw ExitCode(review.outcome.exitCode) }
    }

    private func line(_ review: EvidenceReview) -> Line {
        let (outcome, reason): (String, String?) =
            switch review.outcome {
            case .confirmed: ("confirmed", nil)
            case .refuted(let reason): ("refuted", reason)
            case .unknown(let reason): ("unknown", reason)
            }
        var rejection: Rejection?
        if case .rejected(let found)? = review.judgement { rejection = found }
        let terms = review.bundle.terms
        return Line(
            outcome: outcome, reason: reason, group: review.group.hex, worker: terms.workerKey.hex,
            version: terms.policyVersion, weightsHash: terms.weightsHash.hex, signed: review.isSigned,
            sealed: review.bundle.hasValidSeal, sealedBy: review.bundle.seal?.key.hex,
            sealedByLab: review.lab.map { _ in review.isSealedByLab },
            reports: review.reports.map {
                .init(verifier: $0.verifier.hex, signed: $0.isSigned, equal: $0.isEqual)
            }, check: rejection?.check, place: rejection?.place.description, expected: rejection?.expected,
            found: rejection?.found)
    }
}
