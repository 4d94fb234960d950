import Foundation
import JSON
import Testing

@testable import Safetensors

/// Our side of `scripts/compare-safetensors.py`, which sets the variable; without it there is nothing to do.
@Suite("Acceptance beside the reference")
struct ReferenceComparisonTests {
    private static let corpus = ProcessInfo.processInfo.environment["APUS_SAFETENSORS_CORPUS"]

    @Test("verdicts on a folder of files", .enabled(if: corpus != nil))
    func verdicts() throws {
        let folder = try #require(Self.corpus)
        var lines: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where name.hasSuffix(".safetensors") {
            do throws(SafetensorsError) {
                let file = try SafetensorsFile(path: "\(folder)/\(name)")
                let tensors = file.tensors.sorted { precedes($0.key, $1.key) }.map { name, info in
                    JSONValue.array([
                        .string(name), .string(info.type.rawValue), .array(info.shape.map { .integer($0) }),
                    ])
                }
                lines.append(JSONValue.array([.string(name), "accepted", .array(tensors)]).line)
            } catch {
                let verdict: JSONValue = [.string(name), .string(error.rule.rawValue), .string(error.detail)]
                lines.append(verdict.line)
            }
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/verdicts.jsonl"))
    }
}
