import Foundation
import NIOSSL

/// Who vouches for the certificates of https upstreams.
enum TrustedAuthorities {
    /// The variable that OpenSSL, curl and Python look at, too.
    static let variable = "SSL_CERT_FILE"

    /// TLS that trusts the authorities of the PEM file that `SSL_CERT_FILE` names, and no others; nil where it names none,
    /// which means the system's authorities.
    ///
    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` where the file holds no certificate.
    static func configuration(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ShardcastError) -> TLSConfiguration? {
        guard let path = environment[variable], !path.isEmpty else { return nil }
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw ShardcastError(
                .invalidConfiguration,
                "\(variable) names \(path), which holds no certificates (\(error)): name a PEM file of the authorities to "
                    + "trust, or unset it for the system's.")
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(certificates)
        return configuration
    }
}
