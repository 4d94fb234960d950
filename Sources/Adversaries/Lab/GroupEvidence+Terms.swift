import Tensors
import Verification

extension GroupEvidence {
    /// A submission that names what its lease names.
    init(_ terms: LeaseTerms, samples: [SampleEvidence]) {
        self.init(
            schemaVersion: AuditSuite.schemaVersion, arithmeticVersion: ArithmeticVersion.current, runID: terms.runID,
            leaseID: terms.leaseID, groupID: terms.groupID, attempt: terms.attempt, workerKey: terms.workerKey,
            policyVersion: terms.policyVersion, weightsHash: terms.weightsHash, environmentID: terms.environmentID,
            environmentHash: terms.environmentHash, engine: terms.engine, promptTokens: terms.promptTokens,
            parameters: terms.parameters, samples: samples)
    }
}
