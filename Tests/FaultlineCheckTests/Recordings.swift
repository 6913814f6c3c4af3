import Foundation

/// The recorded cases that lie beside the tests.
enum Recordings {
  static let directory = Bundle.module.bundleURL.appendingPathComponent("Recordings")

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.sorted()
  }()

  /// Names of the scripts, without their suffix.
  static let scripts = files.filter { $0.hasSuffix(".ops") }.map { String($0.dropLast(4)) }

  /// Names of the recordings, such as `s_fa_eof_a.tmpfs`.
  static let recordings = files.filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }

  static func text(_ name: String) throws -> String {
    try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
  }
}
