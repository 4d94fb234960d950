import Synchronization

/// A few counters and gauges as `/metrics` shows them, in Prometheus text format 0.0.4.
///
/// Families are registered once, labels are bounded: a family holds at most ``maximumSeries`` label sets, and further
/// ones are dropped and counted, so that strangers cannot fill the memory with names.
public final class PrometheusText: Sendable {
    /// Label sets of one family.
    public static let maximumSeries = 1_000

    /// What a value may do.
    public enum Kind: String, Sendable {
        /// Only rises; the name ends with `_total`.
        case counter
        /// Rises and falls.
        case gauge
    }

    private struct Family {
        var help: String
        var kind: Kind
        var series: [String: Double] = [:]
        var dropped = 0
    }

    private let families = Mutex<[String: Family]>([:])

    /// An empty page.
    public init() {}

    /// Registers a family; a second registration of the name changes nothing.
    public func register(_ name: String, _ kind: Kind, help: String) {
        families.withLock { if $0[name] == nil { $0[name] = Family(help: help, kind: kind) } }
    }

    /// Sets the value of a registered family; an unknown name is ignored.
    public func set(_ name: String, _ value: Double, labels: [String: String] = [:]) {
        change(name, labels) { $0 = value }
    }

    /// Adds to the value of a registered family; an unknown name is ignored.
    public func add(_ name: String, _ value: Double = 1, labels: [String: String] = [:]) {
        change(name, labels) { $0 += value }
    }

    /// The page, families and series sorted; it ends with a newline.
    public var text: String {
        families.withLock { families in
            var text = ""
            for name in families.keys.sorted() {
                guard let family = families[name] else { continue }
                text += "# HELP \(name) \(Self.escaped(family.help, quotes: false))\n"
                text += "# TYPE \(name) \(family.kind.rawValue)\n"
                for labels in family.series.keys.sorted() {
                    text += "\(name)\(labels) \(Self.number(family.series[labels] ?? 0))\n"
                }
            }
            return text
        }
    }

    private func change(_ name: String, _ labels: [String: String], _ body: (inout Double) -> Void) {
        let key = Self.labelText(labels)
        families.withLock { families in
            guard var family = families[name] else { return }
            if family.series[key] == nil, family.series.count >= Self.maximumSeries {
                family.dropped += 1
            } else {
                body(&family.series[key, default: 0])
            }
            families[name] = family
        }
    }

    private static func labelText(_ labels: [String: String]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let safe = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? safe.replacing("\"", with: "\\\"") : safe
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.magnitude < 0x1p53 && value == value.rounded() ? String(Int64(value)) : "\(value)"
    }
}
