import Foundation
import Identity
import Testing

@testable import Roles

@Suite("The folder of evidence files")
struct EvidenceFolderTests {
    @Test("The oldest files go beyond a count and beyond a size; those of open disputes and other people's stay")
    func pruning() throws {
        let path = NSTemporaryDirectory() + "apus-evidence-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var folder = EvidenceFolder(path: path, mostFiles: 3, mostBytes: 1_000)
        #expect(folder.prune { _ in false }.isEmpty)
        let hashes = (0..<6).map { SHA256.hash([UInt8($0)]) }
        for (age, hash) in hashes.enumerated() {
            try folder.write([UInt8](repeating: 1, count: 100), of: hash)
            // The first is the newest.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(1_000_000 - age))],
                ofItemAtPath: "\(path)/\(hash.hex).evidence")
        }
        try Data([1]).write(to: URL(fileURLWithPath: path + "/notes.evidence"))
        #expect(folder.prune { $0 == hashes[5] } == [3, 4].map { "\(hashes[$0].hex).evidence" })
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 5)
        folder.mostBytes = 250
        #expect(folder.prune { $0 == hashes[5] } == ["\(hashes[2].hex).evidence"])
        #expect(folder.prune { _ in false } == ["\(hashes[5].hex).evidence"])
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: path)).contains("notes.evidence"))
    }
}
