/// Every attack that there is.
public enum AttackCatalogue {
    /// In the order of a report.
    public static let all: [any Attack] = [
        PreviousVersion(age: 1), PreviousVersion(age: 8), QuantisedWeights(bits: 8, stretch: nil),
        QuantisedWeights(bits: 4, stretch: 32), PerturbedTensor(),
        OtherPrompt(), WrongTemperature(), RemovedTopK(), OtherSeed(), BestOfMany(), EditedToken(), EarlyStop(),
        PaddingAfterEnd(),
        ConstantPolynomial(), ChannelMeans(), TruncatedProofs(), NullProofs(), SwappedProofs(),
        ReplayedGroup(isRelabelled: false), ReplayedGroup(isRelabelled: true), StolenGroup(), CopiedSample(),
        ForgedLogProbabilities(),
    ]

    /// The attack of that name.
    public static func attack(named name: String) -> (any Attack)? { all.first { $0.name == name } }
}
