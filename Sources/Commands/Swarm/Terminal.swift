import Foundation

/// Where people read: colours and redrawing only where there is a terminal.
struct Terminal: Sendable {
    /// Whether standard output is a terminal.
    let isInteractive = isatty(STDOUT_FILENO) == 1

    /// The styles that a line may use.
    enum Style: String, Sendable {
        case plain = "0"
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    func styled(_ text: String, _ style: Style) -> String {
        isInteractive && style != .plain ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Writes a line at once, also into a pipe.
    func say(_ text: String = "", _ style: Style = .plain) {
        FileHandle.standardOutput.write(Data((styled(text, style) + "\n").utf8))
    }

    /// A bar of a share between 0 and 1.
    static func bar(_ share: Double, width: Int) -> String {
        let eighths = Int((min(1, max(0, share)) * Double(width * 8)).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let text = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return text + String(repeating: " ", count: width - text.count)
    }

    /// A number in about four characters: 940, 12.3k, 4.5M.
    static func short(_ value: Double) -> String {
        let scaled: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        for (unit, letter) in scaled where abs(value) >= unit {
            let number = value / unit
            return number >= 100 ? "\(Int(number.rounded()))\(letter)" : fixed(number, 1) + letter
        }
        return "\(Int(value.rounded()))"
    }

    /// Work in FLOPs with a unit: "15.2 GFLOP".
    static func work(_ flops: Double) -> String {
        let text = short(flops)
        guard let letter = text.last, letter.isLetter else { return text + " FLOP" }
        return "\(text.dropLast()) \(letter)FLOP"
    }

    /// A number with a fixed number of decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }

    /// Text to the left in a column.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Text to the right in a column.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
