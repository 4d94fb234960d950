import Foundation

/// Reads a run's story while it is being written.
public struct StoryFollower: Sendable {
    private let path: String

    /// Follows the story of a run from its present end, or from its beginning where there is none yet.
    public init(directory: RunDirectory) { path = directory.story }

    /// New lines as they come, until the task is cancelled.
    ///
    /// A line that is half written waits for its end.
    public func lines(from start: UInt64) -> AsyncStream<StoryLine> {
        AsyncStream { continuation in
            let task = Task {
                var offset = start
                var rest = Data()
                while !Task.isCancelled {
                    if let handle = FileHandle(forReadingAtPath: path) {
                        try? handle.seek(toOffset: offset)
                        if let data = try? handle.readToEnd(), !data.isEmpty {
                            offset += UInt64(data.count)
                            rest += data
                            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                                let line = Data(rest[rest.startIndex..<end])
                                rest = Data(rest[rest.index(after: end)...])
                                if let entry = try? JSONDecoder().decode(StoryLine.self, from: line) {
                                    continuation.yield(entry)
                                }
                            }
                        }
                        try? handle.close()
                    }
                    try? await Task.sleep(for: .milliseconds(30))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// The present end of the story.
    public var end: UInt64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
    }
}
