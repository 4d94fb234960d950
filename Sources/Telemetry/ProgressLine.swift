/// What a long piece of work says while it lasts: how far, how fast, how long still.
///
/// A value without clock or terminal: the caller says what time it is and writes what comes back. On a terminal one
/// line is drawn again and again; elsewhere a whole line appears now and then, so that logs stay readable.
public struct ProgressLine: Sendable {
    /// What is being done.
    public let title: String
    /// How many units there are; nil if nobody knows.
    public let total: Int?
    /// What a unit is called.
    public let unit: String

    private let isTerminal: Bool
    private let start: Double
    private var lastShown: Double?
    private var samples: [(time: Double, done: Int)]

    /// - Parameters:
    ///   - title: What is being done, such as "warm-up".
    ///   - total: How many units there are, if known.
    ///   - unit: What a unit is called, such as "steps".
    ///   - isTerminal: Whether the line can be drawn over.
    ///   - now: Seconds on any clock that does not jump.
    public init(title: String, total: Int?, unit: String, isTerminal: Bool, now: Double) {
        self.title = title
        self.total = total
        self.unit = unit
        self.isTerminal = isTerminal
        start = now
        samples = [(now, 0)]
    }

    /// The text to write after this much work, or nil if it is too early for another one.
    ///
    /// - Parameters:
    ///   - done: Units finished so far.
    ///   - detail: More to say, such as "reward 0.71".
    ///   - now: Seconds on the same clock as at the start.
    public mutating func advance(to done: Int, detail: String = "", now: Double) -> String? {
        remember(done, now)
        let isFinished = total.map { done >= $0 } ?? false
        let interval = isTerminal ? 0.1 : 10
        guard isFinished || lastShown.map({ now - $0 >= interval }) ?? true else { return nil }
        lastShown = now
        let text = line(done, detail: detail, now: now, isFinished: isFinished)
        guard isTerminal else { return text + "\n" }
        return "\r\u{1B}[2K" + text + (isFinished ? "\n" : "")
    }

    private func line(_ done: Int, detail: String, now: Double, isFinished: Bool) -> String {
        var parts = ["\(title) \(total.map { "\(done)/\($0)" } ?? "\(done)") \(unit)"]
        if let rate = rate(isFinished: isFinished, done: done, now: now), rate > 0 {
            parts.append("\(Self.short(rate)) \(unit)/s")
            if let total, !isFinished { parts.append("\(Self.duration(Double(total - done) / rate)) left") }
        }
        if isFinished { parts.append("took \(Self.duration(now - start))") }
        if !detail.isEmpty { parts.append(detail) }
        return parts.joined(separator: "  ")
    }

    /// The rate of about the last thirty seconds; at the end, of the whole work.
    private func rate(isFinished: Bool, done: Int, now: Double) -> Double? {
        guard let oldest = samples.first else { return nil }
        let (from, since) = isFinished ? (start, 0) : (oldest.time, oldest.done)
        return now > from ? Double(done - since) / (now - from) : nil
    }

    private mutating func remember(_ done: Int, _ now: Double) {
        if let last = samples.last, now - last.time < 1 { return }
        samples.append((now, done))
        while samples.count > 2, now - samples[1].time > 30 { samples.removeFirst() }
    }

    /// Three digits of a rate: `0.412`, `7.31`, `1230`.
    static func short(_ value: Double) -> String {
        guard value.isFinite, value < 1e15 else { return "?" }
        if value >= 100 { return String(Int64(value.rounded())) }
        let places = value >= 10 ? 10.0 : value >= 1 ? 100 : 1000
        return "\((value * places).rounded() / places)"
    }

    /// A duration in its two largest units: `42 s`, `3 min 20 s`, `5 h 7 min`.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        if whole < 86_400 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
        return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
    }
}
