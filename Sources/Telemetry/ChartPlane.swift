/// How steps and values become places on the paper, and where the axes have their ticks.
struct ChartPlane {
    static let width = 960
    static let height = 500
    static let left = 76
    static let right = 770
    static let top = 104
    static let bottom = 432
    static var bottomEdge: Double { Double(bottom) }

    let stepTicks: [Int]
    let valueTicks: [Double]
    private let firstStep: Double
    private let lastStep: Double
    private let low: Double
    private let high: Double

    /// A plane that shows all of these; rewards always show 0 to 1.
    init(steps: [Int], values: [Double]) {
        firstStep = Double(min(0, steps.min() ?? 0))
        lastStep = max(firstStep + 1, Double(steps.max() ?? 1))
        let valueStep = Self.niceStep(max(1, values.max() ?? 1) - min(0, values.min() ?? 0), count: 5)
        low = (min(0, values.min() ?? 0) / valueStep).rounded(.down) * valueStep
        high = (max(1, values.max() ?? 1) / valueStep).rounded(.up) * valueStep
        let count = Int(((high - low) / valueStep).rounded())
        let base = low
        valueTicks = (0...max(1, min(20, count))).map { base + Double($0) * valueStep }
        let stepStep = max(1, Self.niceStep(lastStep - firstStep, count: 7))
        stepTicks = Array(
            stride(from: (firstStep / stepStep).rounded(.up) * stepStep, through: lastStep, by: stepStep).prefix(30)
        ).map { Int($0) }
    }

    func x(_ step: Int) -> Double {
        Double(Self.left) + (Double(step) - firstStep) / (lastStep - firstStep) * Double(Self.right - Self.left)
    }

    func y(_ value: Double) -> Double {
        Double(Self.bottom) - (value - low) / (high - low) * Double(Self.bottom - Self.top)
    }

    /// The step of 1, 2 or 5 times a power of ten that divides a range into about this many parts.
    static func niceStep(_ range: Double, count: Double) -> Double {
        guard range > 0, range.isFinite else { return 1 }
        var power = 1.0
        while power * 10 <= range / count { power *= 10 }
        while power > range / count { power /= 10 }
        let factor = range / count / power
        return power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10)
    }

    /// A number with at most two digits after the point.
    static func text(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? String(Int64(rounded)) : "\(rounded)"
    }
}
