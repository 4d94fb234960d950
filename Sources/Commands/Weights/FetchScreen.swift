import Foundation
import Shardcast
import Synchronization

/// How far a fetch is, on standard error: one line that changes on a terminal, now and then a line elsewhere.
final class FetchScreen: Sendable {
    private let isInteractive = isatty(STDERR_FILENO) == 1
    private let shown = Mutex<ContinuousClock.Instant?>(nil)

    func show(_ progress: FetchProgress) {
        let now = ContinuousClock.now
        let isDue = shown.withLock { shown in
            guard isInteractive || shown.map({ now - $0 > .seconds(5) }) ?? true else { return false }
            shown = now
            return true
        }
        guard isDue else { return }
        var line =
            "version \(progress.version): \(Terminal.short(Double(progress.bytesDone)))B of "
            + "\(Terminal.short(Double(progress.bytesTotal)))B, \(Terminal.short(progress.bytesPerSecond))B/s"
        if let seconds = progress.secondsLeft { line += ", \(Int(seconds.rounded(.up))) s left" }
        write(isInteractive ? "\r\u{1B}[K" + line : line + "\n")
    }

    /// Leaves the line.
    func end() {
        if isInteractive, shown.withLock({ $0 }) != nil { write("\n") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
