import Foundation
import Verification

/// Evidence on disk.
public enum EvidenceFile {
    /// Most bytes that are read from a file.
    private static let maximumBytes = 96 << 20

    /// Reads a file from anybody.
    ///
    /// - Throws: A ``RoleFailure`` that says what is wrong with it.
    public static func read(_ path: String) throws -> EvidenceBundle {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw RoleFailure(.badInput, "\(path) cannot be read.", advice: "Name a file that `apus evidence` wrote.")
        }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: maximumBytes + 1) ?? Data()
        } catch {
            throw RoleFailure(.badInput, "\(path) cannot be read: \(error.localizedDescription)")
        }
        do throws(EvidenceError) {
            return try EvidenceBundle(parsing: [UInt8](data))
        } catch {
            throw RoleFailure(.badInput, "\(path): \(error)")
        }
    }

    /// Writes a bundle, whole or not at all; an existing file is replaced.
    public static func write(_ bundle: EvidenceBundle, to path: String) throws {
        do {
            try Data(bundle.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw RoleFailure(
                .badInput, "\(path) cannot be written: \(error.localizedDescription)",
                advice: "Choose a folder that exists and has room.")
        }
    }
}
