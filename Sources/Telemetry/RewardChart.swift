import Foundation

/// `reward.svg`: the reward of every step as a line, and what held-out prompts say before and after.
///
/// Plain SVG without scripts or fonts of its own; its colours follow the reader's light or dark theme.
public struct RewardChart: Sendable {
    /// One step of training.
    public struct Point: Sendable, Hashable {
        /// The optimizer step.
        public var step: Int
        /// The mean reward of its batch.
        public var reward: Double

        /// A point from its parts.
        public init(step: Int, reward: Double) {
            self.step = step
            self.reward = reward
        }
    }

    /// A measurement on held-out prompts.
    public struct Mark: Sendable, Hashable {
        /// The optimizer steps behind the policy that was measured.
        public var step: Int
        /// Its mean reward.
        public var reward: Double
        /// What to call it, such as "before".
        public var label: String

        /// A mark from its parts.
        public init(step: Int, reward: Double, label: String) {
            self.step = step
            self.reward = reward
            self.label = label
        }
    }

    /// The headline.
    public var title: String
    /// A line below it: run, environment, model.
    public var subtitle: String
    /// Rewards by step; values that are not finite are left out.
    public var points: [Point]
    /// Held-out measurements; values that are not finite are left out.
    public var heldOut: [Mark]

    /// A chart from its parts.
    public init(title: String, subtitle: String = "", points: [Point], heldOut: [Mark] = []) {
        self.title = title
        self.subtitle = subtitle
        self.points = points
        self.heldOut = heldOut
    }

    /// Writes the chart to a temporary file and renames it, so that a reader never sees half of one.
    public func write(to path: String) throws(TelemetryError) {
        do {
            try svg.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw TelemetryError(path: path, message: "the chart cannot be written; check the directory")
        }
    }

