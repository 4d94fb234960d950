import Identity
import Messages
import Orchestration
import Tensors

/// Who a process is towards the orchestrator.
struct SessionIdentity: Sendable {
    let ticket: JoinTicket
    let keys: NodeKeys
    let role: Role
    let name: String
    let kernels: Kernels
    /// Of a trainer: the last step that a STABLE checkpoint covered when it began.
    var resumeStep: UInt64 = 0
    /// Of a worker: the engine that it declares; empty for the canonical arithmetic.
    var engine = ""
    /// Distinguishes this process from an earlier one with the same key.
    let instance = UInt64.random(in: 1 ... .max)

    /// The orchestrator's keys, as the ticket pins them.
    var orchestrator: NodePublicKeys {
        get throws {
            guard let keys = NodePublicKeys(ticket.key) else {
                throw RoleFailure(
                    .badInput, "The join address does not hold a key apus1:….", advice: "Copy it again, whole.")
            }
            return keys
        }
    }

    /// The first message of every connection: binds the channel's key to the identity.
    ///
    /// - Parameter resumeStep: Of a trainer: the last step that a STABLE checkpoint covers by now.
    func hello(resumeStep: UInt64) -> Wire.Hello {
        var hello = Wire.Hello()
        hello.role = role.wire
        hello.identityKey = .init(keys.signing.publicKey.rawBytes)
        hello.curveKeySignature = .init(
            keys.signing.sign(
                domain: SignatureDomain.hello,
                SignedContent.hello(runID: ticket.run, curveKey: keys.curve.publicKey)))
        hello.name = name
        hello.arithmeticVersion = ArithmeticVersion.current
        hello.kernelRow = kernels.row.rawValue
        hello.kernelDigest = .init(KernelVectors.combinedDigest)
        hello.softwareVersion = Software.version
        hello.invite = ticket.invite ?? ""
        hello.resumeStep = resumeStep
        hello.instance = instance
        hello.engine = engine
        return hello
    }
}

/// What this build is.
public enum Software {
    /// The version, as `--version` prints it.
    public static let version = "0.1.0"
}
