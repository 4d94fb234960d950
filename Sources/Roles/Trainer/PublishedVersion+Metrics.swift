import Shardcast

extension PublishedVersion {
    /// What a version costs those who follow the run, for the run's metrics.
    var named: [(String, Double)] {
        [("weights/bytes_published", Double(bytes)), ("weights/bytes_full", Double(manifest.totalBytes))]
            + (statistics.map { [("weights/density", $0.density)] } ?? [])
    }
}
