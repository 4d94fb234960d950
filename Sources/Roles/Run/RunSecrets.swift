import Foundation
import Identity

/// What a run keeps to itself, and the identity that follows from it.
public struct RunSecrets: Sendable {
    /// From it follow the group identities, and with them prompts and noise; never sent anywhere.
    let secret: [UInt8]
    /// The run's identity, known to everybody.
    public let runID: Hash256

    /// Reads the secret of a run, or draws one when the run is new.
    public init(directory: RunDirectory) throws {
        let path = directory.keys + "/run.secret"
        let manager = FileManager.default
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            guard let bytes = Hexadecimal.decode(text.filter { !$0.isWhitespace }), bytes.count == 32 else {
                throw RoleFailure(
                    .badInput, "\(path) does not hold 64 hexadecimal digits.",
                    advice: "Restore it from a backup; without it the run cannot go on.")
            }
            secret = bytes
        } else {
            secret = try randomBytes(32)
            try manager.createDirectory(
                atPath: directory.keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard
                manager.createFile(
                    atPath: path, contents: Data((Hexadecimal.encode(secret) + "\n").utf8),
                    attributes: [.posixPermissions: 0o600])
            else {
                throw RoleFailure(.fault, "\(path) cannot be written.", advice: "Check the directory's permissions.")
            }
        }
        var hash = SHA256()
        hash.update(utf8: "apus/run/v1")
        hash.update(secret)
        runID = hash.finalize()
    }
}
