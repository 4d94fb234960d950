import Foundation
import Roles

/// Runs a prepared swarm on this machine and tells its story until it ends.
struct SwarmRunner: Sendable {
    let plan: SwarmPlan
    /// What to do with every line of the story beside showing it.
    let onLine: @Sendable (StoryLine) async -> Void

    init(plan: SwarmPlan, onLine: @escaping @Sendable (StoryLine) async -> Void = { _ in }) {
        self.plan = plan
        self.onLine = onLine
    }

    /// Runs until all steps are made, or until a signal has drained the run.
    ///
    /// - Returns: Whether it was stopped before its end.
    func run() async throws -> Bool {
        let follower = StoryFollower(directory: plan.directory)
        let start = follower.end
        let terminal = Terminal()
        let supervisor = Supervisor(directory: plan.directory, executables: Self.executables) { notice in
            switch notice {
            case .died(let member, let how, let delay):
                terminal.say(
                    "  · \(member.name) \(how); it starts again"
                        + (delay > 0 ? " in \(Terminal.fixed(delay, 2)) s." : "."), .yellow)
            case .left(let member):
                terminal.say("  · \(member.name) was sent away; the run goes on without it.", .yellow)
            case .started: break
            }
        }
        let signals = StopSignals { count in
            if count == 1 {
                terminal.say("  · Stopping: work in progress is finished or given back. Ctrl-C again to kill.", .yellow)
                supervisor.stop()
            } else {
                supervisor.kill()
            }
        }
        defer { signals.cancel() }
        let story = Task {
            var screen = StoryScreen(workers: plan.workers)
            for await line in follower.lines(from: start) {
                screen.show(line)
                await onLine(line)
            }
        }
        defer { story.cancel() }
        try await supervisor.run(plan.members)
        // The last lines are written before the processes end; give the follower one more look.
        try await Task.sleep(for: .milliseconds(80))
        return signals.count > 0
    }

    /// The executables lie beside `apus`.
    private static var executables: String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return (own as NSString).deletingLastPathComponent
    }
}
