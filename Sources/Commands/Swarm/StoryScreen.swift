import Roles

/// Tells a run's story on a terminal, one line per step and one per event that a person wants to know of.
struct StoryScreen: Sendable {
    let terminal = Terminal()
    /// Names of workers, for the column of versions.
    let workers: [String]
    private var rejections: [String: Int] = [:]
    private var hasHeader = false
    /// At the end everybody leaves, which is no news.
    private var isOver = false

    init(workers: [String]) { self.workers = workers }

    mutating func show(_ line: StoryLine) {
        if isOver, line.kind == "left" || line.kind == "audit-lost" { return }
        switch line.kind {
        case "warm-up": showWarmUp(line)
        case "step": showStep(line)
        case "rejected": showRejection(line)
        case "banned":
            terminal.say("  ✗ \(line.text)", .red)
            if let burned = line.values?["burned"], burned > 0 {
                terminal.say(
                    "    Its stake of \(Terminal.work(burned)) burns; none of its groups entered a batch.", .red)
            }
        case "resumed", "redispatched", "audit-lost", "disputed", "verifier-banned", "discarded":
            terminal.say("  · \(line.text)", .yellow)
        case "finished", "draining": isOver = true
        case "left" where line.reason != "drained" && !line.text.hasSuffix("banned."):
            terminal.say("  · \(line.text)", .yellow)
        case "refused" where line.reason != "banned": terminal.say("  · refused: \(line.text)", .yellow)
        default: break
        }
    }

    private func showWarmUp(_ line: StoryLine) {
        guard let step = line.step, let steps = line.values?["steps"], let loss = line.values?["loss"] else { return }
        let share = Double(step) / steps
        let seconds = line.values?["seconds"] ?? 0
        guard terminal.isInteractive || share >= 1 || step == 1 || Int(step) % Int(max(1, steps / 5)) == 0 else {
            return
        }
        terminal.say(
            "  warm-up \(Terminal.bar(share, width: 20)) \(Terminal.right("\(step)", 5)) of \(Int(steps))   "
                + "loss \(Terminal.fixed(loss, 3))   \(Terminal.fixed(seconds, 1)) s", .faint)
    }

    private mutating func showStep(_ line: StoryLine) {
        let values = line.values ?? [:]
        if !hasHeader {
            hasHeader = true
            terminal.say()
            terminal.say(
                "   step  reward                       accepted  rejected  stale   tokens/s  version on each worker",
                .bold)
        }
        let rejected = values.filter { $0.key.hasPrefix("rollouts/rejected/") }.reduce(0) { $0 + $1.value }
        let versions = workers.map { worker in
            values["version/\(worker)"].map { "v\(Int($0))" } ?? "–"
        }.joined(separator: " ")
        let reward = values["reward/mean"] ?? 0
        terminal.say(
            "  \(Terminal.right("\(line.step ?? 0)", 5))  \(Terminal.fixed(reward, 3)) \(Terminal.bar(reward, width: 20))  "
                + Terminal.right("\(Int(values["rollouts/accepted"] ?? 0))", 9)
                + Terminal.right("\(Int(rejected))", 10) + Terminal.right("\(Int(values["off_policy/max"] ?? 0))", 7)
                + Terminal.right(Terminal.short(values["perf/throughput"] ?? 0), 11) + "  " + versions)
    }

    private mutating func showRejection(_ line: StoryLine) {
        let member = line.member ?? "a worker"
        let count = rejections[member, default: 0] + 1
        rejections[member] = count
        // The first few say why; a flood says nothing more.
        if count <= 3 { terminal.say("  ✗ \(line.text)", .red) }
    }
}