    /// The chart as SVG text.
    public var svg: String {
        let shown = points.filter(\.reward.isFinite).sorted { $0.step < $1.step }
        let marks = heldOut.filter(\.reward.isFinite)
        let plane = ChartPlane(
            steps: shown.map(\.step) + marks.map(\.step), values: shown.map(\.reward) + marks.map(\.reward))
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(ChartPlane.width) \(ChartPlane.height)" \
            role="img" aria-label="\(escaped(title))" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">
            <style>
            svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --rule: #d9dee3; --line: #0b6bcb; --mark: #c2410c }
            @media (prefers-color-scheme: dark) {
              svg { --paper: #0f1419; --ink: #e6edf3; --soft: #9aa5b1; --rule: #2c343d; --line: #58a6ff; --mark: #ff9b5e }
            }
            .paper { fill: var(--paper) } .ink { fill: var(--ink) } .soft { fill: var(--soft) }
            .rule { stroke: var(--rule); stroke-width: 1 } .axis { stroke: var(--soft); stroke-width: 1 }
            .line { fill: none; stroke: var(--line); stroke-width: 2.75; stroke-linejoin: round; stroke-linecap: round }
            .dot { fill: var(--line); opacity: 0.38 } .blue { fill: var(--line) }
            .mark { fill: var(--mark); stroke: var(--paper); stroke-width: 2 } .orange { fill: var(--mark) }
            .level { stroke: var(--mark); stroke-width: 1.25; stroke-dasharray: 2 5; stroke-linecap: round }
            text { font-variant-numeric: tabular-nums }
            </style>
            <rect class="paper" width="\(ChartPlane.width)" height="\(ChartPlane.height)" rx="10"/>
            <text class="ink" x="\(ChartPlane.left)" y="38" font-size="21" font-weight="650">\(escaped(title))</text>
            <text class="soft" x="\(ChartPlane.left)" y="61" font-size="14">\(escaped(subtitle))</text>
            \(axes(plane))
            \(series(shown, plane))
            \(heldOutMarks(marks, plane))
            </svg>

            """
    }

    private func axes(_ plane: ChartPlane) -> String {
        var lines: [String] = []
        for value in plane.valueTicks {
            let y = text(plane.y(value))
            lines.append(
                "<line class=\"rule\" x1=\"\(ChartPlane.left)\" x2=\"\(ChartPlane.right)\" y1=\"\(y)\" y2=\"\(y)\"/>")
            lines.append(
                "<text class=\"soft\" x=\"\(ChartPlane.left - 10)\" y=\"\(y)\" dy=\"0.35em\" font-size=\"13\" "
                    + "text-anchor=\"end\">\(text(value))</text>")
        }
        for step in plane.stepTicks {
            let x = text(plane.x(step))
            lines.append(
                "<line class=\"axis\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(ChartPlane.bottom)\" "
                    + "y2=\"\(ChartPlane.bottom + 5)\"/>")
            lines.append(
                "<text class=\"soft\" x=\"\(x)\" y=\"\(ChartPlane.bottom + 21)\" font-size=\"13\" "
                    + "text-anchor=\"middle\">\(step)</text>")
        }
        lines.append(
            "<line class=\"axis\" x1=\"\(ChartPlane.left)\" x2=\"\(ChartPlane.right)\" y1=\"\(ChartPlane.bottom)\" "
                + "y2=\"\(ChartPlane.bottom)\"/>")
        let middle = (ChartPlane.left + ChartPlane.right) / 2
        lines.append(
            "<text class=\"soft\" x=\"\(middle)\" y=\"\(ChartPlane.bottom + 44)\" font-size=\"13\" "
                + "text-anchor=\"middle\">optimizer step</text>")
        lines.append(
            "<text class=\"soft\" x=\"\(ChartPlane.left - 10)\" y=\"\(ChartPlane.top - 14)\" font-size=\"13\" "
                + "text-anchor=\"end\">reward</text>")
        return lines.joined(separator: "\n")
    }

    /// The batches as faint dots, and their running mean as the line that the eye follows.
    private func series(_ shown: [Point], _ plane: ChartPlane) -> String {
        guard let last = shown.last else {
            let middle = (ChartPlane.left + ChartPlane.right) / 2
            return "<text class=\"soft\" x=\"\(middle)\" y=\"\((ChartPlane.top + ChartPlane.bottom) / 2)\" "
                + "font-size=\"15\" text-anchor=\"middle\">no step yet</text>"
        }
        let smooth = Self.smoothed(shown.map(\.reward))
        let dots = shown.map {
            "<circle class=\"dot\" cx=\"\(text(plane.x($0.step)))\" cy=\"\(text(plane.y($0.reward)))\" r=\"2.6\"/>"
        }
        let path = zip(shown, smooth).map { "\(text(plane.x($0.step))),\(text(plane.y($1)))" }
        return dots.joined() + "\n<polyline class=\"line\" points=\"\(path.joined(separator: " "))\"/>\n"
            + labels(last: last, smooth: smooth.last ?? last.reward, plane)
    }

    private func labels(last: Point, smooth: Double, _ plane: ChartPlane) -> String {
        var y = plane.y(smooth)
        // Two labels at the right edge must not lie on each other.
        if let after = heldOut.filter(\.reward.isFinite).max(by: { $0.step < $1.step }), after.step >= last.step {
            let distance = y - plane.y(after.reward)
            if distance.magnitude < 24 { y = plane.y(after.reward) + (distance >= 0 ? 24 : -24) }
        }
        return "<text class=\"blue\" x=\"\(text(plane.x(last.step) + 13))\" y=\"\(text(y))\" dy=\"0.35em\" "
            + "font-size=\"14\" font-weight=\"600\">training \(text(smooth))</text>"
    }

    private func heldOutMarks(_ marks: [Mark], _ plane: ChartPlane) -> String {
        let lastStep = max(points.map(\.step).max() ?? 0, marks.map(\.step).max() ?? 0)
        return marks.map { mark in
            let (x, y) = (plane.x(mark.step), plane.y(mark.reward))
            let isLast = mark.step == lastStep
            // The label of an early mark goes below the curve that rises from it, or above it near the bottom.
            let labelY = isLast ? y : y > ChartPlane.bottomEdge - 40 ? y - 20 : y + 20
            let level =
                isLast
                ? ""
                : "<line class=\"level\" x1=\"\(text(x))\" x2=\"\(ChartPlane.right)\" y1=\"\(text(y))\" y2=\"\(text(y))\"/>"
            return level
                + "<circle class=\"mark\" cx=\"\(text(x))\" cy=\"\(text(y))\" r=\"6.5\"/>"
                + "<text class=\"orange\" x=\"\(text(x + 13))\" y=\"\(text(labelY))\" dy=\"0.35em\" font-size=\"14\" "
                + "font-weight=\"600\">held-out \(escaped(mark.label)) \(text(mark.reward))</text>"
        }.joined(separator: "\n")
    }

    /// A centred mean over five steps, narrower at both ends.
    static func smoothed(_ values: [Double]) -> [Double] {
        values.indices.map { index in
            let reach = min(2, index, values.count - 1 - index)
            let window = values[(index - reach)...(index + reach)]
            return window.reduce(0, +) / Double(window.count)
        }
    }

    private func text(_ value: Double) -> String { ChartPlane.text(value) }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
