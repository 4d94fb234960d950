/// Where the weights of a model lie.
public enum WeightsResidence: Sendable, Equatable {
    /// Pages of a file of packed weights, which all processes of the machine that use these weights share.
    case shared(path: String)
    /// Memory of this process alone; the reason where sharing was tried and failed.
    case privateMemory(reason: String?)

    /// A sentence for a log where sharing was tried and failed, else nil.
    public var complaint: String? {
        guard case .privateMemory(let reason?) = self else { return nil }
        return "The weights are in this process's own memory and not shared: \(reason)."
    }
}
