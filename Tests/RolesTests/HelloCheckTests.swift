import Foundation
import Identity
import Messages
import Orchestration
import Tensors
import Testing

@testable import Roles

@Suite("First messages")
struct HelloCheckTests {
    private let run = SHA256.hash([1])
    private let keys = NodeKeys()
    private var check: HelloCheck { HelloCheck(run: run, kernelDigest: KernelVectors.combinedDigest) }

    private func hello(_ change: (inout Wire.Hello) -> Void = { _ in }) -> Wire.Hello {
        var hello = Wire.Hello()
        hello.role = .worker
        hello.identityKey = .init(keys.signing.publicKey.rawBytes)
        hello.curveKeySignature = signature(run: run, by: keys.signing)
        hello.arithmeticVersion = ArithmeticVersion.current
        hello.kernelDigest = .init(KernelVectors.combinedDigest)
        hello.kernelRow = "avx2"
        hello.resumeStep = 4
        hello.instance = 99
        hello.name = "somebody"
        change(&hello)
        return hello
    }

    private func signature(run: Hash256, by key: SigningKey, domain: String = SignatureDomain.hello) -> Data {
        .init(key.sign(domain: domain, SignedContent.hello(runID: run.bytes, curveKey: keys.curve.publicKey)))
    }

    private func refusal(_ hello: Wire.Hello, curveKey: [UInt8]? = nil) -> String? {
        switch check.check(hello, curveKey: curveKey ?? keys.curve.publicKey) {
        case .success: nil
        case .failure(let refusal): refusal.code
        }
    }

    @Test("A proper hello carries everything that the machine decides by")
    func proper() throws {
        let hello = try check.check(hello { $0.invite = "token" }, curveKey: keys.curve.publicKey).get()
        #expect(hello.key == keys.signing.publicKey && hello.role == .worker && hello.name == "somebody")
        #expect(hello.resumeStep == 4 && hello.instance == 99)
        #expect(hello.invitation == SHA256.hash([UInt8]("token".utf8)))
    }

    @Test("A signature counts for one run, one channel, one key and one purpose")
    func signatures() {
        #expect(refusal(hello()) == nil)
        #expect(refusal(hello(), curveKey: CurveKey().publicKey) == "identity")
        #expect(refusal(hello { $0.curveKeySignature = signature(run: .zero, by: keys.signing) }) == "identity")
        #expect(refusal(hello { $0.curveKeySignature = signature(run: run, by: SigningKey()) }) == "identity")
        #expect(
            refusal(hello { $0.curveKeySignature = signature(run: run, by: keys.signing, domain: "apus/other") })
                == "identity")
        #expect(refusal(hello { $0.identityKey = .init([1, 2, 3]) }) == "identity")
        #expect(refusal(hello { $0.curveKeySignature = .init() }) == "identity")
    }

    @Test("Other arithmetic is refused, and a wrong row only where rows matter")
    func arithmetic() {
        #expect(refusal(hello { $0.arithmeticVersion += 1 }) == "arithmetic-version")
        #expect(refusal(hello { $0.kernelDigest = .init([0]) }) == "kernel-vectors")
        #expect(
            refusal(
                hello {
                    $0.role = .verifier; $0.kernelDigest = .init()
                }) == "kernel-vectors")
        #expect(
            refusal(
                hello {
                    $0.role = .trainer; $0.kernelDigest = .init()
                }) == nil)
        #expect(refusal(hello { $0.role = .unspecified }) == "role")
    }
}
