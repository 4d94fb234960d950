/// The wire schema's types under short names: `Wire.Lease` is the protobuf message `apus.v1.Lease`.
///
/// The generated types are plain values. Whatever arrives from outside must come in through ``Envelope`` or
/// ``Wire/GroupPayload/init(strict:limits:)``, which check it before and after decoding.
public enum Wire {
    /// The header that a worker, verifier or trainer sends.
    public typealias ClientMessage = Apus_V1_ClientMessage
    /// The header that the orchestrator sends.
    public typealias ServerMessage = Apus_V1_ServerMessage
    /// What a client message is about.
    public typealias ClientBody = Apus_V1_ClientMessage.OneOf_Body
    /// What a server message is about.
    public typealias ServerBody = Apus_V1_ServerMessage.OneOf_Body

    /// Which part a client plays.
    public typealias RoleKind = Apus_V1_RoleKind
    /// The first message of a connection.
    public typealias Hello = Apus_V1_Hello
    /// The answer to an admitted client.
    public typealias Welcome = Apus_V1_Welcome
    /// A no, with its reason.
    public typealias Refusal = Apus_V1_Refusal
    /// One published set of weights.
    public typealias PolicyVersion = Apus_V1_PolicyVersion
    /// By which secrets audits are drawn.
    public typealias DrawEpoch = Apus_V1_DrawEpoch

    /// How tokens are chosen.
    public typealias SamplingParameters = Apus_V1_SamplingParameters
    /// A worker asks for work.
    public typealias LeaseRequest = Apus_V1_LeaseRequest
    /// One group to generate.
    public typealias Lease = Apus_V1_Lease
    /// The answer to a lease request.
    public typealias Leases = Apus_V1_Leases
    /// A sign of life for leases.
    public typealias LeaseProgress = Apus_V1_LeaseProgress
    /// A worker gives leases back.
    public typealias LeaseReturn = Apus_V1_LeaseReturn
    /// The orchestrator takes a lease back.
    public typealias LeaseCancelled = Apus_V1_LeaseCancelled
    /// Announces a signed group in the frame behind it.
    public typealias GroupSubmission = Apus_V1_GroupSubmission
    /// The signed group itself.
    public typealias GroupPayload = Apus_V1_GroupPayload
    /// Why a completion ended.
    public typealias FinishReason = Apus_V1_FinishReason
    /// One completion with its evidence.
    public typealias Sample = Apus_V1_Sample
    /// The orchestrator has journaled a group.
    public typealias Receipt = Apus_V1_Receipt

    /// A verifier asks for work.
    public typealias AuditRequest = Apus_V1_AuditRequest
    /// The answer to an audit request.
    public typealias AuditAssignment = Apus_V1_AuditAssignment
    /// One group to replay.
    public typealias Audit = Apus_V1_Audit
    /// A list of token ids.
    public typealias TokenList = Apus_V1_TokenList
    /// What a replay gave.
    public typealias AuditReport = Apus_V1_AuditReport
    /// What the replay of one completion gave.
    public typealias ReplayedSample = Apus_V1_ReplayedSample
    /// The largest activations of one chunk.
    public typealias TopRows = Apus_V1_TopRows
    /// A verifier could not replay.
    public typealias AuditFault = Apus_V1_AuditFault

    /// The trainer asks for a batch.
    public typealias BatchRequest = Apus_V1_BatchRequest
    /// The groups of one optimizer step.
    public typealias Batch = Apus_V1_Batch
    /// One group of a batch.
    public typealias TrainingGroup = Apus_V1_TrainingGroup
    /// One completion of a batch.
    public typealias TrainingSample = Apus_V1_TrainingSample
    /// A group of a batch whose log-probabilities the trainer could not compute.
    public typealias UnavailableGroup = Apus_V1_UnavailableGroup
    /// How a worker took a new version over.
    public typealias Adoption = Apus_V1_Adoption
    /// A named number.
    public typealias Metric = Apus_V1_Metric
    /// The trainer has made a step.
    public typealias BatchDone = Apus_V1_BatchDone
    /// The trainer has published weights.
    public typealias VersionPublished = Apus_V1_VersionPublished
    /// A checkpoint is complete on disk.
    public typealias CheckpointStable = Apus_V1_CheckpointStable

    /// A sign of life.
    public typealias Heartbeat = Apus_V1_Heartbeat
    /// A client leaves.
    public typealias Goodbye = Apus_V1_Goodbye
    /// A message has arrived and took effect.
    public typealias Acknowledgement = Apus_V1_Acknowledgement
    /// New weights can be had.
    public typealias VersionAnnounced = Apus_V1_VersionAnnounced
    /// The orchestrator stops giving work.
    public typealias Drain = Apus_V1_Drain
    /// What happened to a worker's groups.
    public typealias Standing = Apus_V1_Standing
}

/// The version of the wire schema that this program speaks.
public enum SchemaVersion {
    /// Every message carries it; both sides must have the same one.
    public static let current: UInt32 = 1
}
