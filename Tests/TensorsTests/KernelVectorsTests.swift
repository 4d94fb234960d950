import Foundation
import Testing

@testable import Tensors

@Suite struct KernelVectorsTests {
    @Test(arguments: everyRow.map(\.row)) func rowsReproduceTheVectors(_ row: KernelRow) throws {
        #expect(try KernelVectors.digests(row) == KernelVectors.expected)
        #expect(try Kernels(row: row).row == row)
    }

    @Test func aDifferentBitIsRefused() {
        var digests = KernelVectors.expected
        digests[3] = .init(operation: digests[3].operation, digest: "0000000000000000")
        let outcome = KernelVectors.judge(.scalar, digests)
        #expect(throws: KernelError.mismatch(.scalar, operations: [digests[3].operation])) { try outcome.get() }
        #expect(KernelVectors.combine(digests) != KernelVectors.combinedDigest)
        #expect(KernelVectors.combinedDigest.count == 32)
    }

    @Test func rowsAreChosenByName() throws {
        #expect(try Kernels.preferred(named: "scalar").row == .scalar)
        #expect(try Kernels.preferred().row == KernelRow.available.last)
        #expect(throws: KernelError.unknownRow("sse9")) { try Kernels.preferred(named: "sse9") }
        #expect(KernelError.unknownRow("sse9").description.contains("scalar"))
        for row in KernelRow.allCases where !KernelRow.available.contains(row) {
            #expect(throws: KernelError.unavailable(row)) { try Kernels(row: row) }
        }
    }

    /// The page for people and the code cannot drift apart.
    @Test func documentationShowsTheVectors() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/arithmetic.md"), encoding: .utf8)
        #expect(page.contains("version \(ArithmeticVersion.current)"))
        for vector in KernelVectors.expected {
            #expect(page.contains("| `\(vector.operation)` | `\(vector.digest)` |"))
        }
        let combined = KernelVectors.combinedDigest.map { String(format: "%02x", $0) }.joined()
        #expect(page.contains(combined))
    }
}
