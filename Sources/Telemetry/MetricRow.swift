/// The metrics of one step, in the order in which they were added.
public struct MetricRow: Sendable, Equatable {
    /// The optimizer step.
    public var step: Int
    /// Seconds since 1970.
    public var time: Double
    /// Names such as `reward/mean` with their values.
    public private(set) var values: [(name: String, value: Double)] = []

    /// A row without values.
    public init(step: Int, time: Double) {
        self.step = step
        self.time = time
    }

    /// A row with values; of duplicate names the last wins.
    public init(step: Int, time: Double, _ values: KeyValuePairs<String, Double>) {
        self.init(step: step, time: time)
        for (name, value) in values { self[name] = value }
    }

    /// The value of a name; setting nil removes it.
    public subscript(name: String) -> Double? {
        get { values.first { $0.name == name }?.value }
        set {
            let place = values.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): values[place].value = value
            case (let place?, nil): values.remove(at: place)
            case (nil, let value?): values.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// Rows are equal if they hold the same values in the same order.
    public static func == (left: MetricRow, right: MetricRow) -> Bool {
        left.step == right.step && left.time == right.time && left.values.map(\.name) == right.values.map(\.name)
            && left.values.map(\.value) == right.values.map(\.value)
    }
}
