import Roles
import Telemetry

/// Writes `reward.svg` from what a run wrote.
struct ChartWriter: Sendable {
    let directory: RunDirectory

    func write(
        _ report: RunReport, title: String, environment: String, heldOut: [RewardChart.Mark] = []
    ) throws {
        let points = report.series("reward/mean").map { RewardChart.Point(step: $0.step, reward: $0.value) }
        let chart = RewardChart(
            title: "\(title): reward of \(environment)", subtitle: "\(report.accepted) verified groups", points: points,
            heldOut: heldOut)
        try chart.write(to: directory.rewardChart)
    }
}
