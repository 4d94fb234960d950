import Foundation
import Messages

/// Full messages of every kind: every field set to something that is not its default.
enum Examples {
    static let hash = Data((0..<32).map { UInt8($0 + 1) })
    static let signature = Data((0..<64).map { UInt8($0 + 1) })

    static let version = Wire.PolicyVersion.with {
        $0.number = 3
        $0.weightsHash = hash
        $0.step = 2
    }

    static let sampling = Wire.SamplingParameters.with {
        $0.samples = 2
        $0.maxTokens = 10
        $0.temperature = 0.7
        $0.topK = 5
        $0.topP = 0.9
        $0.minP = 0.1
        $0.stopTokens = [10, 300]
    }

    static let hello = Wire.Hello.with {
        $0.role = .worker
        $0.identityKey = hash
        $0.curveKeySignature = signature
        $0.name = "Großmutters Rechner"
        $0.arithmeticVersion = 1
        $0.kernelRow = "avx2"
        $0.kernelDigest = hash
        $0.softwareVersion = "0.1.0"
        $0.invite = "token"
        $0.tokensPerSecond = 12.5
        $0.resumeStep = 4
    }

    static let payload = Wire.GroupPayload.with {
        $0.schemaVersion = SchemaVersion.current
        $0.arithmeticVersion = 1
        $0.runID = hash
        $0.leaseID = 9
        $0.groupID = hash
        $0.attempt = 1
        $0.workerKey = hash
        $0.policyVersion = 3
        $0.weightsHash = hash
        $0.environmentID = "digit-sort"
        $0.environmentHash = hash
        $0.promptTokens = [1, 2, 300]
        $0.sampling = sampling
        $0.samples = [
            .with {
                $0.tokens = [5, 6, 10]
                $0.finishReason = .stop
                $0.logProbabilities = [-0.5, -1.25, 0]
                $0.commitments = [hash]
                $0.toplocProofs = [Data([1, 2, 3, 4])]
            },
            .with {
                $0.tokens = [7]
                $0.finishReason = .length
            },
        ]
    }

    static let auditReport = Wire.AuditReport.with {
        $0.auditID = 5
        $0.samples = [
            .with {
                $0.commitments = [hash]
                $0.logProbabilities = [-0.5]
                $0.replayedTokens = [5]
                $0.margins = [0.5]
                $0.topRows = [
                    .with {
                        $0.indices = [1, 70_000]
                        $0.bits = [0x3f80, 0xffff]
                    }
                ]
            }
        ]
        $0.seconds = 0.25
        $0.signature = signature
    }

    static let clientBodies: [Wire.ClientBody] = [
        .hello(hello),
        .leaseRequest(
            .with {
                $0.groups = 4
                $0.newestVersion = 3
            }),
        .leaseProgress(
            .with {
                $0.leaseIds = [1, 2]
                $0.tokensPerSecond = 5
            }),
        .leaseReturn(
            .with {
                $0.leaseIds = [1]
                $0.reason = "draining"
            }),
        .groupSubmission(
            .with {
                $0.leaseID = 9
                $0.signature = signature
            }),
        .auditRequest(.with { $0.groups = 2 }),
        .auditReport(auditReport),
        .auditFault(
            .with {
                $0.auditIds = [5]
                $0.reason = "no weights"
            }),
        .batchRequest(.with { $0.step = 7 }),
        .batchDone(
            .with {
                $0.step = 7
                $0.metrics = [
                    .with {
                        $0.name = "loss/mean"
                        $0.value = -.nan
                    }
                ]
                $0.doubtedGroups = [hash]
                $0.unavailableGroups = [
                    .with {
                        $0.groupHash = hash
                        $0.reason = "no weights"
                    }
                ]
            }),
        .versionPublished(.with { $0.version = version }),
        .checkpointStable(.with { $0.step = 6 }),
        .heartbeat(
            .with {
                $0.newestVersion = 3
                $0.tokensPerSecond = 5
            }),
        .goodbye(.with { $0.reason = "night" }),
    ]

    static let serverBodies: [Wire.ServerBody] = [
        .welcome(
            .with {
                $0.runID = hash
                $0.relays = ["http://127.0.0.1:8000"]
                $0.manifestKey = hash
                $0.current = version
                $0.arithmeticVersion = 1
                $0.receiptKey = hash
                $0.runName = "demo"
                $0.heartbeatMilliseconds = 5000
                $0.streak = 1.5
                $0.balance = -4
            }),
        .refusal(
            .with {
                $0.code = "banned"
                $0.reason = "Three audits failed."
                $0.advice = "Check your memory."
                $0.final = true
            }),
        .leases(
            .with {
                $0.leases = [
                    .with {
                        $0.leaseID = 9
                        $0.slot = 8
                        $0.groupID = hash
                        $0.attempt = 1
                        $0.version = version
                        $0.environmentID = "digit-sort"
                        $0.environmentHash = hash
                        $0.promptTokens = [1, 2]
                        $0.sampling = sampling
                        $0.deadlineMilliseconds = 30_000
                    }
                ]
            }),
        .receipt(
            .with {
                $0.leaseID = 9
                $0.groupHash = hash
                $0.signature = signature
                $0.duplicate = true
            }),
        .leaseCancelled(
            .with {
                $0.leaseID = 9
                $0.reason = "stale"
            }),
        .auditAssignment(
            .with {
                $0.audits = [
                    .with {
                        $0.auditID = 5
                        $0.runID = hash
                        $0.groupID = hash
                        $0.workerKey = hash
                        $0.version = version
                        $0.promptTokens = [1]
                        $0.sampling = sampling
                        $0.completions = [.with { $0.tokens = [5, 6] }]
                    }
                ]
            }),
        .batch(
            .with {
                $0.step = 7
                $0.groups = [
                    .with {
                        $0.groupID = hash
                        $0.groupHash = hash
                        $0.version = version
                        $0.promptTokens = [1]
                        $0.samples = [
                            .with {
                                $0.tokens = [5]
                                $0.behaviourLogProbabilities = [-0.5]
                                $0.reportedLogProbabilities = [-0.5]
                                $0.reward = 0.5
                            }
                        ]
                        $0.temperature = 1
                    }
                ]
                $0.batchHashPrefix = 99
                $0.totalCompletionTokens = 1
                $0.versionsInUse = [3, 300]
            }),
        .acknowledgement(.init()),
        .versionAnnounced(
            .with {
                $0.version = version
                $0.oldestUsefulVersion = 1
            }),
        .drain(
            .with {
                $0.reason = "finished"
                $0.runFinished = true
            }),
        .standing(
            .with {
                $0.balance = -1
                $0.accepted = 2
                $0.rejected = 3
                $0.streak = 0.5
                $0.banned = true
                $0.reasons = ["late"]
            }),
    ]
}
