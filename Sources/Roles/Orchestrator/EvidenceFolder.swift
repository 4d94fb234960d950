import Foundation
import Identity

/// The evidence files of a run: the newest ones, as many as the disk is meant to bear.
struct EvidenceFolder: Sendable {
    /// The folder; made when there is something to put in it.
    let path: String
    /// Files that stay, beside those of open disputes.
    var mostFiles = 1000
    /// Bytes that stay, beside those of open disputes.
    var mostBytes = 1 << 30

    /// Writes one file, whole or not at all.
    func write(_ bytes: [UInt8], of group: Hash256) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + Self.name(of: group)), options: .atomic)
    }

    /// Removes the oldest files beyond the bounds.
    ///
    /// - Parameter isOpen: whether a group's verdict may still be looked at again; its file stays.
    /// - Returns: The names of the removed files.
    @discardableResult
    func prune(isOpen: (Hash256) -> Bool) -> [String] {
        let manager = FileManager.default
        var files: [(name: String, bytes: Int, written: Date)] = []
        for name in (try? manager.contentsOfDirectory(atPath: path)) ?? [] {
            // Other people's files in this folder are none of ours.
            guard let group = Self.group(of: name), !isOpen(group),
                let attributes = try? manager.attributesOfItem(atPath: path + "/" + name)
            else { continue }
            files.append(
                (name, attributes[.size] as? Int ?? 0, attributes[.modificationDate] as? Date ?? .distantPast))
        }
        files.sort { ($0.written, $0.name) > ($1.written, $1.name) }
        var bytes = 0
        var removed: [String] = []
        for (index, file) in files.enumerated() {
            bytes += file.bytes
            guard index >= mostFiles || bytes > mostBytes else { continue }
            if (try? manager.removeItem(atPath: path + "/" + file.name)) != nil { removed.append(file.name) }
        }
        return removed
    }

    private static let suffix = ".evidence"

    private static func name(of group: Hash256) -> String { group.hex + suffix }

    private static func group(of name: String) -> Hash256? {
        name.hasSuffix(suffix) ? Hash256(hex: String(name.dropLast(suffix.count))) : nil
    }
}
