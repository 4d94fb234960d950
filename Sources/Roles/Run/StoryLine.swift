import Foundation

/// One thing that happened in a run, as a line of `story.jsonl`: for screens, and for people who read it later.
public struct StoryLine: Codable, Sendable {
    /// What happened, stable and in kebab-case.
    public var kind: String
    /// Seconds since 1970.
    public var time: Double
    /// One sentence for people.
    public var text: String
    /// Who it is about, by name.
    public var member: String?
    /// The optimizer step that it belongs to.
    public var step: UInt64?
    /// Why, in the words of a check: stable and in kebab-case.
    public var reason: String?
    /// Numbers that belong to it.
    public var values: [String: Double]?

    init(
        _ kind: String, _ text: String, member: String? = nil, step: UInt64? = nil, reason: String? = nil,
        values: [String: Double]? = nil
    ) {
        self.kind = kind
        self.time = Date().timeIntervalSince1970
        self.text = text
        self.member = member
        self.step = step
        self.reason = reason
        self.values = values
    }
}

/// Appends lines to a run's story, each with one write, so that several processes may write and one may follow.
final class StoryFile: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw RoleFailure(
                .fault, "\(path) cannot be written: \(String(cString: strerror(errno))).",
                advice: "Check the directory's permissions and the disk's free space.")
        }
    }

    deinit { close(descriptor) }

    func append(_ line: StoryLine) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var bytes = try? [UInt8](encoder.encode(line)) else { return }
        bytes.append(UInt8(ascii: "\n"))
        // A story that cannot be written (a full disk) must not stop the run that it is about.
        _ = write(descriptor, bytes, bytes.count)
    }
}
