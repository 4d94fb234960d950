import Identity

/// Replays that find a group good by different numbers. Honest ones are equal to the bit, whatever the group was generated
/// with, so one of the verifiers lied or failed; of the worker it says nothing.
extension Run {
    /// Takes in that a verifier's replay is not that of others who found the same group good.
    ///
    /// Two against one decide: two equal replays, or one beside the trainer, which computes groups under tolerances itself. One
    /// against one is for a third verifier, where there is one; else nobody is blamed.
    ///
    /// - Parameters:
    ///   - equal: Verifiers with the same numbers.
    ///   - unequal: Verifiers with others.
    mutating func compareReplays(
        of hash: Hash256, by verifier: PublicKey, equal: [PublicKey], unequal: [PublicKey]
    ) {
        guard let group = state.groups[hash], !unequal.isEmpty else { return }
        report(.replaysDiffer(group: hash, verifier: verifier, others: unequal))
        if group.isAlwaysAudited, group.isDisbelieved, let first = group.confirmations.first, unequal.contains(first) {
            // The trainer's numbers are not the first verifier's either: only those are in the batch.
            contradict(first, about: hash)
        } else if !equal.isEmpty {
            for other in unequal { contradict(other, about: hash) }
        } else if hasThirdParty(besides: group.confirmations + [verifier], group) {
            openCheck(of: hash, .repeated)
        }
    }

    /// Counts a replay that two others contradict, like a refuted accusation.
    private mutating func contradict(_ verifier: PublicKey, about hash: Hash256) {
        guard let group = state.groups[hash], !group.contradictedBy.contains(verifier) else { return }
        commit(.replayRefuted(group: hash, verifier: verifier))
        refute(verifier)
    }
}
