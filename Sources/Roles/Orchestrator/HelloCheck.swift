import Identity
import Messages
import Orchestration
import Tensors

/// Turns a first message into an authenticated hello, or says why not.
///
/// The channel proved who holds the CURVE key; the signature proves that the Ed25519 key vouches for that CURVE key in
/// this run, so neither can be replayed elsewhere.
struct HelloCheck {
    let run: Hash256
    /// What a machine that computes our arithmetic reproduces; a worker with other numbers would fail every audit.
    let kernelDigest: [UInt8]
    /// Whether the run judges workers that compute something else, by TOPLOC.
    var admitsForeignEngines = false

    func check(_ hello: Wire.Hello, curveKey: [UInt8]) -> Result<Hello, HelloRefusal> {
        guard let key = PublicKey(rawBytes: hello.identityKey),
            key.isValidSignature(
                [UInt8](hello.curveKeySignature), domain: SignatureDomain.hello,
                SignedContent.hello(runID: run.bytes, curveKey: curveKey))
        else {
            return .failure(
                HelloRefusal(
                    "identity", "The signature over the channel's key does not hold for this run.",
                    advice: "Check that the join address belongs to this run and that the key file is whole."))
        }
        guard let role = Role(hello.role) else {
            return .failure(HelloRefusal("role", "The message names no role.", advice: "Upgrade the client."))
        }
        guard hello.arithmeticVersion == ArithmeticVersion.current else {
            let mine = ArithmeticVersion.current
            let who = hello.arithmeticVersion < mine ? "The client" : "The orchestrator"
            return .failure(
                HelloRefusal(
                    "arithmetic-version",
                    "The client computes arithmetic version \(hello.arithmeticVersion), this run version \(mine).",
                    advice: "\(who) must upgrade."))
        }
        let engine = hello.engine
        guard engine.isEmpty || role == .worker && admitsForeignEngines else {
            return .failure(
                HelloRefusal(
                    "foreign-engine", "This run takes no rollouts of foreign engines, and the worker declares one.",
                    advice: "Join without --engine, or ask the lab to set audit.policy to \"both\"."))
        }
        guard role == .trainer || !engine.isEmpty || [UInt8](hello.kernelDigest) == kernelDigest else {
            return .failure(
                HelloRefusal(
                    "kernel-vectors",
                    "The machine's row \(hello.kernelRow.prefix(16)) does not reproduce the hash vectors.",
                    advice: "Run `apus kernels --check` there; another --row may pass."))
        }
        return .success(
            Hello(
                key: key, role: role, name: hello.name,
                invitation: hello.invite.isEmpty ? nil : SHA256.hash([UInt8](hello.invite.utf8)),
                resumeStep: hello.resumeStep, instance: hello.instance, engine: engine))
    }
}

/// Why a first message is not believed.
struct HelloRefusal: Error {
    let code: String
    let reason: String
    let advice: String

    init(_ code: String, _ reason: String, advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }
}

extension Role {
    init?(_ kind: Wire.RoleKind) {
        switch kind {
        case .worker: self = .worker
        case .verifier: self = .verifier
        case .trainer: self = .trainer
        default: return nil
        }
    }

    /// The role's name on the wire.
    var wire: Wire.RoleKind {
        switch self {
        case .worker: .worker
        case .verifier: .verifier
        case .trainer: .trainer
        }
    }
}
