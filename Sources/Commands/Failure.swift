import ChatTemplates
import EnvironmentKit
import Foundation
import Identity
import JSON
import Messages
import Queues
import Roles
import RunConfiguration
import Safetensors
import Shardcast
import Tensors
import Tokenizers
import Transformer

/// Any error as one sentence and an exit code (CONTRACT: 64 usage, 65 bad input, 69 unreachable, 70 our own fault).
struct Failure {
    let sentence: String
    let exitCode: Int32

    init(_ error: any Error) {
        switch error {
        case let failure as RoleFailure:
            (sentence, exitCode) = (failure.description, failure.kind.rawValue)
        case let failure as ConfigurationError:
            (sentence, exitCode) = (failure.description, 65)
        case let failure as QueueError:
            (sentence, exitCode) = (failure.description, 69)
        case let failure as ShardcastError:
            (sentence, exitCode) = (failure.description, 69)
        case is KernelError, is ModelError, is SafetensorsError, is TokenizerError, is IdentityError,
            is JoinTicketError,
            is EnvironmentError, is PromptFailure, is TemplateError, is JSONError:
            (sentence, exitCode) = ("\(error)", 65)
        case let error as CocoaError:
            // Foundation's own words for a file that is missing, unreadable or misplaced; its description is a dump.
            let file = error.filePath.map { "\($0): " } ?? ""
            (sentence, exitCode) = (file + error.localizedDescription, 65)
        case is CancellationError:
            (sentence, exitCode) = ("Stopped.", 70)
        default:
            (sentence, exitCode) = ("\(error)", 70)
        }
    }
}
