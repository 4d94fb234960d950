import Roles

/// The closing tables of a run: who did what, and what it was worth.
struct RunTables: Sendable {
    let report: RunReport
    let terminal: Terminal

    func show() throws {
        terminal.say()
        terminal.say("  member        groups  rejected       credit        stake", .bold)
        for worker in report.workers {
            let fate = worker.bannedBy.map { "  out after \(worker.audited) audits: \($0)" } ?? ""
            terminal.say(row(worker) + fate, worker.bannedBy == nil ? .plain : .red)
        }
        for verifier in report.verifiers { terminal.say(row(verifier) + "  (audits)") }
        let generated = report.total("generate/seconds")
        let verified = report.total("verify/seconds")
        if generated > 0 {
            terminal.say(
                "  audits took \(Terminal.fixed(verified, 1)) s of computing, \(Terminal.fixed(100 * verified / generated, 0)) % "
                    + "of generation's \(Terminal.fixed(generated, 1)) s", .faint)
        }
    }

    private func row(_ member: RunReport.Member) -> String {
        "  \(Terminal.left(member.name, 12))" + Terminal.right("\(member.accepted)", 8)
            + Terminal.right("\(member.rejected)", 10)
            + Terminal.right(Terminal.work(Double(member.credit)), 13)
            + Terminal.right(member.stake > 0 ? Terminal.work(Double(member.stake)) : "–", 13)
    }
}
